"""What can go wrong in a skill.

Whatever leaves a tool becomes the failure that the host expects: `failure_of` says which.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal


class HostErrorKind(Enum):
    """What kind of thing went wrong with a host call."""

    DENIED = "denied"
    """Policy refused it; the message names the rule and the next step."""
    INVALID = "invalid"
    """The arguments are not acceptable."""
    NOT_FOUND = "not-found"
    """The thing that it names does not exist."""
    CONFLICT = "conflict"
    """The thing changed since it was read: read it again."""
    LIMITED = "limited"
    """A limit of the host is used up."""
    UNAVAILABLE = "unavailable"
    """The other side did not answer, or the host has no backend for it."""
    UNCERTAIN = "uncertain"
    """It may or may not have taken effect; a person has been told."""


class HostError(Exception):
    """A host call that did not happen, or whose result is not known."""

    def __init__(self, kind: HostErrorKind, message: str, retry_after_ms: int | None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_ms = retry_after_ms
        """Milliseconds after which the same call can succeed; None if it will fail again."""

    @property
    def is_denied(self) -> bool:
        return self.kind is HostErrorKind.DENIED

    @property
    def is_not_found(self) -> bool:
        return self.kind is HostErrorKind.NOT_FOUND

    @property
    def is_conflict(self) -> bool:
        return self.kind is HostErrorKind.CONFLICT

    @property
    def is_unavailable(self) -> bool:
        return self.kind is HostErrorKind.UNAVAILABLE


class InvalidArguments(Exception):
    """The arguments do not fit the tool."""


class Unavailable(Exception):
    """Something else does not answer; a later call may succeed."""


class Internal(Exception):
    """The skill cannot go on."""


class DataError(Internal):
    """Something has another shape than the skill expects. Says where, never the value."""


FailureKind = Literal["invalid-arguments", "denied", "unavailable", "internal"]


class Failure(Exception):
    """Why a tool gave no outcome, as the host gets it."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind: FailureKind = kind
        self.message = message


def failure_of(error: Exception) -> Failure:
    """The failure for whatever a tool raised."""
    match error:
        case InvalidArguments():
            return Failure("invalid-arguments", str(error))
        case Unavailable():
            return Failure("unavailable", str(error))
        case HostError(is_denied=True):
            return Failure("denied", str(error))
        case HostError():
            again = error.retry_after_ms is not None
            return Failure("unavailable" if again else "internal", str(error))
        case Internal():
            return Failure("internal", str(error))
        case _:
            return Failure("internal", _unexpected(error))


def _unexpected(error: Exception) -> str:
    """A mistake in the skill. What parsers and lookups say would quote what they read."""
    name = type(error).__name__
    quotes = isinstance(error, (ValueError, LookupError))
    return name if quotes else f"{name}: {error}"
