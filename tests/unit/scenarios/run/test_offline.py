"""The campaign without a lab: the same rules, to the end, and the same again for the same seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.built_in import BUILT_IN
from agent.campaign import stop_settings
from agent.campaign.plan import Ordering
from agent.campaign.stop_settings import REST_POLICY
from agent.entropy.bias import measure_bias
from agent.entropy.measure import EntropyMeasure, default_resolution, default_scale
from agent.pool.candidates import Candidate
from agent.settings import CampaignSettings
from protocols.errors import SettingsError
from scenarios.run.offline import Measured, play_answered, play_offline, run_offline
from scenarios.run.trajectory import Trajectory
from tests.support.campaigns import Play, small_plan, small_pool, value_of

POOL = small_pool(40)
VALUES = np.array([value_of(which) for which in POOL.candidate_ids])
START = list(range(20))
MEASURE = EntropyMeasure("m_spacing", default_resolution(VALUES[START]))


def settings(**changes: Any) -> CampaignSettings:
    fields = {"property": "formation_energy", "unit": "eV/atom", "budget": 8, "policy": "random"}
    return CampaignSettings.model_validate(fields | changes)


def run(**changes: Any) -> Trajectory:
    return run_offline(POOL, VALUES, START, settings(**changes))


def test_it_has_a_point_for_the_start_and_one_for_every_result() -> None:
    trajectory = run()
    assert [observation for observation, _ in trajectory.points] == list(range(9))
    assert [sum(point.sizes) for _, point in trajectory.points] == list(range(20, 29))
    codes = POOL.family_codes[START]
    assert trajectory.points[0][1] == measure_bias(POOL.families, codes, VALUES[START], MEASURE)
    assert (trajectory.property, trajectory.unit) == ("formation_energy", "eV/atom")


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    assert run(seed=4).points == run(seed=4).points
    assert run(seed=4).points != run(seed=5).points


@pytest.mark.parametrize("scale", [1e22, 1e140, 1e-20, 1e-140])
@pytest.mark.parametrize("policy", ["gap_gain", "etal", "joint_entropy", "uncertainty"])
def test_the_decisions_are_the_same_whatever_the_unit(policy: str, scale: float) -> None:
    """Carriers per cubic centimetre are as good a property as electron volts: no step has a size of its own."""
    fields = settings(policy=policy, valid_range=(-1e150, 1e150))
    scaled = play_offline(POOL, VALUES * scale, START, fields)
    assert scaled.acquired.tolist() == play_offline(POOL, VALUES, START, fields).acquired.tolist()


def test_values_are_played_with_what_is_known_of_their_uncertainty() -> None:
    """A policy that has a surrogate then believes some values less: it sees what it would see in a run."""
    known = np.where(np.arange(len(POOL)) % 2 == 0, 2.0, 0.0).reshape(-1, 1)
    seen: list[AcquisitionContext] = []

    class Looking(UniformRandom):
        def propose(self, context: AcquisitionContext, count: int) -> Proposal:
            seen.append(context)
            return super().propose(context, count)

    answers = {which: Measured([VALUES[row]], known[row].tolist()) for row, which in enumerate(POOL.candidate_ids)}
    start = {index: answers[POOL.candidate_ids[index]] for index in START}
    play_answered(POOL, lambda each: answers[each.candidate_id], start, settings(), Looking().propose)
    assert all(np.array_equal(each.uncertainties, known[each.observed]) for each in seen)
    noisy = play_offline(POOL, VALUES, START, settings(policy="gap_gain"), uncertainties=known).acquired
    assert noisy.tolist() != play_offline(POOL, VALUES, START, settings(policy="gap_gain")).acquired.tolist()


def test_it_ends_when_no_candidate_is_left() -> None:
    assert len(run(budget=1000).points) == len(POOL) - len(START) + 1


@pytest.mark.parametrize("ordering", Ordering)
def test_it_ends_when_the_policy_has_nothing_more_to_ask_for_and_all_is_answered(ordering: Ordering) -> None:
    asked = {"policy": "tests.support.user_policies:ContentAfter", "policy_options": {"decisions": 5}, "parallel": 3}
    assert len(run(ordering=ordering, **asked).points) == 6
    assert len(run(ordering=ordering, **(asked | {"policy_options": {"decisions": 0}})).points) == 1


def test_a_stop_rule_ends_it_as_it_ends_a_run() -> None:
    rule = {"when_no_gain": "stop", "patience": 3, "gain_nat": 9.0}
    played = play_offline(POOL, VALUES, START, settings(stop=rule))
    assert len(played.acquired) == 3
    assert played.is_finished
    assert played.ended.startswith("the stop rule when_no_gain: the mean gap is")
    plain = play_offline(POOL, VALUES, START, settings())
    assert played.acquired.tolist() == plain.acquired[:3].tolist()


def test_the_policy_that_a_stop_rule_names_decides_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides as it would from there: the stand-in of a policy that is not there is another one."""
    rest = REST_POLICY if REST_POLICY in BUILT_IN else "uncertainty"
    monkeypatch.setattr(stop_settings, "REST_POLICY", rest)
    rule = {"when_no_gain": "coverage", "patience": 3, "gain_nat": 9.0}
    played, plain = (play_offline(POOL, VALUES, START, settings(**more)) for more in ({"stop": rule}, {}))
    assert len(played.acquired) == 8
    assert played.acquired[:3].tolist() == plain.acquired[:3].tolist()
    known = [*START, *plain.acquired[:3].tolist()]
    after = play_offline(POOL, VALUES, known, settings(policy=rest, budget=1))
    assert played.acquired[3] == after.acquired[0]


