"""Records of the operator's business, in collections such as `orders`.

Personal fields arrive as placeholders such as `<EMAIL_1.k3f9>`. A skill passes them on
whole, in replies and in conditions, and never looks inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import data
from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _records as host
else:
    from ._host import records as host

T = TypeVar("T")


@dataclass(frozen=True)
class Record(Generic[T]):
    """A record."""

    key: str
    version: int
    """Grows by one with each change."""
    body: T


@dataclass(frozen=True)
class Identity(Generic[T]):
    """The customer to whom given details belong."""

    key: str
    """Key of the customer's record."""
    record: Record[T]


@dataclass(frozen=True)
class Put:
    """Write a whole record: made by `create` and `replace`."""

    collection: str
    key: str
    body: str
    version: int | None
    """The version that it has before; None where there is no record yet."""


@dataclass(frozen=True)
class Delete:
    """Delete a record: made by `remove`."""

    collection: str
    key: str
    version: int


Step = Put | Delete


def get(collection: str, key: str, shape: type[T]) -> Record[T]:
    """Reads one record."""
    return _typed(collection, host.get(collection, key), shape)


def query(
    collection: str, conditions: Mapping[str, str], limit: int, shape: type[T]
) -> list[Record[T]]:
    """Reads the records in which every field equals the given text, ordered by key.

    At most `limit` (1 to 100) of them. A dotted name reaches inside objects:
    `address.zip`. At least one condition is needed.
    """
    found = host.query(collection, list(conditions.items()), limit)
    return [_typed(collection, document, shape) for document in found]


def write(*steps: Step) -> list[int]:
    """Performs all steps or none; answers each record's new version (0 if deleted)."""
    return host.write(list(steps))


def identify(collection: str, details: Mapping[str, str], shape: type[T]) -> Identity[T]:
    """Asks the host whether details that the customer gave belong to exactly one record.

    If so, the customer is identified as its owner from here on. Not finding one is a
    `HostError` with `is_not_found`, which does not tell what was wrong.
    """
    key, document = host.identify(collection, list(details.items()))
    return Identity(key, _typed(collection, document, shape))


def create(collection: str, key: str, body: object) -> Step:
    """Writes a record under a key that is free."""
    return Put(collection, key, data.write(body, f"record for {collection}"), None)


def replace(collection: str, key: str, version: int, body: object) -> Step:
    """Writes a new version of a record that was read in this version."""
    return Put(collection, key, data.write(body, f"record for {collection}"), version)


def remove(collection: str, key: str, version: int) -> Step:
    """Deletes a record that was read in this version."""
    return Delete(collection, key, version)


def _typed(collection: str, document: Any, shape: type[T]) -> Record[T]:
    body = data.read(document.body, shape, f"record of {collection}")
    return Record(document.key, document.version, body)
