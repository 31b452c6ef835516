"""Tickets of this conversation's customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _ticket as host
else:
    from ._host import ticket as host

Status = Literal[
    "new", "open", "waiting-customer", "waiting-third-party", "resolved", "closed"
]
Priority = Literal["p1", "p2", "p3", "p4"]


@dataclass(frozen=True)
class Ticket:
    """A ticket."""

    id: str
    subject: str
    status: Status
    priority: Priority
    """`p1` is the most urgent."""
    tags: list[str]
    created_ms: int
    """When it was opened, in milliseconds since 1970-01-01T00:00:00Z."""


def create(subject: str, priority: Priority) -> Ticket:
    """Opens a ticket and makes it the conversation's current one."""
    return Ticket(**host.create(subject, priority))


def update(
    id: str,
    *,
    subject: str | None = None,
    status: Status | None = None,
    priority: Priority | None = None,
) -> Ticket:
    """Changes a ticket of this conversation; None leaves a field as it is."""
    return Ticket(**host.update(id, subject, status, priority))


def tag(id: str, name: str) -> None:
    """Adds a tag: lower-case letters, digits and hyphens, at most 40."""
    host.tag(id, name)


def comment(id: str, text: str) -> None:
    """Adds a remark for the people who work on the ticket."""
    host.comment(id, text)


def history(limit: int) -> list[Ticket]:
    """This customer's earlier tickets and what became of them, newest first, at most 50."""
    return [Ticket(**ticket) for ticket in host.history(limit)]
