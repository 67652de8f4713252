"""Which keys a topic asks for: those of who speaks there, or is spoken to alone, and nobody else's."""

from __future__ import annotations

import pytest

from protocols.signing.key_ring import KeyRing, speaker_on
from protocols.wire.topics import parse
from tests.support.samples.keys import RING, key_of

BASE = "entropilot/v1/demo"


@pytest.mark.parametrize(
    ("topic", "speaker", "keys"),
    [
        ("request/furnace", "agent", ["furnace"]),
        ("request/any", "agent", ["simulator-1", "sim-1", "furnace"]),
        ("receipt/furnace", "agent", ["furnace"]),
        ("result/furnace", "furnace", ["furnace"]),
        ("failure/furnace", "furnace", ["furnace"]),
        ("status/furnace", "furnace", ["furnace"]),
        ("status/agent", "agent", ["agent"]),
        ("metrics", "agent", ["agent"]),
        ("control/alice", "alice", ["alice"]),
        ("control", "", []),
        ("control/furnace", "furnace", []),
        ("result/alice", "alice", []),
        ("result/agent", "agent", []),
        ("control/agent", "agent", []),
        ("receipt/any", "agent", []),
        ("receipt/alice", "agent", ["alice"]),
        ("campaign", "agent", ["agent"]),
        ("request/nobody", "agent", []),
    ],
)
def test_a_topic_asks_for_the_keys_of_who_speaks_there_in_that_role(topic: str, speaker: str, keys: list[str]) -> None:
    parsed = parse(f"{BASE}/{topic}")
    assert speaker_on(parsed) == speaker
    assert RING.keys_on(parsed) == {name: key_of(name) for name in keys}


@pytest.mark.parametrize("name", ["furnace", "alice"])
def test_a_part_gets_its_own_key_and_nothing_else(name: str) -> None:
    part = RING.part_of(name)
    assert part.names == {name}
    assert {**part.instruments, **part.operators} == {name: key_of(name)}


def test_who_has_no_key_gets_none() -> None:
    assert RING.part_of("nobody") == KeyRing()
    assert KeyRing().is_empty
    assert not KeyRing().keys_on(parse(f"{BASE}/metrics"))


def test_keys_are_not_shown_where_a_ring_is_printed() -> None:
    assert repr(RING) == str(RING) == "KeyRing()"
