"""What all interfaces have in common: failures, and names of cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from componentize_py_types import Err

from ..errors import HostError, HostErrorKind

T = TypeVar("T")


class NotRequested(ImportError):
    """The skill uses what its manifest does not ask for."""

    def __init__(self, capability: str) -> None:
        super().__init__(
            f"the skill uses `postern.{capability}`, but skill.toml does not ask for it. Next "
            f'step: add\n\n[[capabilities]]\ninterface = "{capability}"\nreason = "…"\n\n'
            "or leave out what uses it"
        )


def asked(call: Callable[[], T]) -> T:
    """Calls the host, and turns its failure into a `HostError`."""
    try:
        return call()
    except Err as error:
        raise _host_error(error.value) from None


def _host_error(failure: Any) -> HostError:
    kind = HostErrorKind[failure.kind.name]
    # Each interface has types of its own, with the same names.
    retry = type(failure.retry).__name__
    after = {"Retry_Never": None, "Retry_Now": 0}.get(retry, getattr(failure.retry, "value", 0))
    return HostError(kind, failure.message, after)


def enum_name(text: str) -> str:
    """The name of a WIT case in Python."""
    return text.replace("-", "_").upper()


def case_name(name: str) -> str:
    """The WIT case of a name in Python."""
    return name.replace("_", "-").lower()
