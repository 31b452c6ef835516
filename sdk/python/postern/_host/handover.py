from __future__ import annotations

from ._asked import NotRequested, asked, enum_name

try:
    from wit_world.imports import people
except ImportError:
    raise NotRequested("handover") from None


def hand_over(reason: str, severity: str, summary: str) -> str:
    request = people.Request(reason, people.Severity[enum_name(severity)], summary)
    return asked(lambda: people.hand_over(request))
