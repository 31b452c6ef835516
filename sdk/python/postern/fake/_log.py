from __future__ import annotations

from ._state import Line, current


def log(level: str, message: str, fields: list[tuple[str, str]]) -> None:
    state = current()
    # Without a host there is nobody to read the line.
    if state is not None:
        state.log.append(Line(level, message, dict(fields)))
