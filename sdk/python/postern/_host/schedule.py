from __future__ import annotations

from ._asked import NotRequested, asked

try:
    from wit_world.imports import timer
except ImportError:
    raise NotRequested("schedule") from None


def create(tool: str, arguments: str, when: int | str) -> str:
    wanted: timer.When = timer.When_AtMs(when) if isinstance(when, int) else timer.When_Cron(when)
    return asked(lambda: timer.create(timer.Job(tool, arguments, wanted)))


def cancel(id: str) -> None:
    asked(lambda: timer.cancel(id))
