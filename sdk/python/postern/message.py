"""Sending messages beyond the answer to the customer's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _message as host
else:
    from ._host import message as host


def to_customer(text: str) -> int:
    """Writes to the customer of the conversation; answers to how many it goes."""
    return host.send("customer", None, text)


def to_queue(queue: str, text: str) -> int:
    """Writes to the people of a queue."""
    return host.send("queue", queue, text)


def to_customers(keys: Sequence[str], text: str) -> int:
    """Writes to customers by their keys, 1 to 1000; more than one is a mass send."""
    return host.send("customers", list(keys), text)
