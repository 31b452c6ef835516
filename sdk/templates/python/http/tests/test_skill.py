import unittest

from postern import Outcome, Reply
from postern.fake import FakeHost, context

from skill import Tools

URL = "https://status.example/v1/areas/north"
CONTEXT = context(settings={"status_url": "https://status.example"})


def said(host: FakeHost) -> Outcome:
    return host.call(Tools, "service_state", {"area": "NORTH"}, CONTEXT)


class ServiceState(unittest.TestCase):
    def test_what_the_server_says_is_told_in_one_line(self) -> None:
        host = FakeHost()
        answer = {"state": "maintenance", "note": "<b>Until noon.\n"}
        host.answer("get", URL, json_body=answer)
        text = "There is maintenance in the north. bUntil noon."
        self.assertEqual(said(host), Reply(text))

    def test_a_server_that_is_silent_or_busy_gets_a_civil_answer(self) -> None:
        host = FakeHost()
        silent = said(host)
        assert isinstance(silent, Reply)
        self.assertTrue(silent.text.startswith("I cannot see at the moment"))
        host.answer("get", URL, status=503)
        self.assertEqual(said(host), silent)
