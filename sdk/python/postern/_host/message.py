from __future__ import annotations

from typing import Any

from ._asked import NotRequested, asked

try:
    from wit_world.imports import sending
except ImportError:
    raise NotRequested("message") from None


def send(kind: str, whom: Any, text: str) -> int:
    audience: sending.Audience
    if kind == "customer":
        audience = sending.Audience_Customer()
    elif kind == "queue":
        audience = sending.Audience_Queue(whom)
    else:
        audience = sending.Audience_Customers(whom)
    return asked(lambda: sending.send(audience, text))
