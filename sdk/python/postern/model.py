"""Asking the host's language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ._host import IN_COMPONENT

if TYPE_CHECKING or not IN_COMPONENT:
    from .fake import _model as host
else:
    from ._host import model as host

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Answer:
    """What the model said: a proposal and never an instruction."""

    text: str
    input_tokens: int
    output_tokens: int


def complete(purpose: str, messages: Sequence[tuple[Role, str]], max_tokens: int) -> Answer:
    """One completion, of 1 to 4096 tokens.

    `purpose` is what it is for, as rules judge it: lower-case letters, digits, hyphens.
    """
    return Answer(*host.complete(purpose, list(messages), max_tokens))
