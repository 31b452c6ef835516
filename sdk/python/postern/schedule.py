"""Running a tool later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import data
from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _schedule as host
else:
    from ._host import schedule as host


def at(ms: int, tool: str, arguments: object) -> str:
    """Has a tool of this skill run once, and answers the job's name."""
    return host.create(tool, data.write(arguments, f"arguments of {tool}"), ms)


def cron(line: str, tool: str, arguments: object) -> str:
    """Has it run again and again: minute, hour, day of month, month, day of week, in UTC."""
    return host.create(tool, data.write(arguments, f"arguments of {tool}"), line)


def cancel(id: str) -> None:
    """Has it not run after all."""
    host.cancel(id)
