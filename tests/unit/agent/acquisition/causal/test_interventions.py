"""Interventions in a system of equations: the policy asks for what is least known, in both signs, and ends in time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, PoolArrays
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.interventions import InterventionMeter
from agent.campaign.context import pool_arrays
from agent.entropy.target_properties import TargetProperty
from protocols.errors import SettingsError
from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModelSettings

SETTINGS = StructuralModelSettings(
    variables=("a", "b", "c", "y"),
    target="y",
    edges=(("a", "b", 0.8), ("b", "c", 0.9), ("a", "y", 0.6), ("c", "y", -1.0)),
    hidden={"b": 1.0, "y": 1.0},
    repeats=20,
)
POOL, VALUES = make_structural_bed(SETTINGS)
ARRAYS = pool_arrays(POOL)
PROPERTIES = ("y", "a", "b", "c")
TARGETS = tuple(TargetProperty(name, weight=0.25) for name in PROPERTIES)


def context(observed: list[int], pending: list[int] | None = None, pool: PoolArrays = ARRAYS) -> AcquisitionContext:
    known = np.array(sorted(observed), dtype=np.int64)
    asked = np.array(sorted(pending or []), dtype=np.int64)
    return AcquisitionContext(
        pool=pool,
        observed=known,
        values=VALUES["y"][known],
        acquired=known,
        pending=asked,
        available=np.setdiff1d(np.arange(len(POOL)), np.concatenate((known, asked))),
        decision=0,
        seed=1,
        additional=np.column_stack([VALUES[name][known] for name in PROPERTIES[1:]]),
        targets=TARGETS,
    )


def chosen(*observed: int, count: int = 1, pending: list[int] | None = None, **options: Any) -> list[int]:
    proposal = Causal(**({"width": 0.0} | options)).propose(context(list(observed), pending), count)
    return [choice.index for choice in proposal.choices]


def test_both_signs_of_a_variable_are_asked_for_in_turn() -> None:
    bed = POOL.interventions
    assert bed is not None
    asked = chosen(count=24)
    for variable in range(3):
        signs = [np.sign(bed.value[index]) for index in asked if bed.variable[index] == variable]
        assert abs(sum(signs)) <= 1


def test_what_is_in_flight_is_not_asked_for_again_and_counts_as_known() -> None:
    first = chosen(count=6)
    assert len(set(first)) == 6
    assert chosen(count=3) + chosen(count=3, pending=first[:3]) == first


def test_the_same_context_gives_the_same_choice_whatever_was_asked_before() -> None:
    policy = Causal(width=0.0)
    for observed in ([], [0, 5, 9], list(range(30))):
        assert policy.propose(context(observed), 4) == Causal(width=0.0).propose(context(observed), 4)


def test_it_ends_when_all_effects_are_known_to_the_width_and_says_so() -> None:
    half = list(range(0, len(POOL), 2))
    proposal = Causal(width=10.0).propose(context(half), 1)
    assert proposal.choices == ()
    assert "10 was asked for" in proposal.reason
    assert chosen(*half, width=1e-6)


def test_its_reason_names_the_intervention_and_what_is_believed_of_it() -> None:
    proposal = Causal(width=0.0).propose(context([]), 1)
    assert proposal.reason.startswith("do(")
    assert "its effect on y is believed" in proposal.reason
    assert proposal.target_family is None
    assert proposal.details["mean_half_width"] > 0


def test_a_campaign_that_does_not_measure_every_variable_is_refused() -> None:
    whole = context([0])
    lacking = replace(whole, targets=TARGETS[:2], additional=whole.additional[:, :1])
    with pytest.raises(SettingsError, match="does not measure b, c"):
        Causal(width=0.0).propose(lacking, 1)
    with pytest.raises(SettingsError, match="does not measure c"):
        Causal(width=0.0).meter(ARRAYS, PROPERTIES[:3])


def test_too_few_passive_rows_are_told() -> None:
    bed = POOL.interventions
    assert bed is not None
    few = replace(ARRAYS, interventions=replace(bed, passive=bed.passive[:4]))
    with pytest.raises(SettingsError, match="4 passive rows of 4 variables"):
        Causal(width=0.0).propose(context([], pool=few), 1)


def test_its_meter_tells_widths_hits_and_effects_by_observations_alone() -> None:
    policy = Causal(width=0.0, threshold=1.0)
    assert [metric.name for metric in policy.metrics("", ARRAYS)] == ["half_width", "widest", "edge_stability", "hits"]
    meter = policy.meter(ARRAYS, PROPERTIES)
    assert isinstance(meter, InterventionMeter)
    before, *_ = meter.values()
    for index in range(40):
        meter.add(index, *(float(VALUES[name][index]) for name in PROPERTIES))
    width, widest, stability, hits = meter.values()
    assert before is not None
    assert width is not None
    assert widest is not None
    assert width < before
    assert widest >= width
    assert stability is not None
    assert 0.0 < stability <= 1.0
    assert hits == sum(VALUES["y"][:40] > 1.0)
    assert [effect.name for effect in meter.effects()] == ["a", "b", "c"]
