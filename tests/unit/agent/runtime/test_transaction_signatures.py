"""What is not signed by who it says changes nothing where signatures are required, and a fault never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.campaign.events import AttemptFailed, ResultAccepted
from agent.runtime.transaction import Transaction, TransactionBuilder
from protocols.link.transport import Delivery
from protocols.signing.status_order import StatusOrder
from protocols.wire.messages import ControlAction, Health, Status
from tests.support.campaigns import NOW, control, failure_of, result_of, small_plan, small_pool, state_of
from tests.support.stored_campaigns import Deaf, Shelf, delivered, opened

POOL = small_pool(24)


@pytest.fixture(params=[True, False], ids=["required", "not required"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    store = opened(tmp_path / "campaign.db", POOL)
    yield Shelf(store, POOL, small_plan(POOL, budget=8, require_signatures=request.param))
    store.close()


def test_who_signed_a_result_or_a_failure_is_journalled_with_it(shelf: Shelf) -> None:
    first = shelf.transaction(replace(delivered(failure_of(shelf.awaited[0])), signed_by="simulator-1"))
    second = shelf.transaction(replace(delivered(result_of(shelf.awaited[0])), signed_by="simulator-1"))
    told = [event for event in (*first.events, *second.events) if isinstance(event, AttemptFailed | ResultAccepted)]
    assert [event.signed_by for event in told] == ["simulator-1", "simulator-1"]


def test_a_fault_is_quarantined_with_its_reason_and_changes_nothing(shelf: Shelf) -> None:
    before = state_of(shelf.campaign)
    status = Status(
        campaign="demo", message_id="m", sent_at=NOW, client="simulator-1", role="simulator", health=Health.OFFLINE
    )
    messages = (result_of(shelf.awaited[0]), failure_of(shelf.awaited[0]), control(ControlAction.STOP), status)
    forged = [replace(delivered(each), signature_fault="another key") for each in messages]
    transaction = shelf.transaction(*forged)
    assert_refused(transaction, "wrong_signature", len(forged))
    assert transaction.quarantined[0].detail == "another key."
    assert state_of(shelf.campaign) == before


def test_what_is_not_signed_is_quarantined_where_signatures_are_required_and_taken_elsewhere(shelf: Shelf) -> None:
    before = state_of(shelf.campaign)
    transaction = shelf.transaction(delivered(result_of(shelf.awaited[0])), delivered(control(ControlAction.PAUSE)))
    if shelf.campaign.plan.require_signatures:
        assert_refused(transaction, "unsigned", 2)
        assert state_of(shelf.campaign) == before
    else:
        assert [event.signed_by for event in transaction.events if isinstance(event, ResultAccepted)] == [""]


def test_a_signed_status_that_is_sent_again_is_counted_and_told_to_nobody(shelf: Shelf) -> None:
    order = StatusOrder()
    maker = TransactionBuilder(
        shelf.maker.ledger, policy_runner=Deaf(), make_request=shelf.messages.request, status_order=order
    )
    status = Status(
        campaign="demo", message_id="m", sent_at=NOW, client="simulator-1", role="simulator", health=Health.OFFLINE
    )
    transaction = Transaction()
    for _ in range(3):
        maker.take(transaction, replace(delivered(status), signed_by="simulator-1"))
    assert transaction.statuses == [status]
    assert transaction.counts == {"status: sent again": 2}


def test_that_a_status_is_removed_says_nothing_and_needs_no_signature(shelf: Shelf) -> None:
    removed = Delivery("entropilot/v1/demo/status/simulator-1", b"", retain=False, qos=1, ack_token=None)
    transaction = shelf.transaction(removed)
    assert transaction.counts == {"status: removed": 1}
    assert (transaction.quarantined, transaction.events, transaction.statuses) == ([], [], [])
    assert transaction.deliveries == [removed], "it is acknowledged"


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_is_off_by_hours_makes_no_difference_to_a_signed_result(shelf: Shelf, hours: int) -> None:
    result = result_of(shelf.awaited[0])
    off = result.model_copy(update={"sent_at": result.sent_at + timedelta(hours=hours)})
    transaction = shelf.transaction(replace(delivered(off), signed_by="simulator-1"))
    assert [event.signed_by for event in transaction.events if isinstance(event, ResultAccepted)] == ["simulator-1"]


def assert_refused(transaction: Transaction, reason: str, count: int) -> None:
    """Nobody is told of it either: whom it is from is not known."""
    assert [each.reason for each in transaction.quarantined] == [reason] * count
    assert transaction.counts == {f"quarantined: {reason}": count}
    assert (transaction.events, transaction.receipts, transaction.statuses) == ([], [], [])
    assert len(transaction.deliveries) == count
