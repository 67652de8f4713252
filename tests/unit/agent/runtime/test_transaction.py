"""A step collects what its inputs mean: events, requests, receipts, bias, counts; a bad message is only counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.campaign.events import (
    AttemptFailed,
    CampaignPaused,
    ControlRefused,
    DecisionMade,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.controls import MAX_CONTROLS_NOTED
from agent.campaign.plan import Ordering
from agent.runtime.transaction import DeadlinePassed, PolicyAnswer, Transaction
from protocols.errors import MessageError
from protocols.link.transport import Delivery
from protocols.signing.signature import UNPROVEN
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    ControlAction,
    ControlStatus,
    Health,
    MetricsReport,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from tests.support.campaigns import (
    NOW,
    control,
    failure_of,
    first_available,
    quantity,
    result_of,
    small_plan,
    small_pool,
    state_of,
    value_of,
)
from tests.support.stored_campaigns import START, Deaf, Shelf, delivered, opened

POOL = small_pool(24)
PLAN = small_plan(POOL, budget=8, parallel=2, ordering=Ordering.AS_COMPLETED)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = opened(tmp_path / "campaign.db", POOL)
    yield Shelf(store, POOL, PLAN)
    store.close()


def test_a_result_becomes_event_receipt_bias_point_and_the_next_request(shelf: Shelf) -> None:
    attempt = shelf.awaited[0]
    delivery = delivered(result_of(attempt))
    transaction = shelf.transaction(delivery)
    assert [type(event) for event in transaction.events] == [ResultAccepted, DecisionMade, RequestIssued]
    assert [(r.attempt_id, r.status) for r in transaction.receipts] == [(attempt.attempt_id, ReceiptStatus.ACCEPTED)]
    (bias,) = transaction.bias
    assert (bias.observation, bias.point.sizes) == (1, shelf.maker.ledger.meter.point().sizes)
    assert bias.changed == (POOL.families[int(POOL.family_codes[POOL.index_of[attempt.candidate_id]])],)
    (item,) = transaction.outbox
    request = decode(item.topic, item.payload)
    assert isinstance(request, CandidateRequest)
    assert request.attempt_id == item.attempt_id == shelf.awaited[-1].attempt_id
    assert transaction.counts == {"candidate_result: accepted": 1}
    assert transaction.deliveries == [delivery]


def test_a_bias_point_bears_the_number_of_its_event(shelf: Shelf) -> None:
    before = shelf.campaign.sequence
    transaction = shelf.transaction(*(delivered(result_of(attempt)) for attempt in shelf.awaited))
    numbers = [before + 1 + transaction.events.index(e) for e in transaction.events if isinstance(e, ResultAccepted)]
    assert [bias.sequence for bias in transaction.bias] == numbers


def test_the_start_set_is_bias_point_zero_of_every_family(shelf: Shelf) -> None:
    (number, point), *_ = shelf.store.trajectory()
    assert (number, sum(point.sizes)) == (0, len(START))
    assert point.families == POOL.families


def test_a_duplicate_in_the_same_step_is_counted_and_answered_and_changes_nothing(shelf: Shelf) -> None:
    attempt = shelf.awaited[0]
    transaction = shelf.transaction(delivered(result_of(attempt)), delivered(result_of(attempt)))
    assert [receipt.status for receipt in transaction.receipts] == [ReceiptStatus.ACCEPTED, ReceiptStatus.DUPLICATE]
    assert sum(isinstance(event, ResultAccepted) for event in transaction.events) == 1


BASE = "entropilot/v1/demo"
GOOD = encode(control(ControlAction.PAUSE))
BAD_DELIVERIES = [
    (f"{BASE}/control", b"\x00\xff", "not_json"),
    (f"{BASE}/control", b"[]", "not_json"),
    (f"{BASE}/control", b" " * 70_000, "oversize"),
    (f"{BASE}/control", GOOD.replace(b'"protocol":1', b'"protocol":2'), "unknown_version"),
    (f"{BASE}/control", GOOD.replace(b'"type":"control"', b'"type":"order"'), "unknown_type"),
    (f"{BASE}/control", GOOD.replace(b'"pause"', b'"explode"'), "invalid"),
    ("entropilot/v1/other/control", GOOD, "foreign_campaign"),
    ("entropilot/v1/other/control", GOOD.replace(b'"demo"', b'"other"'), "foreign_campaign"),
    (f"{BASE}/result/simulator-1", GOOD, "wrong_topic"),
    ("somebody/else", GOOD, "unknown_topic"),
]


@pytest.mark.parametrize(("topic", "payload", "reason"), BAD_DELIVERIES)
def test_a_message_that_is_none_of_ours_changes_nothing_but_its_count_and_the_quarantine(
    shelf: Shelf, topic: str, payload: bytes, reason: str
) -> None:
    before = state_of(shelf.campaign)
    transaction = shelf.transaction(Delivery(topic, payload, retain=False, qos=1, ack_token=None))
    assert state_of(shelf.campaign) == before
    assert (transaction.events, transaction.receipts, transaction.outbox) == ([], [], [])
    assert transaction.counts == {f"quarantined: {reason}": 1}
    assert [(q.topic, q.payload, q.reason) for q in transaction.quarantined] == [(topic, payload, reason)]
    assert len(transaction.deliveries) == 1  # it is acknowledged: else the broker would bring it for ever


def test_an_answer_to_an_attempt_that_was_never_made_is_quarantined(shelf: Shelf) -> None:
    forged = result_of(shelf.awaited[0]).model_copy(update={"attempt_id": "forged-d000000-00000000-a1"})
    transaction = shelf.transaction(delivered(forged))
    assert transaction.counts == {"quarantined: unknown_attempt": 1}
    assert_refused(transaction, forged, "unknown_attempt: ")


def assert_refused(transaction: Transaction, message: CandidateResult | CandidateFailure, why: str) -> None:
    """Check that the sender is told that its message is refused, and why."""
    (receipt,) = transaction.receipts
    assert (receipt.status, receipt.answers) == (ReceiptStatus.REFUSED, message.message_id)
    assert (receipt.attempt_id, receipt.simulator) == (message.attempt_id, message.simulator)
    assert receipt.detail.startswith(why)
    assert transaction.events == []


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "an extra field": lambda payload: payload[:-1] + b',"mood":"good"}',
    "a time without a zone": lambda payload: payload.replace(b"03:04:05Z", b"03:04:05"),
    "a number in words": lambda payload: payload.replace(b'"duration_s":0.5', b'"duration_s":"short"'),
    "another version": lambda payload: payload.replace(b'"protocol":1', b'"protocol":2'),
    "cut off": lambda payload: payload[:-20],
    "too long": lambda payload: payload + b" " * MAX_PAYLOAD_BYTES,
    "a repeated key": lambda payload: payload[:-1] + b',"duration_s":2.0}',
}


@pytest.mark.parametrize("how", SPOILT)
def test_an_answer_that_is_quarantined_gets_a_receipt_with_the_reason(shelf: Shelf, how: str) -> None:
    message = result_of(shelf.awaited[0])
    spoilt = SPOILT[how](encode(message))
    transaction = shelf.transaction(delivered(topic=f"{BASE}/result/simulator-1", payload=spoilt))
    (row,) = transaction.quarantined
    assert_refused(transaction, message, f"{row.reason}: ")


def test_an_answer_by_whom_it_was_not_asked_of_is_refused_on_its_own_topic(shelf: Shelf) -> None:
    message = result_of(shelf.awaited[0], simulator="simulator-9")
    assert_refused(shelf.transaction(delivered(message)), message, "wrong_sender: ")


def test_a_failure_that_is_quarantined_gets_a_receipt_too(shelf: Shelf) -> None:
    message = failure_of(shelf.awaited[0])
    spoilt = encode(message).replace(b'"crashed"', b'"tired"')
    transaction = shelf.transaction(delivered(topic=f"{BASE}/failure/simulator-1", payload=spoilt))
    assert_refused(transaction, message, "invalid: ")


def test_a_message_that_is_not_read_any_more_gets_a_receipt_too(shelf: Shelf) -> None:
    message, transaction = result_of(shelf.awaited[0]), Transaction()
    shelf.maker.dead_letter(transaction, delivered(message))
    assert_refused(transaction, message, "kills_handler: ")


@pytest.mark.parametrize("reason", sorted(UNPROVEN))
def test_nobody_is_told_of_a_message_whose_sender_is_not_known(
    shelf: Shelf, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_heard: object, **_how: object) -> None:
        raise MessageError(reason, "it is not signed as it should be")

    monkeypatch.setattr(shelf.maker.ledger, "decide", refuse)
    transaction = shelf.transaction(delivered(result_of(shelf.awaited[0])))
    assert transaction.counts == {f"quarantined: {reason}": 1}
    assert transaction.receipts == []


def test_nobody_is_told_of_an_unread_message_whose_signature_does_not_hold(shelf: Shelf) -> None:
    transaction = Transaction()
    shelf.maker.dead_letter(transaction, replace(delivered(result_of(shelf.awaited[0])), signature_fault="no such key"))
    assert transaction.receipts == []


def test_a_message_of_a_lab_that_fits_no_rule_is_quarantined_with_the_rule(shelf: Shelf) -> None:
    before = state_of(shelf.campaign)
    rule = "[lab.result.id] `job` finds nothing in the message."
    transaction = shelf.transaction(Delivery("lab/done", b"{}", False, 1, None, mapping_fault=rule))
    assert transaction.verdicts == ["quarantined: unmapped"]
    assert [(each.topic, each.reason, each.detail) for each in transaction.quarantined] == [
        ("lab/done", "unmapped", rule)
    ]
    assert (transaction.receipts, state_of(shelf.campaign)) == ([], before)


def test_every_receipt_says_which_message_it_answers(shelf: Shelf) -> None:
    first, second = shelf.awaited
    told: list[AnyMessage] = [result_of(first), result_of(first), result_of(first, quantity(9.0)), failure_of(second)]
    transaction = shelf.transaction(*(delivered(message) for message in told))
    assert [receipt.answers for receipt in transaction.receipts] == [message.message_id for message in told]
    assert [receipt.status.value for receipt in transaction.receipts] == [
        "accepted", "duplicate", "contradicts", "accepted",
    ]  # fmt: skip


def test_an_order_that_the_broker_kept_is_quarantined_and_one_of_now_is_obeyed(shelf: Shelf) -> None:
    pause = control(ControlAction.PAUSE)
    kept = shelf.transaction(replace(delivered(pause), retain=True))
    assert kept.counts == {"quarantined: stale": 1}
    assert shelf.campaign.phase is Phase.RUNNING
    assert shelf.transaction(delivered(pause)).counts == {"control: carried out": 1}
    again = shelf.transaction(replace(delivered(pause), retain=True))
    assert (again.quarantined, again.counts) == ([], {"control: changes nothing": 1})


def test_who_signed_and_who_asked_stands_in_the_journal(shelf: Shelf) -> None:
    attempt, other = shelf.awaited
    messages: list[AnyMessage] = [
        result_of(attempt), result_of(attempt, quantity(9.0)), failure_of(other),
        control(ControlAction.PAUSE, operator="ada"),
    ]  # fmt: skip
    transaction = shelf.transaction(*(replace(delivered(message), signed_by="somebody") for message in messages))
    signed = [event for event in transaction.events if hasattr(event, "signed_by")]
    assert [type(event) for event in signed] == [ResultAccepted, ResultContradicted, AttemptFailed, CampaignPaused]
    assert {event.signed_by for event in signed} == {"somebody"}
    assert [getattr(event, "operator", None) for event in signed] == [None, None, None, "ada"]


def test_thousands_of_orders_that_change_nothing_do_not_fill_the_journal(shelf: Shelf) -> None:
    before = shelf.campaign.sequence
    done = shelf.transaction(*(delivered(control(ControlAction.RESUME)) for _ in range(5_000)))
    assert shelf.campaign.sequence - before == MAX_CONTROLS_NOTED
    assert done.counts == {"control: changes nothing": 5_000}
    shelf.transaction(delivered(control(ControlAction.PAUSE)), delivered(control(ControlAction.RESUME)))
    assert shelf.campaign.phase is Phase.RUNNING, "orders that change something are obeyed all the same"


@pytest.mark.parametrize("kind", ["bias", "receipt", "request"])
def test_our_own_messages_that_come_back_are_quarantined(shelf: Shelf, kind: str) -> None:
    topic, payload = {
        "bias": lambda: shelf.messages.metrics_report(0, shelf.maker.ledger.meter.point()),
        "receipt": lambda: (
            f"{BASE}/receipt/s-1",
            encode(
                ResultReceipt(
                    campaign="demo", message_id="m", sent_at=NOW, attempt_id="a", simulator="s-1",
                    status=ReceiptStatus.LATE,
                )
            ),
        ),
        "request": lambda: (
            shelf.maker.request(shelf.awaited[0]).topic,
            shelf.maker.request(shelf.awaited[0]).payload,
        ),
    }[kind]()  # fmt: skip
    transaction = shelf.transaction(delivered(topic=topic, payload=payload))
    assert transaction.counts == {"quarantined: wrong_topic": 1}
    assert isinstance(decode(topic, payload), MetricsReport | ResultReceipt | CandidateRequest)


def test_a_status_is_passed_on_and_not_journalled(shelf: Shelf) -> None:
    status = Status(
        campaign="demo", message_id="m", sent_at=NOW, client="simulator-1", role="simulator", health=Health.OFFLINE
    )
    transaction = shelf.transaction(delivered(status))
    assert (transaction.statuses, transaction.events, transaction.counts) == ([status], [], {})


def test_a_control_that_cannot_be_carried_out_is_refused_with_the_reason_and_its_operator_hears_it(
    shelf: Shelf,
) -> None:
    message = control(ControlAction.EXCLUDE_CANDIDATE, "nobody", operator="ada")
    transaction = shelf.transaction(delivered(message))
    assert not transaction.quarantined
    assert transaction.counts == {"control: refused": 1}
    (event,) = transaction.events
    assert isinstance(event, ControlRefused)
    (receipt,) = transaction.control_receipts
    assert (receipt.operator, receipt.status, receipt.answers) == ("ada", ControlStatus.REFUSED, message.message_id)
    assert "not in the pool" in receipt.detail
    assert receipt.row == shelf.campaign.sequence
    again = shelf.transaction(delivered(message))
    assert (again.events, again.control_receipts) == ([], [receipt])


def test_who_is_not_named_gets_no_receipt_of_a_control_and_an_unreadable_one_is_answered_by_its_id(
    shelf: Shelf,
) -> None:
    nameless = shelf.transaction(delivered(control(ControlAction.PAUSE)))
    assert (len(nameless.events), nameless.control_receipts) == (1, [])
    topic = topic_of(control(ControlAction.RESUME, operator="ada"))
    bad = shelf.transaction(delivered(topic=topic, payload=b'{"message_id":"m-x","action":"fly"}'))
    (receipt,) = bad.control_receipts
    assert (receipt.operator, receipt.answers, receipt.status) == ("ada", "m-x", ControlStatus.REFUSED)
    assert receipt.row is None
    foreign = control(ControlAction.RESUME, operator="ada", campaign="other")
    assert not shelf.transaction(delivered(foreign)).control_receipts


def test_controls_are_carried_out_in_the_pool(shelf: Shelf) -> None:
    done = shelf.transaction(delivered(control(ControlAction.EXCLUDE_CANDIDATE, "c020")))
    assert done.counts == {"control: carried out": 1}
    assert shelf.campaign.status_of("c020") is CandidateStatus.EXCLUDED


def test_failure_and_expiry_make_the_next_attempt_in_the_same_step(shelf: Shelf) -> None:
    first, second = shelf.awaited
    transaction = shelf.transaction(delivered(failure_of(first)), DeadlinePassed(second.attempt_id))
    assert [item.attempt_id[-2:] for item in transaction.outbox] == ["a2", "a2"]
    assert RequestExpired(second.attempt_id, second.candidate_id) in transaction.events


def test_an_expiry_of_an_attempt_that_was_answered_in_the_same_step_is_nothing(shelf: Shelf) -> None:
    attempt = shelf.awaited[0]
    transaction = shelf.transaction(delivered(result_of(attempt)), DeadlinePassed(attempt.attempt_id))
    assert not any(isinstance(event, RequestExpired) for event in transaction.events)
    assert shelf.campaign.values[POOL.index_of[attempt.candidate_id]] == value_of(attempt.candidate_id)


def test_a_policy_that_takes_time_is_asked_for_outside_and_its_answer_is_folded_later(tmp_path: Path) -> None:
    store = opened(tmp_path / "campaign.db", POOL)
    shelf = Shelf(store, POOL, PLAN, Deaf())
    transaction = Transaction()
    question = shelf.maker.settle(transaction)
    assert question is not None
    needed = question.needed
    assert (needed.decision, needed.count, transaction.events) == (0, 1, [])
    proposal = first_available(question.context, 1)
    shelf.maker.take(transaction, PolicyAnswer(needed, question.based_on, proposal))
    assert [type(event) for event in transaction.events] == [DecisionMade, RequestIssued]
    stale = Transaction()
    shelf.maker.take(stale, PolicyAnswer(needed, 2, proposal))
    assert stale.events == []
    store.close()


def test_a_commit_carries_all_of_a_step_and_what_the_broker_confirmed(shelf: Shelf) -> None:
    transaction = Transaction()
    for attempt in shelf.awaited:
        shelf.maker.take(transaction, delivered(result_of(attempt)))
    shelf.maker.take(transaction, delivered(topic="somebody/else"))
    shelf.maker.settle(transaction)
    commit = transaction.commit(("x-1",))
    assert commit.events == tuple(transaction.events)
    assert commit.confirmed == ("x-1",)
    assert len(commit.outbox) == len(commit.bias) == 2
    assert commit.counts == (("candidate_result: accepted", 2), ("quarantined: unknown_topic", 1))
    assert not commit.is_empty
    assert Transaction().commit(()).is_empty
