from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import HostErrorKind
from ._state import asked, error

if TYPE_CHECKING:
    from ..http import Request


def send(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
    state = asked("http:send", **vars(request))
    found = state.answers.get((request.method, request.url))
    if found is None:
        raise error(HostErrorKind.UNAVAILABLE, f"{request.url} does not answer")
    return found
