from __future__ import annotations

from collections.abc import Callable

from ._asked import enum_name


def _silent(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    """The library itself writes log lines; a skill that may not stays silent."""


def _writer() -> Callable[[str, str, list[tuple[str, str]]], None]:
    try:
        from wit_world.imports import logging
    except ImportError:
        return _silent

    def log(level: str, message: str, fields: list[tuple[str, str]]) -> None:
        logging.log(logging.Level[enum_name(level)], message, fields)

    return log


log = _writer()
