"""Tells customers how their own bookings stand."""

from __future__ import annotations

from dataclasses import dataclass

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
class BookingStatus:
    booking_id: str


@dataclass
class Booking:
    """A record of `bookings`."""

    what: str
    when: str
    status: str


STATES = {
    "confirmed": "It is confirmed.",
    "requested": "We have not confirmed it yet.",
    "cancelled": "It was cancelled.",
}


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


def booking_status(args: BookingStatus, _: Context) -> Outcome:
    booking_id = args.booking_id
    try:
        booking = records.get("bookings", booking_id, Booking).body
    except HostError as error:
        # Rules refuse what is not the customer's, whether it exists or not.
        if not (error.is_denied or error.is_not_found):
            raise
        text = f"I cannot find booking {booking_id} among yours. Which number is it?"
        return Ask("booking_id", text)
    log.info("a booking was read", booking=booking_id)
    state = STATES.get(booking.status)
    if state is None:
        text = f"I cannot tell how booking {booking_id} stands. A colleague will look at it."
        return HandOver("booking-unclear", Severity.NORMAL, text)
    return Reply(f"Booking {booking_id}: {booking.what}, {booking.when}. {state}")


Tools = skill(find_me, booking_status)
