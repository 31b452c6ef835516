"""Pauses and resumes a customer's own subscription."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from postern import (
    Ask,
    Context,
    HandOver,
    HostError,
    Outcome,
    Reply,
    Severity,
    log,
    records,
    skill,
)


@dataclass
class FindMe:
    email: str | None = None


@dataclass
class User:
    """A record of `users`; the skill needs nothing of it."""


@dataclass
class Which:
    subscription_id: str


def find_me(args: FindMe, context: Context) -> Outcome:
    if context.customer.key is not None:
        return Reply("I know who you are. What can I do for you?")
    if args.email is None:
        return Ask("email", "Please tell me the e-mail address that you use with us.")
    try:
        # The address is a placeholder here; the host compares what stands behind it.
        records.identify("users", {"email": args.email}, User)
    except HostError as error:
        if error.is_not_found:
            text = "I cannot find anybody with that address. Please check it and tell me again."
            return Ask("email", text)
        # Too many attempts, or not a private chat: a person can still help.
        if error.is_denied:
            text = "I cannot look you up here. A colleague will help you."
            return HandOver("identification-refused", Severity.NORMAL, text)
        raise
    return Reply("Thank you, I found you.")


def pause_subscription(args: Which, _: Context) -> Outcome:
    return change(args.subscription_id, "paused", "is paused")


def resume_subscription(args: Which, _: Context) -> Outcome:
    return change(args.subscription_id, "active", "is active again")


def change(subscription_id: str, state: str, done: str) -> Outcome:
    """Brings a subscription into a state, if it is not in it."""
    try:
        # As a whole: what the skill does not know stays as it is.
        record = records.get("subscriptions", subscription_id, dict[str, Any])
    except HostError as error:
        # Rules refuse what is not the customer's, whether it exists or not.
        if not (error.is_denied or error.is_not_found):
            raise
        text = f"I cannot find subscription {subscription_id} among yours. Which number is it?"
        return Ask("subscription_id", text)
    subscription = record.body
    shown = f"ubscription {subscription_id} ({subscription['what']})"
    if subscription["state"] == state:
        return Reply(f"S{shown} is {state} already.")
    if subscription["state"] not in ("active", "paused"):
        text = f"I cannot change s{shown}. A colleague will look at it."
        return HandOver("subscription-ended", Severity.NORMAL, text)
    changed = {**subscription, "state": state}
    try:
        # The host asks the customer before it lets this happen; the version makes sure
        # that nothing has changed since it was read.
        records.write(records.replace("subscriptions", subscription_id, record.version, changed))
    except HostError as error:
        if not error.is_conflict:
            raise
        return Reply(f"S{shown} was changed by somebody else just now. Please ask me again.")
    log.info("a subscription was changed", subscription=subscription_id, state=state)
    return Reply(f"Done. S{shown} {done}.")


Tools = skill(find_me, pause_subscription, resume_subscription)
