"""Small state of a skill, kept apart for each customer, with a quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from . import data
from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _kv as host
else:
    from ._host import kv as host

T = TypeVar("T")


def get(key: str) -> bytes | None:
    """Reads a value; None if it is missing or expired."""
    return host.get(key)


def set(key: str, value: bytes, ttl_seconds: int) -> None:
    """Keeps a value for so many seconds (1 to 31,536,000)."""
    host.set(key, value, ttl_seconds)


def remove(key: str) -> None:
    """Forgets a value. Forgetting a missing one is no error."""
    host.delete(key)


def get_json(key: str, shape: type[T]) -> T | None:
    """Reads a value that was kept with `set_json`."""
    found = host.get(key)
    return None if found is None else data.read(found, shape, f"value of {key}")


def set_json(key: str, value: object, ttl_seconds: int) -> None:
    """Keeps a value as JSON."""
    host.set(key, data.write(value, f"value of {key}").encode(), ttl_seconds)
