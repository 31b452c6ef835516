"""What the fake host knows, and how its calls fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import HostError, HostErrorKind


@dataclass(frozen=True)
class Call:
    """A call that the skill made, with the name that rules and audit know: `records:get`."""

    action: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A log line."""

    level: str
    message: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Document:
    key: str
    version: int
    body: str


@dataclass
class State:
    calls: list[Call] = field(default_factory=list)
    log: list[Line] = field(default_factory=list)
    failing: list[tuple[Callable[[Call], bool], HostErrorKind, str]] = field(default_factory=list)
    records: dict[tuple[str, str], Document] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[int, list[tuple[str, str]], bytes]] = field(
        default_factory=dict
    )
    values: dict[str, bytes] = field(default_factory=dict)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    passages: dict[str, list[tuple[str, str, str, int]]] = field(default_factory=dict)
    completions: list[str] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)
    planned: int = 0

    def put(self, collection: str, key: str, body: str) -> int:
        before = self.records.get((collection, key))
        version = 1 if before is None else before.version + 1
        self.records[collection, key] = Document(key, version, body)
        return version


_current: State | None = None


def use(state: State) -> None:
    global _current
    _current = state


def current() -> State | None:
    return _current


def error(kind: HostErrorKind, message: str) -> HostError:
    """With the retry hint that the kind suggests."""
    retry = {HostErrorKind.CONFLICT: 0, HostErrorKind.UNAVAILABLE: 1000}.get(kind)
    return HostError(kind, message, retry)


def asked(action: str, **details: Any) -> State:
    """Remembers a call, and fails if a test wants it to."""
    if _current is None:
        message = "there is no host; make one with `postern.fake.FakeHost()`"
        raise error(HostErrorKind.UNAVAILABLE, message)
    call = Call(action, details)
    _current.calls.append(call)
    for when, kind, message in _current.failing:
        if when(call):
            raise error(kind, message)
    return _current
