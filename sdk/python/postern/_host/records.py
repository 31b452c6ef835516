from __future__ import annotations

from typing import TYPE_CHECKING

from ._asked import NotRequested, asked

try:
    from wit_world.imports import store
except ImportError:
    raise NotRequested("records") from None

if TYPE_CHECKING:
    from ..records import Step


def get(collection: str, key: str) -> store.Document:
    return asked(lambda: store.get(collection, key))


def query(collection: str, conditions: list[tuple[str, str]], limit: int) -> list[store.Document]:
    return asked(lambda: store.query(collection, _equals(conditions), limit))


def write(steps: list[Step]) -> list[int]:
    return list(asked(lambda: store.write([_lower(step) for step in steps])))


def identify(collection: str, details: list[tuple[str, str]]) -> tuple[str, store.Document]:
    found = asked(lambda: store.identify(collection, _equals(details)))
    return found.key, found.document


def _equals(conditions: list[tuple[str, str]]) -> list[store.Equals]:
    return [store.Equals(field, value) for field, value in conditions]


def _lower(step: Step) -> store.Step:
    from ..records import Put

    if not isinstance(step, Put):
        return store.Step_Delete(store.Delete(step.collection, step.key, step.version))
    expected: store.Expected = (
        store.Expected_Absent() if step.version is None else store.Expected_Version(step.version)
    )
    return store.Step_Put(store.Put(step.collection, step.key, step.body, expected))
