"""Requests to servers that the operator allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from . import data
from ._host import IN_COMPONENT
from .errors import DataError

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _http as host
else:
    from ._host import http as host

T = TypeVar("T")

Method = Literal["get", "head", "post", "put", "patch", "delete"]

# RFC 9110 section 9.2.2.
_IDEMPOTENT = ("get", "head", "put", "delete")


@dataclass(frozen=True)
class Request:
    """One request, as the host gets it."""

    method: Method
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    secrets: list[str]
    idempotent: bool


@dataclass(frozen=True)
class Response:
    """What a server answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        wanted = name.lower()
        return next((value for known, value in self.headers if known.lower() == wanted), None)

    def text(self) -> str:
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise DataError("response body: not UTF-8") from None

    def json(self, shape: type[T]) -> T:
        return data.read(self.text(), shape, "response body")


def send(
    method: Method,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    json: object = None,
    secrets: Sequence[str] = (),
    idempotent: bool | None = None,
) -> Response:
    """Sends one request. Any status is a response; redirects are not followed.

    `json` is a body to be written as JSON, with its content type. `secrets` are names of
    those that the host puts in, where and for which server it was told. `idempotent` says
    whether performing the request twice does no harm; GET, HEAD, PUT and DELETE count as
    such until said otherwise.
    """
    sent = list((headers or {}).items())
    if json is not None:
        body = data.write(json, "request body").encode()
        if not any(name.lower() == "content-type" for name, _ in sent):
            sent.append(("content-type", "application/json"))
    if idempotent is None:
        idempotent = method in _IDEMPOTENT
    status, answered, answer = host.send(
        Request(method, url, sent, body, list(secrets), idempotent)
    )
    return Response(status, answered, answer)


def get(
    url: str, *, headers: Mapping[str, str] | None = None, secrets: Sequence[str] = ()
) -> Response:
    return send("get", url, headers=headers, secrets=secrets)


def post(
    url: str,
    *,
    json: object,
    headers: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
    idempotent: bool = False,
) -> Response:
    return send(
        "post", url, json=json, headers=headers, secrets=secrets, idempotent=idempotent
    )
