from __future__ import annotations

from ..errors import HostErrorKind
from ._state import asked, error


def create(tool: str, arguments: str, when: int | str) -> str:
    state = asked("schedule:create", tool=tool, arguments=arguments, when=when)
    state.planned += 1
    job = f"job_{state.planned}"
    state.jobs.add(job)
    return job


def cancel(id: str) -> None:
    state = asked("schedule:cancel", id=id)
    if id not in state.jobs:
        raise error(HostErrorKind.NOT_FOUND, f"no job {id}")
    state.jobs.remove(id)
