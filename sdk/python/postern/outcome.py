"""What a tool comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Union


class Severity(Enum):
    """How soon a person should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Reply:
    """An answer for the customer."""

    text: str


@dataclass(frozen=True)
class Ask:
    """A question for the argument `entity`; the tool is called again with the answer."""

    entity: str
    text: str


@dataclass(frozen=True)
class HandOver:
    """A wish for a person, and what the customer is told meanwhile.

    `reason` is short and machine-readable: lower-case letters, digits, hyphens.
    """

    reason: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Done:
    """Finished, with nothing to tell."""


Outcome = Union[Reply, Ask, HandOver, Done]