def test_it_starts_from_nothing_too() -> None:
    trajectory = run_offline(POOL, VALUES, [], settings())
    assert sum(trajectory.points[0][1].sizes) == 0
    assert sum(trajectory.points[-1][1].sizes) == 8


@pytest.mark.parametrize(("parallel", "batch"), [(1, 1), (4, 1), (4, 2), (3, 3)])
@pytest.mark.parametrize("ordering", Ordering)
def test_it_acquires_the_budget_whatever_is_in_flight(parallel: int, batch: int, ordering: Ordering) -> None:
    decisions: list[int] = []
    asked = settings(parallel=parallel, batch=batch, ordering=ordering, budget=9)
    trajectory = run_offline(POOL, VALUES, START, asked, on_decision=decisions.append)
    assert len(trajectory.points) == 10
    assert decisions == list(range(math.ceil(9 / batch)))


def test_it_decides_as_the_campaign_core_decides() -> None:
    """The same policy, played through the rules manually, adds the same values in the same order."""
    from agent.acquisition.baselines import UniformRandom
    from agent.campaign import decide, proposals
    from agent.campaign.context import make_context

    played = Play(POOL, small_plan(POOL, budget=8, seed=0), [POOL.candidate_ids[i] for i in START])
    sizes = []
    while (needed := proposals.decision_needed(played.campaign)) is not None:
        proposal = UniformRandom().propose(make_context(played.campaign, played.arrays), needed.count)
        events = proposals.decide_proposal(played.campaign, needed, played.campaign.sequence, proposal).events
        played.fold(*events)
        attempt = played.awaited[0]
        from tests.support.campaigns import result_of

        played.fold(*decide.decide_result(played.campaign, result_of(attempt)).events)
        observed = np.flatnonzero(np.isfinite(played.campaign.values))
        sizes.append(measure_bias(POOL.families, POOL.family_codes[observed], VALUES[observed], MEASURE))
    assert [point for _, point in run().points[1:]] == sizes


@pytest.mark.parametrize(("parallel", "ordering"), [(1, "in_order"), (4, "in_order"), (4, "as_completed")])
def test_what_it_acquired_leads_from_point_to_point(parallel: int, ordering: str) -> None:
    played = play_offline(POOL, VALUES, START, settings(parallel=parallel, ordering=ordering))
    assert len(set(played.acquired.tolist()) | set(START)) == len(START) + 8
    for observation, point in played.trajectory.points:
        known = [*START, *played.acquired[:observation].tolist()]
        assert point == measure_bias(POOL.families, POOL.family_codes[known], VALUES[known], MEASURE)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is no Rondom in it"):
        run(policy="agent.acquisition.baselines:Rondom")


@pytest.mark.parametrize("policy", ["random", "etal"])
def test_several_properties_are_balanced_by_the_weighted_mean_of_their_standardised_entropies(policy: str) -> None:
    both = np.column_stack((VALUES, np.random.default_rng(0).normal(size=40) ** 3))
    asked = settings(policy=policy, weight=3.0, additional_properties={"gap": {"unit": "eV"}})
    played = play_offline(POOL, both, START, asked)
    plan = asked.plan(
        campaign="x", uid="x", fingerprint="x", recipients=("x",), pool=POOL,
        start_values=VALUES[START].tolist(), start_additional=both[START, 1:].tolist(),
    )  # fmt: skip
    assert [target_property.weight for target_property in plan.targets] == [0.75, 0.25]
    assert [target_property.scale for target_property in plan.targets] == [
        default_scale(VALUES[START]),
        default_scale(both[START, 1]),
    ]
    for observation, point in played.trajectory.points:
        known = [*START, *played.acquired[:observation].tolist()]
        assert point == measure_bias(POOL.families, POOL.family_codes[known], both[known], plan.targets)
    assert played.trajectory.property == "formation_energy and gap"


def test_a_property_cannot_be_balanced_beside_itself() -> None:
    with pytest.raises(ValueError, match="'formation_energy' is the property already"):
        settings(additional_properties={"formation_energy": {"unit": "eV/atom"}})


def test_an_uncertainty_that_the_lab_tells_comes_with_the_value() -> None:
    seen: list[float] = []

    def ask(context: AcquisitionContext, count: int) -> Proposal:
        seen.extend(context.target_uncertainties[0].tolist())
        return UniformRandom().propose(context, count)

    def answer(candidate: Candidate) -> Measured:
        return Measured([value_of(candidate.candidate_id)], [0.25])

    play_answered(POOL, answer, {0: [0.0]}, settings(budget=3), ask)
    assert set(seen) == {0.0, 0.25}
