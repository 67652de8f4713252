"""Tests of repeating what was not told."""

from __future__ import annotations

from scenarios.observe.alerts.occurrences import Alert
from scenarios.observe.alerts.outbox import FIRST_PAUSE_S, LONGEST_PAUSE_S, MAX_WAITING, MOST_TRIES, AlertOutbox
from scenarios.observe.alerts.settings import Destination

MAIL = Destination(name="mail", command=("mail",))
ONLY_ENDS = Destination(name="ends", command=("mail",), on=("finished",))


def alert(kind: str = "paused_itself", number: int = 0) -> Alert:
    return Alert(id=str(number), kind=kind, run="r", campaign="c", subject="", words="", since="", figures={})


def test_each_destination_is_told_what_it_wants_and_once() -> None:
    outbox = AlertOutbox()
    outbox.put([alert(), alert("finished")], [MAIL, ONLY_ENDS], 0.0)
    due = list(outbox.due(0.0))
    assert [(each.alert.kind, each.to.name) for each in due] == [
        ("paused_itself", "mail"), ("finished", "mail"), ("finished", "ends"),
    ]  # fmt: skip
    assert list(outbox.due(0.0)) == [], "they are under way"
    for each in due:
        outbox.taken(each)
    assert (outbox.waiting, outbox.wait_s(0.0)) == (0, None)


def test_a_failure_is_repeated_after_longer_and_longer_pauses_and_given_up_in_the_end() -> None:
    outbox, now, pauses = AlertOutbox(), 0.0, []
    outbox.put([alert()], [MAIL], now)
    while outbox.waiting:
        (delivery,) = outbox.due(now)
        if outbox.failed(delivery, now):
            assert list(outbox.due(now)) == []
            pauses.append(outbox.wait_s(now) or 0.0)
            now += pauses[-1]
    assert len(pauses) == MOST_TRIES - 1
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE_S
    assert outbox.given_up == 1


def test_what_has_no_room_is_given_up_and_counted() -> None:
    outbox = AlertOutbox()
    outbox.put([alert(number=number) for number in range(MAX_WAITING + 5)], [MAIL], 0.0)
    assert (outbox.waiting, outbox.given_up) == (MAX_WAITING, 5)


def test_what_was_not_told_before_a_restart_is_told_after_it() -> None:
    before, after = AlertOutbox(), AlertOutbox()
    before.put([alert()], [MAIL, Destination(name="gone", command=("mail",))], 0.0)
    (first, _) = before.due(0.0)
    before.failed(first, 0.0)
    after.resume(before.pending(), [MAIL], 100.0)
    (again,) = after.due(100.0)
    assert (again.alert, again.to, again.tries) == (alert(), MAIL, 1)
