"""What waits for one client is sent in order, again after a new connection, and never grows beyond its bounds."""

from __future__ import annotations

import pytest

from scenarios.broker.embedded.limits import (
    MAX_HALF_DONE,
    MAX_PACKET_BYTES,
    MAX_QUEUED,
    MAX_QUEUED_BYTES,
    MAX_UNACKNOWLEDGED,
)
from scenarios.broker.embedded.packets import Message
from scenarios.broker.embedded.sessions import LAST_NUMBER, Session


class Wire:
    """A link that counts what it is told."""

    def __init__(self) -> None:
        self.woken = self.ended = 0

    def wake(self) -> None:
        self.woken += 1

    def hang_up(self) -> None:
        self.ended += 1


@pytest.fixture
def session() -> Session:
    made = Session("me", "ann", is_clean=False)
    made.link = Wire()
    return made


def message(payload: bytes = b"x", qos: int = 1) -> Message:
    return Message("a", payload, qos)


def sent(session: Session) -> list[bytes]:
    out = []
    while (each := session.next_outgoing()) is not None:
        out.append(each.message.payload)
    return out


def test_messages_are_sent_in_order_and_no_more_than_the_client_may_hold(session: Session) -> None:
    payloads = [b"%d" % number for number in range(MAX_UNACKNOWLEDGED + 2)]
    for each in payloads:
        session.add(message(each))
    assert sent(session) == payloads[:MAX_UNACKNOWLEDGED]
    session.acknowledge(1)
    assert sent(session) == [payloads[MAX_UNACKNOWLEDGED]]


def test_what_was_not_acknowledged_is_sent_again_in_order_under_its_number(session: Session) -> None:
    for payload in (b"1", b"2", b"3"):
        session.add(message(payload))
    numbers = [session.next_outgoing() for _ in range(3)]
    session.acknowledge(2)
    session.begin_again()
    again = [session.next_outgoing(), session.next_outgoing()]
    assert [(each.number, each.message.payload, each.again) for each in again if each] == [
        (1, b"1", True),
        (3, b"3", True),
    ]
    assert numbers[0] is not None
    assert session.next_outgoing() is None


def test_memory_is_given_back_with_every_acknowledgement_and_every_message_of_quality_zero(session: Session) -> None:
    session.add(message(qos=0))
    session.add(message(qos=1))
    assert session.waiting_bytes == 2 * message().cost
    assert len(sent(session)) == 2
    assert session.waiting_bytes == message().cost
    session.acknowledge(1)
    session.acknowledge(1)
    session.acknowledge(77)
    assert session.waiting_bytes == 0


def test_a_client_that_is_away_keeps_what_is_to_be_confirmed_and_a_clean_one_nothing(session: Session) -> None:
    assert session.takes(message(qos=0))
    session.link = None
    assert not session.takes(message(qos=0))
    assert session.takes(message(qos=1))
    session.is_clean = True
    assert not session.takes(message(qos=1))


def test_neither_many_small_nor_few_large_messages_wait_beyond_the_bounds(session: Session) -> None:
    small, number = message(b""), 0
    while session.takes(small):
        session.add(small)
        number += 1
    assert number == MAX_QUEUED
    assert session.waiting_bytes <= MAX_QUEUED_BYTES
    while session.drop_oldest():
        pass
    assert session.waiting_bytes == 0
    large = message(b"x" * MAX_PACKET_BYTES)
    while session.takes(large):
        session.add(large)
    assert MAX_QUEUED_BYTES - large.cost < session.waiting_bytes <= MAX_QUEUED_BYTES


def test_numbers_begin_again_and_pass_over_those_in_use(session: Session) -> None:
    session.add(message(b"stays"))
    assert session.next_outgoing() is not None
    for _ in range(LAST_NUMBER):
        session.add(message())
        outgoing = session.next_outgoing()
        assert outgoing is not None
        assert outgoing.number != 1
        session.acknowledge(outgoing.number)


def test_messages_that_were_begun_are_bounded(session: Session) -> None:
    assert all(session.begin_half(number) for number in range(1, MAX_HALF_DONE + 1))
    assert not session.begin_half(MAX_HALF_DONE + 1)


def test_the_best_quality_that_was_asked_for_a_topic_counts_and_shared_filters_do_not(session: Session) -> None:
    session.filters = {"a/#": 0, "a/b": 1, "$share/g/a/+": 1}
    assert session.quality_of("a/b") == 1
    assert session.quality_of("a/c") == 0
    assert session.quality_of("b") is None
    assert session.shares("a/c") == ["$share/g/a/+"]
    session.filters = {"$share/": 1, "$share/g": 1}
    assert session.shares("a") == []
