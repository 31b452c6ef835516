from __future__ import annotations

from ..errors import HostErrorKind
from ._state import asked, error


def find(query: str, collection: str, limit: int) -> list[tuple[str, str, str, int]]:
    details = {"query": query, "collection": collection, "limit": limit}
    found = asked("knowledge:search", **details).passages.get(collection)
    if found is None:
        message = "the fake host has no knowledge base of this name"
        raise error(HostErrorKind.UNAVAILABLE, message)
    return found[:limit]
