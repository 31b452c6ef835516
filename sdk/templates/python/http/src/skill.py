"""Tells customers whether the service works in their area."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from postern import (
    Ask,
    Context,
    HandOver,
    HostError,
    Outcome,
    Reply,
    Severity,
    Unavailable,
    http,
    log,
    skill,
)

MOST_NOTE = 120
"""Characters of the server's words that are passed on."""


@dataclass
class ServiceState:
    area: str


@dataclass
class Area:
    """What the status server says about an area."""

    state: str
    note: str = ""


STATES = {
    "works": "Everything works in the {area}.",
    "outage": "There is an outage in the {area}, and we are working on it.",
    "maintenance": "There is maintenance in the {area}.",
}


def service_state(args: ServiceState, context: Context) -> Outcome:
    # The schema allows four words, so this is safe in a path.
    area = args.area.lower()
    try:
        found = ask_server(context.setting("status_url"), area)
    except (HostError, Unavailable) as error:
        if not is_temporary(error):
            raise
        log.warn("the status server did not answer")
        return Reply(
            "I cannot see at the moment how the service stands. Please ask again in a few minutes."
        )
    if found is None:
        text = "I do not know that part of the town. Is it north, south, east or west?"
        return Ask("area", text)
    log.info("the status server was asked", area=area)
    if found.state not in STATES:
        text = f"I cannot tell how the service is in the {area}. A colleague will look."
        return HandOver("state-unclear", Severity.NORMAL, text)
    said = STATES[found.state].format(area=area)
    note = plain(found.note)
    return Reply(f"{said} {note}." if note else said)


def ask_server(url: str, area: str) -> Area | None:
    """What the server says about an area; nothing if it does not know it."""
    address = f"{url.rstrip('/')}/v1/areas/{area}"
    response = http.get(address, headers={"accept": "application/json"})
    if response.status == 200:
        return response.json(Area)
    if response.status == 404:
        return None
    raise Unavailable(f"it answered with status {response.status}")


def is_temporary(error: HostError | Unavailable) -> bool:
    """Whether asking again later can help."""
    return isinstance(error, Unavailable) or error.is_unavailable


def plain(text: str) -> str:
    """Words of a server, fit for an answer: one short line without markup."""
    kept = [c for c in text if unicodedata.category(c) != "Cc" and c not in "<>"]
    return "".join(kept[:MOST_NOTE]).strip().rstrip(".")


Tools = skill(service_state)
