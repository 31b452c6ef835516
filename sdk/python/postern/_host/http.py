from __future__ import annotations

from typing import TYPE_CHECKING

from ._asked import NotRequested, asked, enum_name

try:
    from wit_world.imports import client
except ImportError:
    raise NotRequested("http") from None

if TYPE_CHECKING:
    from ..http import Request


def send(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
    raw = client.Request(
        client.Method[enum_name(request.method)],
        request.url,
        request.headers,
        request.body,
        request.secrets,
        request.idempotent,
    )
    response = asked(lambda: client.send(raw))
    return response.status, response.headers, response.body
