"""Who gets what: nobody before the password, everybody within rights and bounds, and what is dropped is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from scenarios.broker.embedded.limits import (
    MAX_ALL_QUEUED_BYTES,
    MAX_FILTERS,
    MAX_PACKET_BYTES,
    MAX_RETAINED,
    MAX_RETAINED_BYTES,
    MAX_SESSIONS,
)
from scenarios.broker.embedded.packets import Greeting, Message
from scenarios.broker.embedded.router import NotTakenIn, Router
from scenarios.broker.embedded.sessions import Session
from scenarios.broker.embedded.users import Action, User
from scenarios.broker.embedded.writing import REFUSED_FILTER, Refusal

ANN = User("ann", "secret", ((Action.WRITE, "#"), (Action.READ, "#")))
BOB = User("bob", "hidden", ((Action.WRITE, "bob/#"), (Action.READ, "open/#")))


@dataclass(eq=False)
class Wire:
    """A link that notes what it is told."""

    woken: int = 0
    ended: int = 0
    got: list[Message] = field(default_factory=list)

    def wake(self) -> None:
        self.woken += 1

    def hang_up(self) -> None:
        self.ended += 1


@pytest.fixture
def router() -> Router:
    known = {(each.name, each.password.encode()): each for each in (ANN, BOB)}
    return Router(lambda name, password: known.get((name, password)))


def greeting(
    client_id: str = "me", user: User = ANN, *, clean: bool = False, will: Message | None = None, password: str = ""
) -> Greeting:
    return Greeting(client_id, clean, 15, will, user.name, (password or user.password).encode())


def come(router: Router, client_id: str, *filters: str, user: User = ANN, clean: bool = False) -> tuple[Session, Wire]:
    wire = Wire()
    session, _ = router.take_in(greeting(client_id, user, clean=clean), wire)
    router.subscribe(session, tuple((each, 1) for each in filters))
    return session, wire


def got(session: Session) -> list[bytes]:
    taken = []
    while (each := session.next_outgoing()) is not None:
        taken.append(each.message.payload)
        session.acknowledge(each.number)
    return taken


def refused(router: Router, said: Greeting, *, is_full: bool = False) -> Refusal:
    with pytest.raises(NotTakenIn) as caught:
        router.take_in(said, Wire(), is_full=is_full)
    return caught.value.why


def test_a_stranger_changes_nothing_of_a_client_whose_id_it_gives(router: Router) -> None:
    """Else whoever knows an id could end its connection, take its subscriptions, or speak by its last will."""
    session, wire = come(router, "agent", "a/#")
    for clean in (True, False):
        forged = greeting("agent", password="wrong", clean=clean, will=Message("a/b", b"forged", 1))
        assert refused(router, forged) is Refusal.NOT_AUTHORISED
    assert wire.ended == 0
    router.publish(session, Message("a/b", b"true", 1))
    assert got(session) == [b"true"]
    router.leave(session, wire, says_goodbye=False)
    again, present = router.take_in(greeting("agent"), Wire())
    assert present
    assert got(again) == []
    assert router.counts["refused"] == 2


def test_another_user_does_not_get_the_id_of_a_client(router: Router) -> None:
    session, wire = come(router, "agent")
    assert refused(router, greeting("agent", BOB)) is Refusal.CLIENT_ID
    router.leave(session, wire, says_goodbye=True)
    assert refused(router, greeting("agent", BOB)) is Refusal.CLIENT_ID


def test_a_last_will_beyond_ones_rights_is_refused_at_the_door(router: Router) -> None:
    assert refused(router, greeting("b", BOB, will=Message("ann/x", b"", 1))) is Refusal.NOT_AUTHORISED
    router.take_in(greeting("b", BOB, will=Message("bob/x", b"", 1)), Wire())


def test_a_client_without_an_id_is_a_clean_one(router: Router) -> None:
    assert refused(router, greeting("", clean=False)) is Refusal.CLIENT_ID
    first, _ = router.take_in(greeting("", clean=True), one := Wire())
    second, _ = router.take_in(greeting("", clean=True), Wire())
    assert first is not second
    assert one.ended == 0


def test_rights_hold_for_what_is_said_and_for_what_is_heard(router: Router) -> None:
    ann, _ = come(router, "a", "#")
    bob, _ = come(router, "b", "#", user=BOB)
    router.publish(bob, Message("open/x", b"not bob's to say", 1))
    router.publish(bob, Message("bob/x", b"said", 1, retain=True))
    router.publish(ann, Message("open/y", b"heard", 1, retain=True))
    assert got(ann) == [b"said", b"heard"]
    assert got(bob) == [b"heard"]
    late, _ = come(router, "b2", "#", user=BOB)
    assert got(late) == [b"heard"]
    assert router.counts["messages refused"] == 1


def test_a_last_will_is_said_unless_the_client_says_goodbye_or_comes_again(router: Router) -> None:
    ann, _ = come(router, "a", "w")
    for says_goodbye, heard in ((True, []), (False, [b"gone"])):
        session, _ = router.take_in(greeting("b", will=Message("w", b"gone", 1)), wire := Wire())
        router.leave(session, wire, says_goodbye=says_goodbye)
        assert got(ann) == heard
    first, _ = router.take_in(greeting("b", will=Message("w", b"first", 1)), old := Wire())
    router.take_in(greeting("b"), Wire())
    assert old.ended
    assert got(ann) == [b"first"]
    router.leave(first, old, says_goodbye=False)  # the old connection notices late
    assert got(ann) == []


def test_a_kept_session_finds_what_came_meanwhile_and_a_clean_one_begins_afresh(router: Router) -> None:
    kept, wire = come(router, "k", "x")
    clean, other = come(router, "c", "x", clean=True)
    router.leave(kept, wire, says_goodbye=True)
    router.leave(clean, other, says_goodbye=True)
    sender, _ = come(router, "s")
    router.publish(sender, Message("x", b"1", 1))
    router.publish(sender, Message("x", b"0", 0))
    again, present = router.take_in(greeting("k"), Wire())
    assert (present, got(again)) == (True, [b"1"])
    _, present = router.take_in(greeting("c", clean=True), Wire())
    assert not present
    fresh, present = router.take_in(greeting("k", clean=True), Wire())
    assert not present
    router.publish(sender, Message("x", b"2", 1))
    assert got(fresh) == []


def test_a_shared_subscription_gives_to_one_member_and_to_those_who_are_here_first(router: Router) -> None:
    members = [come(router, name, "$share/g/x") for name in ("a", "b", "c")]
    router.leave(*members[0], says_goodbye=True)
    for _ in range(6):
        router.publish(members[1][0], Message("x", b"x", 1))
    assert [len(got(session)) for session, _ in members] == [0, 3, 3]


def test_what_is_retained_is_the_last_word_of_a_topic_and_is_bounded(router: Router) -> None:
    sender, _ = come(router, "s")
    for number in range(MAX_RETAINED + 5):
        router.publish(sender, Message(f"t/{number}", b"x", 1, retain=True))
    assert router.counts["messages not retained"] == 5
    router.publish(sender, Message("t/0", b"", 1, retain=True))
    router.publish(sender, Message("t/1", b"new", 1, retain=True))
    heard, _ = come(router, "h", "t/0", "t/1", f"t/{MAX_RETAINED}")
    assert got(heard) == [b"new"]


def test_large_retained_messages_are_bounded_by_their_bytes(router: Router) -> None:
    sender, _ = come(router, "s")
    large = b"x" * MAX_PACKET_BYTES
    for number in range(100):
        router.publish(sender, Message(f"t/{number}", large, 0, retain=True))
    assert router.counts["messages not retained"] >= 100 - MAX_RETAINED_BYTES // len(large)


def test_subscriptions_of_one_client_are_bounded(router: Router) -> None:
    session, _ = come(router, "s", *(f"f/{number}" for number in range(MAX_FILTERS)))
    assert router.subscribe(session, (("one more", 1), ("f/1", 2))) == (REFUSED_FILTER, 1)
    router.unsubscribe(session, (("f/1", 0), ("never there", 0)))
    assert router.subscribe(session, (("one more", 0),)) == (0,)


def test_who_has_been_away_for_longest_is_forgotten_first_and_nobody_who_is_here(router: Router) -> None:
    here, _ = come(router, "here", "x")
    for number in range(MAX_SESSIONS):
        session, wire = come(router, f"away-{number}")
        router.leave(session, wire, says_goodbye=True)
    assert router.counts["clients forgotten"] == 1
    assert not router.take_in(greeting("away-0"), Wire())[1]
    assert router.take_in(greeting("away-2"), Wire())[1]
    router.publish(here, Message("x", b"still here", 1))
    assert got(here) == [b"still here"]


def test_all_that_waits_is_bounded_and_the_client_for_whom_most_waits_loses_first(router: Router) -> None:
    idle = [come(router, f"idle-{number}", "flood")[0] for number in range(5)]
    good, _ = come(router, "good", "word")
    sender, _ = come(router, "s")
    router.publish(sender, Message("word", b"first", 1))
    for _ in range(100):
        router.publish(sender, Message("flood", b"x" * MAX_PACKET_BYTES, 1))
    router.publish(sender, Message("word", b"second", 1))
    assert router.waiting.all_bytes <= MAX_ALL_QUEUED_BYTES
    assert got(good) == [b"first", b"second"]
    assert router.counts["messages dropped"] > 0
    assert all(got(session) for session in idle)
    assert router.waiting.all_bytes == 0


def test_memory_is_given_back_when_a_client_is_forgotten(router: Router) -> None:
    sender, _ = come(router, "s")
    kept, wire = come(router, "kept", "x")
    clean, other = come(router, "clean", "x", clean=True)
    router.publish(sender, Message("x", b"x" * 1000, 1))
    assert router.waiting.all_bytes == kept.waiting_bytes + clean.waiting_bytes > 2000
    router.leave(clean, other, says_goodbye=True)
    router.leave(kept, wire, says_goodbye=True)
    assert router.waiting.all_bytes == kept.waiting_bytes > 1000
    come(router, "kept", clean=True)
    assert router.waiting.all_bytes == 0


def test_where_all_is_full_a_client_takes_the_place_of_its_earlier_connection_alone(router: Router) -> None:
    _, wire = come(router, "a")
    assert refused(router, greeting("b"), is_full=True) is Refusal.UNAVAILABLE
    router.take_in(greeting("a"), Wire(), is_full=True)
    assert wire.ended
