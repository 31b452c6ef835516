"""What the host says about a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .errors import Internal


class IdentityLevel(Enum):
    """How well the host knows who is writing."""

    UNKNOWN = "unknown"
    IDENTIFIED = "identified"
    VERIFIED = "verified"


@dataclass(frozen=True)
class Customer:
    """The customer of the conversation."""

    key: str | None = None
    """Key of the customer's own record, once there is one."""
    level: IdentityLevel = IdentityLevel.UNKNOWN


@dataclass(frozen=True)
class Context:
    """Facts about the call, made by the host."""

    invocation_id: str
    """Names this call in logs and audit."""
    now_ms: int
    """Milliseconds since 1970-01-01T00:00:00Z, fixed for the whole call."""
    language: str
    """Language of the customer, as a BCP 47 tag."""
    customer: Customer = Customer()
    settings: Mapping[str, str] = field(default_factory=dict)
    """Values of the operator for this skill."""

    def setting(self, name: str) -> str:
        """The value of a setting that the manifest declares; raises if it has none."""
        if name in self.settings:
            return self.settings[name]
        raise Internal(
            f"setting `{name}` has no value; set it, or give it a default in the manifest"
        )

    def customer_key(self) -> str:
        """Key of the customer's own record.

        A tool whose manifest asks for an identity is not called before there is one.
        """
        if self.customer.key is not None:
            return self.customer.key
        raise Internal(
            "the customer is not identified; the tool's manifest should ask for an identity"
        )
