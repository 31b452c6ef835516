"""JSON, read by type hints.

What is raised names the field and what was expected, never the value, which may be
personal.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast

from .errors import DataError

T = TypeVar("T")

_PLAIN: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


class Mismatch(Exception):
    """A value that does not fit; the message says where."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"`{path}`: {reason}" if path else reason)


def read(text: str | bytes, shape: type[T], what: str) -> T:
    """The value that a text says, as a dataclass or whatever else the hint says."""
    try:
        value = json.loads(text)
    except ValueError:
        raise DataError(f"{what}: not valid JSON") from None
    try:
        return cast(T, fit(value, shape))
    except Mismatch as mismatch:
        raise DataError(f"{what}: {mismatch}") from None


def write(value: object, what: str) -> str:
    """The text of a value; dataclasses are objects."""
    try:
        return json.dumps(value, default=_plain)
    except (TypeError, ValueError):
        raise DataError(f"{what}: cannot be written as JSON") from None


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError


def fit(value: Any, shape: Any, path: str = "", exactly: bool = False) -> Any:
    """The value in this shape. With `exactly`, an object has no other fields."""
    if shape in (Any, object):
        return value
    if isinstance(shape, type) and dataclasses.is_dataclass(shape):
        return _object(value, shape, path, exactly)
    if isinstance(shape, type) and issubclass(shape, Enum):
        known = {member.value: member for member in shape}
        return known[_one_of(value, list(known), path)]
    origin, inner = typing.get_origin(shape), typing.get_args(shape)
    if origin in (Union, types.UnionType):
        return _first(value, inner, path)
    if origin is Literal:
        return _one_of(value, list(inner), path)
    if shape is list or origin is list:
        return [
            fit(item, inner[0] if inner else Any, f"{path}[{at}]")
            for at, item in enumerate(_of(list, "a list", value, path))
        ]
    if shape is dict or origin is dict:
        return {
            name: fit(item, inner[1] if inner else Any, _below(path, name))
            for name, item in _of(dict, "an object", value, path).items()
        }
    return _simple(value, shape, path)


def _simple(value: Any, shape: Any, path: str) -> Any:
    if shape is None or shape is type(None):
        if value is not None:
            raise Mismatch(path, "expected nothing")
        return None
    if shape not in _PLAIN:
        raise TypeError(f"{shape} says nothing about JSON")
    # A truth value is an integer for Python, not for JSON.
    fits = type(value) is shape or (shape is float and type(value) is int)
    if not fits:
        raise Mismatch(path, f"expected {_PLAIN[shape]}")
    return value


def _object(value: Any, shape: type, path: str, exactly: bool) -> Any:
    given = _of(dict, "an object", value, path)
    hints, required = _fields(shape)
    for name in given:
        if exactly and name not in hints:
            expected = " or ".join(f"`{field}`" for field in hints) or "no fields"
            raise Mismatch(_below(path, name), f"expected {expected}")
    for name in required:
        if name not in given:
            raise Mismatch(path, f"missing field `{name}`")
    return shape(
        **{
            name: fit(given[name], hint, _below(path, name))
            for name, hint in hints.items()
            if name in given
        }
    )


@lru_cache(maxsize=None)
def _fields(shape: type) -> tuple[dict[str, Any], list[str]]:
    """Hints of all fields, and the names of those that must be there."""
    hints = typing.get_type_hints(shape)
    fields = [field for field in dataclasses.fields(cast(Any, shape)) if field.init]
    missing = dataclasses.MISSING
    required = [
        field.name
        for field in fields
        if field.default is missing and field.default_factory is missing
    ]
    return {field.name: hints[field.name] for field in fields}, required


def _first(value: Any, shapes: tuple[Any, ...], path: str) -> Any:
    """The first of several shapes that fits; if none does, what the last one misses."""
    if value is None and type(None) in shapes:
        return None
    given = [shape for shape in shapes if shape is not type(None)]
    for shape in given[:-1]:
        try:
            return fit(value, shape, path)
        except Mismatch:
            continue
    return fit(value, given[-1], path)


def _one_of(value: Any, known: list[Any], path: str) -> Any:
    if not isinstance(value, (str, int, bool)) or value not in known:
        raise Mismatch(path, f"expected one of {', '.join(map(str, known))}")
    return value


def _of(kind: type[T], expected: str, value: Any, path: str) -> T:
    if not isinstance(value, kind):
        raise Mismatch(path, f"expected {expected}")
    return value


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
