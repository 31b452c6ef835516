"""Asking for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._host import IN_COMPONENT
from .outcome import Severity

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _handover as host
else:
    from ._host import handover as host


def request(reason: str, severity: Severity, summary: str) -> str:
    """Puts the conversation in a queue for people, and answers the queue's name.

    `reason` is short and machine-readable: lower-case letters, digits, hyphens. `summary`
    is what the person should know first, without personal data.
    """
    return host.hand_over(reason, severity.value, summary)
