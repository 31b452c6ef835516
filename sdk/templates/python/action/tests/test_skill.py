import unittest

from postern import HostErrorKind, Outcome, Reply
from postern.fake import FakeHost

from skill import Tools


def box(state: str) -> FakeHost:
    host = FakeHost()
    body = {"user_id": "ada", "what": "a vegetable box", "state": state}
    host.set_record("subscriptions", "S-1001", body)
    return host


def pause(host: FakeHost) -> Outcome:
    return host.call(Tools, "pause_subscription", {"subscription_id": "S-1001"})


class Pausing(unittest.TestCase):
    def test_it_changes_the_state_and_nothing_else_and_twice_is_once(self) -> None:
        host = box("active")
        done = "Done. Subscription S-1001 (a vegetable box) is paused."
        self.assertEqual(pause(host), Reply(done))
        paused = {"user_id": "ada", "what": "a vegetable box", "state": "paused"}
        self.assertEqual(host.record("subscriptions", "S-1001"), paused)

        again = "Subscription S-1001 (a vegetable box) is paused already."
        self.assertEqual(pause(host), Reply(again))
        writes = [call for call in host.calls if call.action == "records:write"]
        self.assertEqual(len(writes), 1)

    def test_a_change_by_somebody_else_in_between_is_told(self) -> None:
        host = box("active")
        host.fail_when(lambda call: call.action == "records:write", HostErrorKind.CONFLICT)
        outcome = pause(host)
        assert isinstance(outcome, Reply)
        self.assertIn("was changed by somebody else just now", outcome.text)
