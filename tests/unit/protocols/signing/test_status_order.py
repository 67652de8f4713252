"""A signed status that somebody sends again tells nothing, and a last will of a later connection does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from protocols.signing import status_order as module
from protocols.signing.status_order import CLOCKS_DIFFER_BY, StatusOrder
from protocols.wire.messages import Health, Status

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def status(health: Health, at: float, client: str = "furnace", instance: str | None = None) -> Status:
    """A status of so many seconds after noon."""
    return Status(
        campaign="demo",
        message_id="m",
        sent_at=NOON + at * SECOND,
        client=client,
        role="agent" if client == "agent" else "simulator",
        health=health,
        instance=instance,
    )


def online(at: float) -> Status:
    return status(Health.ONLINE, at)


def gone(at: float) -> Status:
    return status(Health.OFFLINE, at)


def test_a_status_that_comes_again_is_not_new_whatever_came_between() -> None:
    order = StatusOrder()
    heard = [online(1), gone(0), online(40), gone(39), online(60)]
    assert all(order.is_new(each) for each in heard)
    assert not any(order.is_new(each) for each in heard)


def test_a_last_will_is_heard_although_it_was_made_before_what_was_said_since() -> None:
    order = StatusOrder()
    assert [order.is_new(each) for each in (online(1), online(31), online(61), gone(0.5), online(90))] == [True] * 5


def test_an_old_word_that_was_never_heard_is_not_new_beside_a_later_one() -> None:
    order = StatusOrder()
    assert order.is_new(online(100))
    assert not order.is_new(online(99))
    assert order.is_new(gone(100))
    assert not order.is_new(gone(-1000))


def test_clients_are_apart() -> None:
    order = StatusOrder()
    assert order.is_new(online(100))
    assert order.is_new(status(Health.ONLINE, 1, client="kiln"))


def test_another_agent_of_long_ago_is_not_taken_for_one_that_is_there() -> None:
    order = StatusOrder(("agent", "ours"), began=NOON)
    long_ago = -CLOCKS_DIFFER_BY.total_seconds() - 1
    assert not order.is_new(status(Health.ONLINE, long_ago, "agent", "theirs"))
    assert order.is_new(status(Health.ONLINE, 1, "agent", "theirs"))
    assert order.is_new(status(Health.ONLINE, 0.5, "agent", "ours")), "each has an order of its own"
    assert not order.is_new(status(Health.ONLINE, 1, "agent", "theirs"))


def test_an_instrument_keeps_its_order_when_it_gets_another_memory() -> None:
    order = StatusOrder(("agent", "ours"), began=NOON)
    assert order.is_new(status(Health.ONLINE, 10, instance="second"))
    assert not order.is_new(status(Health.ONLINE, 9, instance="first"))


def test_what_is_remembered_is_bounded() -> None:
    order = StatusOrder()
    for number in range(module.MAX_CLIENTS + 10):
        assert order.is_new(status(Health.ONLINE, 1, client=f"c{number}"))
    assert len(order._latest) == module.MAX_CLIENTS
