from __future__ import annotations

from ._asked import NotRequested, asked

try:
    from wit_world.imports import search
except ImportError:
    raise NotRequested("knowledge") from None


def find(query: str, collection: str, limit: int) -> list[tuple[str, str, str, int]]:
    found = asked(lambda: search.find(query, collection, limit))
    return [(passage.id, passage.title, passage.text, passage.relevance) for passage in found]
