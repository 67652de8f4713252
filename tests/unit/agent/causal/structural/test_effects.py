"""Total effects by committee and interventions: the committee is corrected where somebody unseen confounds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.causal.belief import Belief
from agent.causal.query_gain import query_gain
from agent.causal.structural.committee import Committee
from agent.causal.structural.effects import OFF, SPREAD, belief_of
from agent.pool.interventions import Interventions
from simulators.structural_model import StructuralModel, StructuralModelSettings

EDGES = (("a", "b", 0.8), ("b", "c", 0.9), ("a", "y", 0.6), ("c", "y", -1.0))


def bed(hidden: dict[str, float], *, seed: int = 0, passive_rows: int = 400) -> tuple[StructuralModel, Interventions]:
    settings = StructuralModelSettings(
        variables=("a", "b", "c", "y"), target="y", edges=EDGES, hidden=hidden, passive_rows=passive_rows, seed=seed
    )
    model = StructuralModel(settings)
    _, variable, value = zip(*model.interventions, strict=True)
    pool = Interventions(settings.variables, 3, np.array(variable), np.array(value), model.passive)
    return model, pool


def rows_of(model: StructuralModel, numbers: np.ndarray) -> np.ndarray:
    return np.array([model.measured(int(n)) for n in numbers]).reshape(len(numbers), 4)


def believed(pool: Interventions, committee: Committee, observed: np.ndarray, rows: np.ndarray) -> tuple[Belief, float]:
    return belief_of(pool, committee.graphs(rows, pool.variable[observed]), observed, rows)


NOTHING = np.array([], dtype=np.int64)


def test_without_a_confounder_passive_rows_tell_the_effects_and_little_is_believed_off() -> None:
    model, pool = bed({}, passive_rows=2_000)
    committee = Committee(pool.variables, pool.passive, pool.target)
    belief, _ = believed(pool, committee, NOTHING, np.zeros((0, 4)))
    truth = model.total_effects[:3] * pool.passive.std(axis=0)[:3]
    assert belief.query_means == pytest.approx(truth, abs=0.12)
    done = np.arange(60)
    _, off = believed(pool, committee, done, rows_of(model, done))
    assert off == pytest.approx(OFF[0] * pool.passive[:, pool.target].var())


def test_a_confounder_is_noticed_and_its_damage_mended_by_interventions() -> None:
    model, pool = bed({"b": 1.5, "y": 2.0})
    committee = Committee(pool.variables, pool.passive, pool.target)
    truth = model.total_effects[:3] * pool.passive.std(axis=0)[:3]
    before, _ = believed(pool, committee, NOTHING, np.zeros((0, 4)))
    done = np.arange(120)
    after, off = believed(pool, committee, done, rows_of(model, done))
    assert off > OFF[0] * pool.passive[:, pool.target].var()
    assert np.abs(after.query_means - truth).max() < 0.5 * np.abs(before.query_means - truth).max()
    assert (after.half_widths < before.half_widths).all()


def test_the_belief_is_what_conditioning_on_every_row_by_itself_gives() -> None:
    model, pool = bed({"b": 1.0, "y": 1.0})
    committee = Committee(pool.variables, pool.passive, pool.target)
    done = np.arange(12)
    rows = rows_of(model, done)
    belief, off = believed(pool, committee, done, rows)
    deviations = pool.passive.std(axis=0)
    members = committee.graphs(rows, pool.variable[done]).total_effects()[:, 3, :3] * deviations[:3] / deviations[3]
    prior = np.cov(members.T) + (off / deviations[3] ** 2 + SPREAD) * np.eye(3)
    H = np.zeros((12, 3))
    H[np.arange(12), pool.variable[done]] = pool.value[done] / deviations[pool.variable[done]] * deviations[3]
    y = rows[:, 3] - pool.passive[:, 3].mean()
    precision = np.linalg.inv(prior) + H.T @ H / belief.noise[0]
    right = np.linalg.solve(precision, np.linalg.solve(prior, members.mean(axis=0)) + H.T @ y / belief.noise[0])
    assert belief.mean == pytest.approx(right, abs=1e-9)
    assert belief.covariance == pytest.approx(np.linalg.inv(precision), abs=1e-9)


def test_the_variable_that_is_least_known_is_asked_for_first() -> None:
    model, pool = bed({})
    committee = Committee(pool.variables, pool.passive, pool.target)
    done = np.flatnonzero(pool.variable != 1)[:80]  # everything but b
    belief, _ = believed(pool, committee, done, rows_of(model, done))
    assert pool.variable[int(np.argmax(query_gain(belief)))] == 1


def test_the_same_rows_give_the_same_belief_to_the_last_bit() -> None:
    model, pool = bed({"y": 1.0})
    done = np.arange(30)
    first, second = (
        believed(pool, Committee(pool.variables, pool.passive, pool.target), done, rows_of(model, done))[0]
        for _ in range(2)
    )
    assert (first.mean == second.mean).all()
    assert (first.covariance == second.covariance).all()


@pytest.mark.parametrize("unit", [1e-3, 1024.0])
def test_the_units_of_target_and_variables_change_nothing_but_themselves(unit: float) -> None:
    model, pool = bed({"b": 1.0, "y": 1.0})
    done = np.arange(40)
    rows = rows_of(model, done)
    told, off = believed(pool, Committee(pool.variables, pool.passive, pool.target), done, rows)
    units = np.array([1.0, unit, 1.0, 1.0 / unit])
    other = replace(pool, value=pool.value * units[pool.variable], passive=pool.passive * units)
    again, off_again = believed(other, Committee(pool.variables, other.passive, other.target), done, rows * units)
    assert again.query_means == pytest.approx(told.query_means * units[3], rel=1e-6)
    assert again.half_widths == pytest.approx(told.half_widths * units[3], rel=1e-6)
    assert query_gain(again) == pytest.approx(query_gain(told) * units[3] ** 2, rel=1e-6)
    assert off_again == pytest.approx(off * units[3] ** 2)
