"""Log lines. They are capped by the host, and secrets and personal data are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _log as host
else:
    from ._host import log as host

Level = Literal["trace", "debug", "info", "warn", "error"]
Value = str | int | float | bool


def _write(level: Level, message: str, fields: dict[str, Value]) -> None:
    host.log(level, message, [(name, str(value)) for name, value in fields.items()])


def trace(message: str, **fields: Value) -> None:
    _write("trace", message, fields)


def debug(message: str, **fields: Value) -> None:
    _write("debug", message, fields)


def info(message: str, **fields: Value) -> None:
    _write("info", message, fields)


def warn(message: str, **fields: Value) -> None:
    _write("warn", message, fields)


def error(message: str, **fields: Value) -> None:
    _write("error", message, fields)
