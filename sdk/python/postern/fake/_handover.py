from __future__ import annotations

from ._state import asked


def hand_over(reason: str, severity: str, summary: str) -> str:
    asked("handover:request", reason=reason, severity=severity, summary=summary)
    return "people"
