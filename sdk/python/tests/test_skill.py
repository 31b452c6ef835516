from __future__ import annotations

import json
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from postern import (
    Ask,
    Context,
    Done,
    Failure,
    HandOver,
    HostError,
    HostErrorKind,
    NoArguments,
    Outcome,
    Reply,
    Severity,
    handover,
    http,
    knowledge,
    kv,
    log,
    message,
    model,
    records,
    schedule,
    skill,
    ticket,
)
from postern.fake import FakeHost, context


@dataclass
class Args:
    order_id: str
    many: int | None = None


@dataclass
class Order:
    status: str
    note: str | None = None


class Size(Enum):
    SMALL = "small"


@dataclass
class Everything:
    flag: bool
    share: float
    names: list[str]
    prices: dict[str, int]
    kind: Literal["a", "b"]
    size: Size
    inner: Order
    others: list[Any] = field(default_factory=list)


def simply(
    work: Callable[[Context], Outcome], given: Context | None = None
) -> tuple[FakeHost, Callable[[], Outcome]]:
    """A new host, and a call of one tool that does this."""

    def tried(_: NoArguments, called: Context) -> Outcome:
        return work(called)

    host = FakeHost()
    return host, lambda: host.call(skill(tried), "tried", {}, given)


class Skills(unittest.TestCase):
    def fails(self, call: Callable[[], Outcome], kind: str, message: str) -> None:
        with self.assertRaises(Failure) as raised:
            call()
        self.assertEqual((raised.exception.kind, raised.exception.message), (kind, message))

    def test_arguments_are_read_and_a_record_a_line_and_an_outcome_come_of_them(self) -> None:
        def tried(args: Args, called: Context) -> Outcome:
            found = records.get("orders", args.order_id, Order)
            log.info("read", order=args.order_id)
            return Reply(f"{found.body.status} ({found.version}), {called.setting('greeting')}")

        host = FakeHost()
        host.set_record("orders", "#W1", {"status": "sent", "other": 1})
        given = context(settings={"greeting": "bye"})
        outcome = host.call(skill(tried), "tried", {"order_id": "#W1"}, given)
        self.assertEqual(outcome, Reply("sent (1), bye"))
        [call], [line] = host.calls, host.log
        self.assertEqual((call.action, call.details["key"]), ("records:get", "#W1"))
        self.assertEqual((line.level, line.fields), ("info", {"order": "#W1"}))

    def test_every_kind_of_outcome_arrives(self) -> None:
        outcomes: list[Outcome] = [
            Reply("x"),
            Ask("email", "Which?"),
            HandOver("asked", Severity.HIGH, "Wait."),
            Done(),
        ]
        for outcome in outcomes:
            _, call = simply(lambda _, outcome=outcome: outcome)  # type: ignore[misc]
            self.assertEqual(call(), outcome)

    def test_arguments_that_do_not_fit_are_refused_by_field_and_without_their_value(self) -> None:
        def tried(_: Args, __: Context) -> Outcome:
            return Done()

        def walk(_: NoArguments, __: Context) -> Outcome:
            return Done()

        def check(given: Mapping[str, Any], expected: str, tool: str = "tried") -> None:
            tools = skill(tried, walk)
            self.fails(lambda: FakeHost().call(tools, tool, given), "invalid-arguments", expected)

        check({}, "missing field `order_id`")
        check({"order_id": 7}, "`order_id`: expected a string")
        check({"order_id": "x", "many": "ann@example.com"}, "`many`: expected a whole number")
        check({"order_id": "x", "many": True}, "`many`: expected a whole number")
        check({"order_id": "x", "id": 1}, "`id`: expected `order_id` or `many`")
        check({"order_id": "x"}, "`order_id`: expected no fields", tool="walk")
        check({}, 'no tool "fly"; this skill has tried, walk', tool="fly")

    def test_every_hint_is_understood(self) -> None:
        good: dict[str, Any] = {
            "flag": True,
            "share": 1,
            "names": ["x"],
            "prices": {"x": 1},
            "kind": "a",
            "size": "small",
            "inner": {"status": "sent"},
        }
        wrong = {
            "flag": 1,
            "share": "1",
            "names": [1],
            "prices": {"x": 1.5},
            "kind": "c",
            "size": "large",
            "inner": {},
        }
        host, call = simply(
            lambda _: Reply(repr(records.get("things", "x", Everything).body.size))
        )
        host.set_record("things", "x", good)
        self.assertEqual(call(), Reply("<Size.SMALL: 'small'>"))
        for name, value in wrong.items():
            host.set_record("things", "x", {**good, name: value})
            with self.assertRaises(Failure) as raised:
                call()
            self.assertEqual(raised.exception.kind, "internal")
            self.assertTrue(raised.exception.message.startswith(f"record of things: `{name}"))

    def test_a_tool_without_hints_is_refused_at_once(self) -> None:
        def bare(args, called):  # type: ignore[no-untyped-def]
            return Done()

        with self.assertRaises(TypeError) as raised:
            skill(bare)
        self.assertIn("the tool bare must take a dataclass", str(raised.exception))

    def test_failures_of_the_host_become_those_that_the_host_expects(self) -> None:
        expected = {
            HostErrorKind.DENIED: "denied",
            HostErrorKind.CONFLICT: "unavailable",
            HostErrorKind.UNAVAILABLE: "unavailable",
            HostErrorKind.NOT_FOUND: "internal",
            HostErrorKind.LIMITED: "internal",
            # An effect that may have happened must not be asked for again.
            HostErrorKind.UNCERTAIN: "internal",
        }
        for kind, failure in expected.items():
            host, call = simply(lambda _: Reply(records.get("orders", "x", Order).key))
            host.fail_when(lambda call: call.action == "records:get", kind, "why")
            self.fails(call, failure, "why")
            self.assertEqual(host.log[0].level, "warn")

    def test_mistakes_are_named_without_what_they_read(self) -> None:
        def wrong(_: Context) -> Outcome:
            return "text"  # type: ignore[return-value]

        self.fails(
            simply(wrong)[1],
            "internal",
            "TypeError: a tool must return a Reply, Ask, HandOver or Done",
        )
        self.fails(
            simply(lambda _: Reply(json.loads("ann@example.com")))[1], "internal", "JSONDecodeError"
        )
        self.fails(simply(lambda _: Reply({"x": ""}["ann@example.com"]))[1], "internal", "KeyError")
        with self.assertRaises(Failure) as raised:
            simply(lambda called: Reply(called.customer_key()))[1]()
        self.assertIn("not identified", raised.exception.message)

    def test_records_are_written_together_or_not_at_all(self) -> None:
        def work(_: Context) -> Outcome:
            [made] = records.write(records.create("refunds", "r", {"cents": 5}))
            [changed] = records.write(records.replace("refunds", "r", made, {"cents": 6}))
            try:
                records.write(
                    records.create("refunds", "s", {}), records.remove("refunds", "r", made)
                )
            except HostError as error:
                found = records.query("refunds", {"cents": "6"}, 10, dict[str, int])
                return Reply(f"{made} {changed} {error.is_conflict} {found[0].body}")
            return Done()

        host, call = simply(work)
        self.assertEqual(call(), Reply("1 2 True {'cents': 6}"))
        self.assertIsNone(host.record("refunds", "s"))

    def test_one_record_with_the_details_identifies_two_do_not(self) -> None:
        details = {"name.last": "Ng"}
        host, call = simply(lambda _: Reply(records.identify("users", details, dict[str, Any]).key))
        host.set_record("users", "u1", {"name": {"last": "Ng"}})
        self.assertEqual(call(), Reply("u1"))
        host.set_record("users", "u2", {"name": {"last": "Ng"}})
        self.fails(call, "internal", "no single record has these details")

    def test_a_request_has_what_it_needs_and_its_answer_is_read(self) -> None:
        url = "https://carrier.example/v1/x"

        def work(_: Context) -> Outcome:
            response = http.post(url, json={"a": 1}, secrets=["token"])
            status = response.json(Order).status
            return Reply(f"{response.ok} {status} {response.header('Content-Type')}")

        host, call = simply(work)
        host.answer("post", url, status=201, json_body={"status": "sent"})
        self.assertEqual(call(), Reply("True sent application/json"))
        sent = host.calls[0].details
        self.assertEqual(sent["headers"], [("content-type", "application/json")])
        self.assertEqual((sent["body"], sent["secrets"]), (b'{"a": 1}', ["token"]))
        self.assertFalse(sent["idempotent"])
        self.fails(
            simply(lambda _: Reply(http.get(url).text()))[1], "unavailable", f"{url} does not answer"
        )

    def test_the_smaller_interfaces_do_what_they_say(self) -> None:
        def work(_: Context) -> Outcome:
            kv.set_json("seen", {"times": 2}, 60)
            seen = kv.get_json("seen", dict[str, int])
            kv.remove("seen")
            opened = ticket.create("Broken", "p3")
            ticket.tag(opened.id, "fragile")
            ticket.comment(opened.id, "glass")
            changed = ticket.update(opened.id, priority="p1")
            [past] = ticket.history(5)
            queue = handover.request("damaged", Severity.HIGH, "A cup broke.")
            [passage] = knowledge.find("returns", "help", 1)
            answer = model.complete("p", [("user", "x")], 9)
            sent = message.to_customers(["a", "b"], "hi") + message.to_customer("x")
            job = schedule.at(5, "tried", {})
            schedule.cancel(job)
            return Reply(
                f"{seen} {kv.get('seen')!r} {changed.priority} {changed.status} {past.tags} {queue} "
                f"{passage.title} {answer.text} {sent} {job}"
            )

        host, call = simply(work)
        host.set_passages("help", [("1", "Returns", "", 9)])
        host.complete_with("yes")
        expected = "{'times': 2} None p1 new ['fragile'] people Returns yes 3 job_1"
        self.assertEqual(call(), Reply(expected))
        self.assertEqual(len(host.calls), 16)
