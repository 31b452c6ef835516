"""Takes reports of faults in a building."""

from __future__ import annotations

from dataclasses import dataclass

from postern import (
    Ask,
    Context,
    HandOver,
    NoArguments,
    Outcome,
    Reply,
    Severity,
    handover,
    log,
    skill,
    ticket,
)


@dataclass
class ReportFault:
    part: str | None = None


def report_fault(args: ReportFault, context: Context) -> Outcome:
    if args.part is None:
        return Ask("part", "What is broken: water, heating, power, lift or door?")
    part = args.part.lower()
    promise = context.setting("promise")
    urgent = part in ("water", "power")
    opened = ticket.create(f"Fault: {part}", "p2" if urgent else "p3")
    ticket.tag(opened.id, f"fault-{part}")
    # What the customer wrote stands in the conversation, where people see it.
    ticket.comment(opened.id, f"The customer was promised an answer {promise}.")
    severity = Severity.HIGH if urgent else Severity.NORMAL
    queue = handover.request(f"fault-{part}", severity, f"A fault was reported: {part}.")
    log.info("a fault was reported", part=part, queue=queue)
    return Reply(f"I have reported the {part}. A person will answer you here {promise}.")


def ask_person(_: NoArguments, __: Context) -> Outcome:
    text = "I am getting a colleague for you."
    return HandOver("asked-for-person", Severity.NORMAL, text)


Tools = skill(report_fault, ask_person)
