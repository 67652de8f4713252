"""What an instrument announces is journalled where it differs from what is known, and could change who is asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.campaign.decide import decide_message
from agent.campaign.events import InstrumentAnnounced
from agent.campaign.lab.announcements import MAX_ANNOUNCED_AHEAD
from agent.campaign.life_cycle import Phase
from protocols.errors import MessageError
from protocols.wire.topics import EVERY_CAMPAIGN
from tests.support.campaigns import Play, small_plan, small_pool
from tests.support.labs.timed_lab import NOW, announce, announcement
from tests.support.samples.mapped_pools import in_files

POOL = small_pool()


def campaign(*recipients: str) -> Play:
    return Play(POOL, small_plan(POOL, recipients=recipients))


def announced(game: Play) -> list[tuple[str, int]]:
    return [(each.instrument, each.abilities.slots) for each in game.of_kind(InstrumentAnnounced)]


def test_what_is_known_is_journalled_once_and_what_changes_again() -> None:
    game = campaign("a", "b")
    for slots in (2, 2, 3, 2):
        announce(game, "a", slots=slots)
    assert announced(game) == [("a", 2), ("a", 3), ("a", 2)]
    assert game.campaign.lab.announced["a"].slots == 2


def test_the_word_of_one_that_serves_every_campaign_counts_for_this_one() -> None:
    game = campaign("a", "b")
    announce(game, "b", campaign=EVERY_CAMPAIGN, slots=7)
    assert announced(game) == [("b", 7)]
    with pytest.raises(MessageError, match="another"):
        decide_message(game.campaign, announcement("a", campaign="another"))


@pytest.mark.parametrize("recipients", [("a", "b"), ("any",), ("any", "stranger")])
def test_a_stranger_changes_nothing_nor_does_anybody_where_the_broker_deals(recipients: tuple[str, ...]) -> None:
    game = campaign(*recipients)
    announce(game, "stranger", slots=9)
    assert not game.of_kind(InstrumentAnnounced)


@pytest.mark.parametrize(
    ("fields", "matters"),
    [
        ({"slots": 4}, False),
        ({"properties": ({"name": "formation_energy", "unit": "eV/atom"},)}, False),
        ({"properties": ({"name": "volume", "unit": "Å^3"},)}, True),
        ({"parameters": ({"name": "f1", "low": -99.0, "high": 99.0},)}, False),
        ({"parameters": ({"name": "f1", "low": 0.0, "high": 0.1},)}, True),
    ],
)
def test_of_one_instrument_alone_only_what_it_cannot_do_matters(fields: dict[str, Any], *, matters: bool) -> None:
    game = campaign("a")
    announce(game, "a", **fields)
    assert bool(game.of_kind(InstrumentAnnounced)) is matters


@pytest.mark.parametrize(
    ("fields", "matters"),
    [
        ({"slots": 4}, False),
        ({"properties": ({"name": "volume", "unit": "Å^3"},)}, True),
        ({"parameters": ({"name": "f1", "low": -99.0, "high": 99.0},)}, True),
        ({"parameters": ({"name": "other", "low": 0.0, "high": 0.1},)}, False),
    ],
)
def test_of_a_pool_in_files_one_candidate_stands_for_all_unless_a_feature_is_set(
    tmp_path: Path, fields: dict[str, Any], *, matters: bool
) -> None:
    """Nobody looks at ten million of them: where they may differ, the announcement is journalled."""
    pool = in_files(POOL, tmp_path)
    game = Play(pool, small_plan(pool, recipients=("a",)))
    announce(game, "a", **fields)
    assert bool(game.of_kind(InstrumentAnnounced)) is matters


def test_one_that_could_not_and_now_can_is_journalled_as_well() -> None:
    game = campaign("a")
    announce(game, "a", fidelities=())
    announce(game, "a", properties=({"name": "volume", "unit": "Å^3"},))
    announce(game, "a")
    assert len(game.of_kind(InstrumentAnnounced)) == 2


def test_whoever_changes_it_for_ever_does_not_fill_the_journal() -> None:
    game = campaign("a", "b")
    for slots in range(1, 3 * MAX_ANNOUNCED_AHEAD):
        announce(game, "a", slots=slots)
    assert len(announced(game)) == MAX_ANNOUNCED_AHEAD


@pytest.mark.parametrize(("signed_by", "believed"), [("a", 2), ("", 1)])
def test_a_genuine_word_of_before_that_is_sent_again_changes_nothing(signed_by: str, believed: int) -> None:
    game = campaign("a", "b")
    for slots, at_s in ((1, 0.0), (2, 60.0), (1, 0.0)):
        announce(game, "a", signed_by=signed_by, slots=slots, sent_at=NOW + timedelta(seconds=at_s))
    assert game.campaign.lab.announced["a"].slots == believed


def test_nothing_is_journalled_of_a_campaign_that_is_over() -> None:
    game = campaign("a", "b")
    game.settle()
    while game.awaited:
        game.answer(game.awaited[0])
    assert game.campaign.phase is Phase.FINISHED
    announce(game, "a")
    assert not game.of_kind(InstrumentAnnounced)
