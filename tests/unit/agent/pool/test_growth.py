"""A pool that grows: what is there stays where it is, and what cannot join is named with its fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.base import PoolArrays
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted, DecisionMade, Event, dump_event, load_event
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.growth import NewCandidate, grown, growth_breach
from agent.pool.interventions import Interventions
from agent.store.partial_pool import partial_pool
from protocols.wire.limits import MAX_TEXT_LENGTH
from protocols.wire.structure import CrystalStructure
from tests.support.campaigns import small_plan, small_pool

POOL = small_pool(6)
CRYSTAL = CrystalStructure(
    cell=((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.1, 4.0)), symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.5),)
)
SOUND = NewCandidate("a-new-one", "family-1", (1.0, -2.5, 0.1), "CF4", "FC(F)(F)F", None, "c001", "F in place of H")
OTHER = NewCandidate("another", "family-0", (0.0, 0.0, 1 / 3), "Cu", structure=CRYSTAL)


def joined(*new: NewCandidate) -> Pool:
    assert growth_breach(POOL, new) == ""
    return grown(POOL, new)


def test_what_joins_a_pool_comes_after_all_that_is_there_in_the_order_of_admission() -> None:
    pool = joined(SOUND, OTHER)
    assert pool.candidate_ids == (*POOL.candidate_ids, "a-new-one", "another")
    assert [pool.index_of[each] for each in POOL.candidate_ids] == list(range(6))
    assert np.array_equal(pool.features[:6], POOL.features)
    assert pool.features[6:].tolist() == [list(SOUND.features), list(OTHER.features)]
    assert pool.families == POOL.families
    assert pool.family_codes.tolist() == [*POOL.family_codes, 1, 0]
    assert not pool.features.flags.writeable
    assert len(POOL) == 6


def test_a_member_that_joined_tells_what_it_is_and_how_it_came_about() -> None:
    pool = joined(SOUND, OTHER)
    expected = Candidate("a-new-one", "family-1", "CF4", None, "FC(F)(F)F", "F in place of H")
    assert pool.candidate("a-new-one") == expected
    assert pool.candidate("another").structure == CRYSTAL
    assert (POOL.smiles, pool.smiles) == ((), ("",) * 6 + ("FC(F)(F)F", ""))


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ((replace(SOUND, candidate_id="c003"),), "'c003': it is in the pool already; choose it by its index there, 3"),
        ((SOUND, replace(OTHER, candidate_id="a-new-one")), "'a-new-one': it is there twice"),
        ((replace(SOUND, candidate_id="A New One"),), "'A New One': its id is none"),
        (
            (replace(SOUND, family="family-9"),),
            "family 'family-9' is none of the pool's (family-0, family-1, family-2)",
        ),
        ((replace(SOUND, features=(1.0, 2.0)),), "it has 2 features; expected 3: f0, f1, f2"),
        ((replace(SOUND, features=(1.0, np.nan, 2.0)),), "its feature 'f1' is nan; expected a finite number"),
        ((replace(SOUND, parent="c999"),), "its parent 'c999' is not in the pool"),
        ((replace(SOUND, smiles="C C"),), "its SMILES: String should match"),
        ((replace(SOUND, origin="x" * (MAX_TEXT_LENGTH + 1)),), "its formula or origin has 501 characters"),
    ],
)
def test_what_cannot_join_is_named_with_its_fault(new: tuple[NewCandidate, ...], words: str) -> None:
    assert words in growth_breach(POOL, new)


def test_a_closure_does_not_grow() -> None:
    nothing = np.zeros(6, dtype=np.int64)
    closed = replace(POOL, interventions=Interventions(("x", "y"), 1, nothing, np.zeros(6), np.zeros((3, 2))))
    assert growth_breach(closed, (SOUND,)) == "the pool is a closure of designs or interventions, which does not grow"
    assert growth_breach(closed, ()) == ""


def test_the_journal_keeps_a_new_candidate_whole_to_the_last_bit() -> None:
    made = DecisionMade(0, 1, 2, "mine", "f", ("a-new-one",), (1.0,), "why", added=(SOUND.plain(), OTHER.plain()))
    assert load_event(*dump_event(made)) == made


def test_a_journal_from_before_pools_grew_has_decisions_that_add_nothing() -> None:
    kind, text = dump_event(DecisionMade(0, 1, 2, "mine", "f", ("c001",), (1.0,), "why"))
    event = load_event(kind, text.replace(',"added":[]', ""))
    assert isinstance(event, DecisionMade)
    assert event.added == ()
    started = load_event(*dump_event(CampaignStarted(small_plan(POOL))))
    assert isinstance(started, CampaignStarted)
    assert not started.plan.grows_pool


def test_what_a_run_has_touched_of_its_pool_leaves_the_rest_to_its_journal() -> None:
    made = DecisionMade(0, 1, 2, "mine", "f", ("a-new-one", "c002"), (1.0, None), "why", added=(SOUND,))
    events: list[Event] = [CampaignStarted(small_plan(POOL)), made]
    partial = partial_pool(events, {"c002": "family-2"}, POOL.families, {})
    assert "a-new-one" not in partial.index_of
    assert growth_breach(partial, (SOUND,)) == ""
    pool = grown(partial, (SOUND,))
    assert pool.candidate("a-new-one").family == "family-1"
    assert (pool.is_whole, pool.digest) == (False, POOL.digest)


def test_the_arrays_of_a_grown_pool_are_those_of_the_start_followed_by_what_joined() -> None:
    start, now = pool_arrays(POOL), pool_arrays(joined(SOUND, OTHER))
    again = start.followed_by(now.beyond(len(POOL)))
    assert plain(again) == plain(now)
    assert plain(start.followed_by(start.beyond(len(POOL)))) == plain(start)
    assert again.smiles[6] == "FC(F)(F)F"


def plain(pool: PoolArrays) -> list[object]:
    arrays = [pool.features.tolist(), pool.family_codes.tolist()]
    return [pool.candidate_ids, *arrays, pool.families, pool.feature_names, pool.smiles]


def test_molecules_of_a_pool_keep_their_smiles_when_one_without_joins() -> None:
    molecules = make_pool([Candidate("m-1", "x", "CH4", None, "C")], np.ones((1, 1)), ("f",))
    new = NewCandidate("m-2", "x", (2.0,))
    start, now = pool_arrays(molecules), pool_arrays(grown(molecules, (new,)))
    assert start.followed_by(now.beyond(1)).smiles == now.smiles == ("C", "")
