from __future__ import annotations

import copy
from typing import Any

from ..errors import HostErrorKind
from ._state import State, asked, error


def _ticket(state: State, id: str) -> dict[str, Any]:
    for ticket in state.tickets:
        if ticket["id"] == id:
            return ticket
    raise error(HostErrorKind.NOT_FOUND, f"no ticket {id}")


def create(subject: str, priority: str) -> dict[str, Any]:
    state = asked("ticket:create", subject=subject, priority=priority)
    ticket: dict[str, Any] = {
        "id": f"tkt_{len(state.tickets) + 1}",
        "subject": subject,
        "status": "new",
        "priority": priority,
        "tags": [],
        "created_ms": 0,
    }
    state.tickets.append(ticket)
    return copy.deepcopy(ticket)


def update(
    id: str, subject: str | None, status: str | None, priority: str | None
) -> dict[str, Any]:
    change = {"subject": subject, "status": status, "priority": priority}
    given = {name: value for name, value in change.items() if value is not None}
    ticket = _ticket(asked("ticket:update", id=id, **change), id)
    ticket.update(given)
    return copy.deepcopy(ticket)


def tag(id: str, name: str) -> None:
    _ticket(asked("ticket:tag", id=id, tag=name), id)["tags"].append(name)


def comment(id: str, text: str) -> None:
    _ticket(asked("ticket:comment", id=id, text=text), id)


def history(limit: int) -> list[dict[str, Any]]:
    tickets = asked("ticket:history", limit=limit).tickets
    return copy.deepcopy(tickets[::-1][:limit])
