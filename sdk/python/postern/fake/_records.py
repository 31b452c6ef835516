from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import HostErrorKind
from ._state import Document, State, asked, error

if TYPE_CHECKING:
    from ..records import Step


def get(collection: str, key: str) -> Document:
    state = asked("records:get", collection=collection, key=key)
    found = state.records.get((collection, key))
    if found is None:
        raise error(HostErrorKind.NOT_FOUND, f"{collection} has no record {key}")
    return found


def query(collection: str, conditions: list[tuple[str, str]], limit: int) -> list[Document]:
    details = {"collection": collection, "conditions": dict(conditions), "limit": limit}
    state = asked("records:query", **details)
    if not conditions or not 1 <= limit <= 100:
        message = "a query needs a condition and a limit from 1 to 100"
        raise error(HostErrorKind.INVALID, message)
    return _matching(state, collection, conditions)[:limit]


def identify(collection: str, details: list[tuple[str, str]]) -> tuple[str, Document]:
    state = asked("records:identify", collection=collection, details=dict(details))
    found = _matching(state, collection, details)
    if not details or len(found) != 1:
        raise error(HostErrorKind.NOT_FOUND, "no single record has these details")
    return found[0].key, found[0]


def write(steps: list[Step]) -> list[int]:
    from ..records import Put

    state = asked("records:write", steps=steps)
    for step in steps:
        before = state.records.get((step.collection, step.key))
        if (None if before is None else before.version) != step.version:
            message = f"{step.collection} {step.key} is not in the expected version"
            raise error(HostErrorKind.CONFLICT, message)
    versions = []
    for step in steps:
        if isinstance(step, Put):
            versions.append(state.put(step.collection, step.key, step.body))
        else:
            del state.records[step.collection, step.key]
            versions.append(0)
    return versions


def _matching(
    state: State, collection: str, conditions: list[tuple[str, str]]
) -> list[Document]:
    found = [
        document
        for (kept, _), document in state.records.items()
        if kept == collection
        and all(_equals(json.loads(document.body), field, text) for field, text in conditions)
    ]
    return sorted(found, key=lambda document: document.key)


def _equals(value: Any, field: str, text: str) -> bool:
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower() == text
    return isinstance(value, (str, int, float)) and str(value) == text
