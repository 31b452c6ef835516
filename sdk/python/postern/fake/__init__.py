"""A small host for tests of skills.

It keeps records, values and tickets in memory, answers requests as it was told, and
remembers every call. It has no policy: what the rules would refuse, a test says with
`fail_when`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..context import Context, Customer, IdentityLevel
from ..errors import HostErrorKind
from ..outcome import Outcome
from ..skill import Tools
from ._state import Call, Line, State, use

__all__ = ["Call", "FakeHost", "Line", "context"]


def context(
    *,
    customer: str | None = None,
    now_ms: int = 1_749_988_800_000,
    language: str = "en",
    settings: Mapping[str, str] | None = None,
) -> Context:
    """Facts about a call; by default nobody in particular writes, at 2025-06-15T12:00:00Z.

    `customer` is the key of the identified customer.
    """
    level = IdentityLevel.UNKNOWN if customer is None else IdentityLevel.IDENTIFIED
    return Context("inv_example", now_ms, language, Customer(customer, level), settings or {})


class FakeHost:
    """A host in memory. A second one takes the place of the first."""

    def __init__(self) -> None:
        self._state = State()
        use(self._state)

    @property
    def calls(self) -> list[Call]:
        """Every call so far, log lines aside."""
        return list(self._state.calls)

    @property
    def log(self) -> list[Line]:
        """Every log line so far."""
        return list(self._state.log)

    def set_record(self, collection: str, key: str, body: Mapping[str, Any]) -> int:
        """Keeps a record, in its next version if there is one already; answers the version."""
        return self._state.put(collection, key, json.dumps(body))

    def record(self, collection: str, key: str) -> Any:
        """A record as it is now; None if there is none."""
        found = self._state.records.get((collection, key))
        return None if found is None else json.loads(found.body)

    def answer(
        self,
        method: str,
        url: str,
        *,
        status: int = 200,
        json_body: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answers requests with this method and URL from now on; others find no server."""
        sent = dict(headers or {})
        if json_body is not None:
            sent = {"content-type": "application/json", **sent}
            body = json.dumps(json_body).encode()
        self._state.answers[method, url] = (status, list(sent.items()), body)

    def set_passages(self, collection: str, passages: list[tuple[str, str, str, int]]) -> None:
        """Answers questions to this collection with id, title, text and relevance."""
        self._state.passages[collection] = passages

    def complete_with(self, text: str) -> None:
        """Answers one more question to the language model."""
        self._state.completions.append(text)

    def fail_when(
        self, when: Callable[[Call], bool], kind: HostErrorKind, message: str | None = None
    ) -> None:
        """Lets every call fail for which `when` holds."""
        self._state.failing.append((when, kind, message or kind.value))

    def call(
        self,
        tools: type[Tools],
        tool: str,
        arguments: Mapping[str, Any],
        given: Context | None = None,
    ) -> Outcome:
        """Runs a tool as the host does.

        Raises: `postern.Failure`
        """
        return tools().run(tool, json.dumps(arguments), given or context())
