from __future__ import annotations

from collections.abc import Sequence

from ..errors import HostErrorKind
from ._state import asked, error


def complete(
    purpose: str, messages: Sequence[tuple[str, str]], max_tokens: int
) -> tuple[str, int, int]:
    details = {"purpose": purpose, "messages": messages, "max_tokens": max_tokens}
    state = asked("model:complete", **details)
    if not state.completions:
        message = "the fake host was told no more completions"
        raise error(HostErrorKind.UNAVAILABLE, message)
    return state.completions.pop(0), 0, 0
