from __future__ import annotations

from typing import Any

from ._asked import NotRequested, asked, case_name, enum_name

try:
    from wit_world.imports import tickets
except ImportError:
    raise NotRequested("ticket") from None


def _fields(ticket: tickets.Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "subject": ticket.subject,
        "status": case_name(ticket.status.name),
        "priority": case_name(ticket.priority.name),
        "tags": list(ticket.tags),
        "created_ms": ticket.created_ms,
    }


def create(subject: str, priority: str) -> dict[str, Any]:
    wanted = tickets.Priority[enum_name(priority)]
    return _fields(asked(lambda: tickets.create(subject, wanted)))


def update(
    id: str, subject: str | None, status: str | None, priority: str | None
) -> dict[str, Any]:
    change = tickets.Change(
        subject,
        None if status is None else tickets.Status[enum_name(status)],
        None if priority is None else tickets.Priority[enum_name(priority)],
    )
    return _fields(asked(lambda: tickets.update(id, change)))


def tag(id: str, name: str) -> None:
    asked(lambda: tickets.tag(id, name))


def comment(id: str, text: str) -> None:
    asked(lambda: tickets.comment(id, text))


def history(limit: int) -> list[dict[str, Any]]:
    return [_fields(ticket) for ticket in asked(lambda: tickets.history(limit))]
