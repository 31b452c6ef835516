"""From the host's call to a tool, and back."""

from __future__ import annotations

from collections.abc import Callable

from componentize_py_types import Err
from wit_world.imports import types

from ..context import Context, Customer, IdentityLevel
from ..errors import Failure
from ..outcome import Ask, HandOver, Outcome, Reply
from ._asked import case_name, enum_name

_FAILURES = {
    "invalid-arguments": types.Failure_InvalidArguments,
    "denied": types.Failure_Denied,
    "unavailable": types.Failure_Unavailable,
    "internal": types.Failure_Internal,
}


def call(
    run: Callable[[str, str, Context], Outcome], tool: str, arguments: str, raw: types.Context
) -> types.Outcome:
    try:
        return _lower(run(tool, arguments, _context(raw)))
    except Failure as failure:
        raise Err(_FAILURES[failure.kind](failure.message)) from None


def _context(raw: types.Context) -> Context:
    level = IdentityLevel(case_name(raw.customer.level.name))
    return Context(
        raw.invocation_id,
        raw.now_ms,
        raw.language,
        Customer(raw.customer.key, level),
        dict(raw.settings),
    )


def _lower(outcome: Outcome) -> types.Outcome:
    match outcome:
        case Reply(text):
            return types.Outcome_Reply(text)
        case Ask(entity, text):
            return types.Outcome_Ask(types.Question(entity, text))
        case HandOver(reason, severity, text):
            soon = types.Severity[enum_name(severity.value)]
            return types.Outcome_HandOver(types.HandOver(reason, soon, text))
        case _:
            return types.Outcome_Done()
