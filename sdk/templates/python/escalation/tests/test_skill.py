import unittest

from postern import Reply
from postern.fake import FakeHost, context

from skill import Tools


class ReportFault(unittest.TestCase):
    def test_a_fault_becomes_a_ticket_and_goes_to_a_person(self) -> None:
        host = FakeHost()
        given = context(settings={"promise": "by tonight"})
        outcome = host.call(Tools, "report_fault", {"part": "WATER"}, given)
        said = "I have reported the water. A person will answer you here by tonight."
        self.assertEqual(outcome, Reply(said))
        actions = [call.action for call in host.calls]
        expected = ["ticket:create", "ticket:tag", "ticket:comment", "handover:request"]
        self.assertEqual(actions, expected)
        self.assertEqual(host.calls[3].details["severity"], "high")
