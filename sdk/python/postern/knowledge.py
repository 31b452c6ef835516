"""Looking something up in the knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _knowledge as host
else:
    from ._host import knowledge as host


@dataclass(frozen=True)
class Passage:
    """A piece of an article."""

    id: str
    """Its name, the same as long as its text is."""
    title: str
    text: str
    relevance: int
    """How well it fits the question, from 0 to 1000."""


def find(query: str, collection: str, limit: int) -> list[Passage]:
    """The passages that fit a question in plain words, the best first, at most 20."""
    return [Passage(*found) for found in host.find(query, collection, limit)]
