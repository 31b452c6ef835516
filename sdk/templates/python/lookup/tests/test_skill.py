import unittest

from postern import Ask, HostErrorKind, Reply
from postern.fake import FakeHost

from skill import Tools

BOOKING = {"user_id": "ada", "what": "Bicycle check", "when": "Monday", "status": "confirmed"}


class BookingStatus(unittest.TestCase):
    def test_a_booking_is_told(self) -> None:
        host = FakeHost()
        host.set_record("bookings", "B-1001", BOOKING)
        outcome = host.call(Tools, "booking_status", {"booking_id": "B-1001"})
        text = "Booking B-1001: Bicycle check, Monday. It is confirmed."
        self.assertEqual(outcome, Reply(text))

    def test_one_that_the_rules_keep_back_looks_like_one_that_does_not_exist(self) -> None:
        host = FakeHost()
        missing = host.call(Tools, "booking_status", {"booking_id": "B-1001"})
        text = "I cannot find booking B-1001 among yours. Which number is it?"
        self.assertEqual(missing, Ask("booking_id", text))

        host.set_record("bookings", "B-1001", BOOKING)
        host.fail_when(lambda call: call.action == "records:get", HostErrorKind.DENIED)
        denied = host.call(Tools, "booking_status", {"booking_id": "B-1001"})
        self.assertEqual(denied, missing)
