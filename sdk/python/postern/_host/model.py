from __future__ import annotations

from collections.abc import Sequence

from ._asked import NotRequested, asked, enum_name

try:
    from wit_world.imports import completion
except ImportError:
    raise NotRequested("model") from None


def complete(
    purpose: str, messages: Sequence[tuple[str, str]], max_tokens: int
) -> tuple[str, int, int]:
    said = [completion.Message(completion.Role[enum_name(role)], text) for role, text in messages]
    answer = asked(lambda: completion.complete(completion.Request(purpose, said, max_tokens)))
    return answer.text, answer.input_tokens, answer.output_tokens
