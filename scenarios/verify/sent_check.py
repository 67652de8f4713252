"""Did the agent send what the journal says? Requests, receipts and reports in its recording, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from protocols.wire.attempt_ids import uid_of
from protocols.wire.messages import MetricsReport, ReceiptStatus
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import equal
from scenarios.verify.recorded_events import ReceiptsGiven
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.same_as_message import other_than_request, told

NO_FIGURES: Final[Mapping[int, Mapping[str, Any]]] = {}


def other_sent(
    messages: RecordedMessages,
    journal: KnownJournal,
    points: Sequence[BiasPoint],
    given: ReceiptsGiven | None,
    figures: Mapping[int, Mapping[str, Any]] = NO_FIGURES,
) -> str:
    """Return the first message of a recording that the agent cannot have sent, by its row; empty when there is none.

    Args:
        messages: In the recording.
        journal: What they are held against.
        points: The trajectory, by observation.
        given: The receipts that the rules give; None where these could not be followed to the end.
        figures: Row -> where the campaign stood there, of the rows that its states name.
    """
    found = [
        *_other_requests(messages, journal),
        *_other_receipts(messages, journal, given),
        *_other_control_receipts(messages, journal, given),
        *_other_reports(messages, journal, points),
        *_other_states(messages, journal, figures),
    ]
    if messages.not_ours is not None:
        row, why = messages.not_ours
        found.append((row, f"row {row} is no message that an agent sends: {why}"))
    return min(found, key=lambda each: each[0], default=(0, ""))[1]


def _other_requests(messages: RecordedMessages, journal: KnownJournal) -> Iterator[tuple[int, str]]:
    issued, plan = journal.issued, journal.plan
    for row, recipient, request in messages.asked:
        if request.attempt_id not in issued:
            if journal.is_over:
                yield row, f"row {row} asks for attempt {request.attempt_id}, which the journal does not know"
            continue
        number, event = issued[request.attempt_id]
        difference = other_than_request(event, recipient, request, plan)
        if difference is not None:
            name, there, sent = difference
            yield row, f"row {row} asks with {name} = {told(sent)}; row {number} of the journal says {told(there)}"


def _other_receipts(
    messages: RecordedMessages, journal: KnownJournal, given: ReceiptsGiven | None
) -> Iterator[tuple[int, str]]:
    passed_over = {ReceiptStatus.WITHDRAWN} if given is None else {ReceiptStatus.WITHDRAWN, *given.unseen}
    for row, receipt in messages.receipts:
        if problem := journal.other_row(receipt.row, receipt.digest):
            yield row, f"row {row} says otherwise: {problem}"
        said = (receipt.attempt_id, receipt.simulator, receipt.status, receipt.detail, receipt.answers)
        known = given is None or said in given.of_answers or receipt.status in passed_over
        if not known and uid_of(receipt.attempt_id) == journal.plan.uid:
            yield row, f"row {row} is the receipt {receipt.status} of {receipt.attempt_id}, which the rules do not give"


def _other_control_receipts(
    messages: RecordedMessages, journal: KnownJournal, given: ReceiptsGiven | None
) -> Iterator[tuple[int, str]]:
    for row, receipt in messages.control_receipts:
        if problem := journal.other_row(receipt.row, receipt.digest):
            yield row, f"row {row} says otherwise: {problem}"
        said = (receipt.operator, receipt.status, receipt.detail, receipt.answers, receipt.action, receipt.row)
        if given is not None and said not in given.of_controls and not given.unseen_controls:
            yield row, f"row {row} is the receipt {receipt.status} of {receipt.answers}, which the rules do not give"


def _other_states(
    messages: RecordedMessages, journal: KnownJournal, figures: Mapping[int, Mapping[str, Any]]
) -> Iterator[tuple[int, str]]:
    for row, state in messages.states:
        if problem := journal.other_row(state.row, state.digest):
            yield row, f"row {row} says otherwise: {problem}"
        for name, right in figures.get(state.row or 0, {}).items():
            if (said := getattr(state, name)) != right:
                yield (
                    row,
                    f"row {row} says {name} = {told(said)}; row {state.row} of the journal makes it {told(right)}",
                )
                break


def _other_reports(
    messages: RecordedMessages, journal: KnownJournal, points: Sequence[BiasPoint]
) -> Iterator[tuple[int, str]]:
    for row, report in messages.reports:
        if problem := journal.other_row(report.row, report.digest):
            yield row, f"row {row} says otherwise: {problem}"
        if report.observation >= len(points):
            if journal.is_over:
                yield row, f"row {row} reports observation {report.observation}; the journal has {len(points) - 1}"
            continue
        if problem := _other_report(report, points[report.observation], journal.plan):
            yield row, f"row {row} reports {problem}"


def _other_report(report: MetricsReport, point: BiasPoint, plan: CampaignPlan) -> str:
    named: list[tuple[str, object, object]] = [
        ("property", report.property, plan.property_name),
        ("unit", report.unit, plan.unit),
    ]
    named += [(name, getattr(report, name), getattr(point, name)) for name in (each.name for each in BIAS_METRICS)]
    named += [("starved_family", report.starved_family, point.starved_family)]
    right = zip(point.families, point.sizes, point.entropies, strict=True)
    for told_of, (family, size, entropy) in zip(report.families, right, strict=False):
        named += [("family", told_of.family, family), ("size", told_of.size, size)]
        named += [(f"entropy of {family}", told_of.entropy, entropy)]
    for name, said, there in named:
        if not equal(said, there):
            return f"{name} = {said}; the journal says {there}"
    return "" if len(report.families) == len(point.families) else "other families than the journal has"
