"""The policy "molecule_edits": it measures edits of what it knows, and what it chooses joins the pool."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.causal.exploiting import ExpectedImprovement
from agent.acquisition.molecules.molecule_edits import SCORES, MoleculeEdits
from agent.acquisition.registry import make_policies, make_policy
from agent.campaign.context import make_context
from agent.campaign.contract import proposal_breach
from agent.campaign.events import CampaignFinished, DecisionMade
from protocols.errors import SettingsError
from protocols.extras import ExtraMissingError
from tests.support.campaigns import Play, refold, state_of
from tests.support.samples.molecule_pools import edited, known_all, molecule_pool
from tests.support.samples.molecules import hide, needs_rdkit

GROUPS = {"F": "F", "OH": "O"}


def policy(**options: Any) -> MoleculeEdits:
    return MoleculeEdits(**{"groups": GROUPS, "start": 0, **options})


def context_of(play: Play) -> AcquisitionContext:
    return make_context(play.campaign, play.arrays)


def to_the_end(play: Play, **options: Any) -> Play:
    play.propose = policy(**options).propose
    play.settle()
    while play.awaited:
        play.answer(play.awaited[0])
    return play


@needs_rdkit
@pytest.mark.parametrize("score", SCORES)
def test_a_campaign_measures_what_was_not_in_the_pool_and_every_fold_makes_the_same(score: str) -> None:
    pool = molecule_pool()
    play = to_the_end(edited(pool, known_all(pool), budget=5, parallel=2), score=score, threshold=2.0)
    made = play.of_kind(DecisionMade)
    assert len(made) == 5
    assert play.of_kind(CampaignFinished)[0].reason == "the budget is spent"
    for each in made:
        (chosen,) = each.candidate_ids
        assert chosen not in pool.index_of
        assert play.campaign.pool.candidate(chosen).smiles
    assert state_of(refold(pool, play.journal)) == state_of(play.campaign)
    again = to_the_end(edited(pool, known_all(pool), budget=5, parallel=2), score=score, threshold=2.0)
    assert again.of_kind(DecisionMade) == made


@needs_rdkit
def test_a_policy_that_lived_through_and_a_fresh_one_propose_the_same() -> None:
    pool = molecule_pool()
    play = to_the_end(edited(pool, known_all(pool), budget=4))
    old = policy()
    for context in play.contexts:
        assert old.propose(context, 2) == policy().propose(context, 2)


@needs_rdkit
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_proposal_keeps_the_contract_with_its_runner_up(count: int) -> None:
    pool = molecule_pool()
    play = edited(pool, (0, 1), parallel=3, batch=3)
    answer = policy().propose(context_of(play), count)
    assert len(answer.choices) == count
    assert proposal_breach(play.campaign, count, answer) == ""


@needs_rdkit
def test_the_best_known_molecules_are_edited_and_with_the_score_random_any() -> None:
    pool = molecule_pool(("C", "CO", "C=O", "CC"))
    play = edited(pool, known_all(pool))
    context = context_of(play)
    best = pool.candidate_ids[int(context.observed[context.values.argmax()])]
    greedy = [policy(parents=1).propose(seeded(context, seed), 1) for seed in range(8)]
    drawn = [policy(parents=1, score="random").propose(seeded(context, seed), 1) for seed in range(8)]
    assert parents_of(greedy) == {best}
    assert len(parents_of(drawn)) > 1


def seeded(context: AcquisitionContext, seed: int) -> AcquisitionContext:
    return dataclasses.replace(context, seed=seed)


def parents_of(answers: list[Proposal]) -> set[str]:
    return {answer.new_candidates[0].parent for answer in answers}


@needs_rdkit
def test_offers_and_the_pool_are_scored_alike() -> None:
    """The choice is that of the scoring policy on a pool that has the offers already."""
    pool = molecule_pool(("C", "CO", "C=O", "CC", "CN"))
    play = to_the_end(edited(pool, (0, 1, 2), budget=6), parents=2)
    grown = play.campaign.pool
    chosen = [each.candidate_ids[0] for each in play.of_kind(DecisionMade)]
    assert set(chosen) & set(pool.candidate_ids), "something of the pool was chosen too"
    assert set(chosen) - set(pool.candidate_ids)
    assert len(grown) > len(pool)
    context = play.contexts[0]
    answer = policy(parents=2, heavy_atoms=1).propose(context, 1)  # no offers
    expected = ExpectedImprovement(start=0).propose(context, 1)
    assert [each.index for each in answer.choices] == [each.index for each in expected.choices]
    assert answer.new_candidates == ()


@needs_rdkit
def test_it_says_what_was_changed_and_why() -> None:
    pool = molecule_pool()
    answer = policy().propose(context_of(edited(pool, known_all(pool))), 1)
    (choice, *_), new = answer.choices, answer.new_candidates
    assert answer.reason.startswith(f"{new[choice.index - len(pool)].origin}; expected to improve on ")
    assert answer.details["predicted_std"] > 0
    assert answer.target_family is None


@needs_rdkit
def test_the_first_values_are_drawn_from_pool_and_offers() -> None:
    pool = molecule_pool()
    context = context_of(edited(pool, ()))
    answers = [policy(start=3).propose(seeded(context, seed), 1) for seed in range(6)]
    assert all("drawn at random, number 1 of 3" in answer.reason for answer in answers)
    assert {bool(answer.new_candidates) for answer in answers} == {True, False}


@needs_rdkit
def test_it_ends_with_its_reason_where_nothing_is_left() -> None:
    pool = molecule_pool(("C", "CO"))
    play = to_the_end(edited(pool, known_all(pool), budget=9), groups={"F": "F"}, heavy_atoms=2)
    chosen = {play.campaign.pool.candidate(each.candidate_ids[0]).smiles for each in play.of_kind(DecisionMade)}
    assert chosen == {"CF"}
    reason = play.of_kind(CampaignFinished)[0].reason
    assert reason.endswith("no admissible edit is left, nor a candidate of the pool")


@needs_rdkit
def test_its_metrics_are_what_was_found() -> None:
    pool = molecule_pool()
    mine = policy(threshold=1.0)
    arrays = context_of(edited(pool, ())).pool
    meter = mine.meter(arrays, ("dipole_moment",))
    meter.add(99, 2.5)
    names = [metric.name for metric in mine.metrics("D", arrays)]
    assert dict(zip(names, meter.values(), strict=True)) == {"largest": 2.5, "hits": 1.0}


@needs_rdkit
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"score": "best"}, "The policy option score is 'best'. Expected: one of expected_improvement, probab"),
        ({"parents": 0}, "The policy option parents is 0"),
        ({"heavy_atoms": 61}, "The policy option heavy_atoms is 61. Expected: at most 60"),
        ({"threshold": "high"}, "The policy option threshold is 'high'"),
        ({"groups": {"X": "[Na]"}}, "The group 'X' is written"),
        ({"groups": ["F", "OH"]}, "The policy option groups is ['F', 'OH']. Expected: names and SMILES"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(options: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as told:
        make_policy("molecule_edits", options)
    assert words in str(told.value)


def test_without_the_extra_a_campaign_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "rdkit")
    with pytest.raises(ExtraMissingError, match=r"rdkit is not installed.*pip install 'entropilot\[molecules\]'"):
        make_policies("molecule_edits", {})


@needs_rdkit
def test_ties_of_values_fall_to_the_lowest_index() -> None:
    pool = molecule_pool(("C", "CO", "CC"))
    context = dataclasses.replace(context_of(edited(pool, known_all(pool))), values=np.ones(3))
    answer = policy(parents=1, heavy_atoms=4).propose(context, 1)
    assert answer.new_candidates[0].parent == pool.candidate_ids[0]
