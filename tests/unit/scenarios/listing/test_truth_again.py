"""What a summary of old does not tell of the truth is computed again, where the scenario of the run can be made."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from agent.entropy.bias import BiasPoint
from agent.run_files import RECORDING
from protocols.settings.user_code import INSTALLED
from scenarios.effects.effects import effects_of
from scenarios.effects.truth import AgainstTruth
from scenarios.listing.truth_again import with_truth
from scenarios.run.summary.model import RunSummary
from tests.support.runs.played_runs import small_system, write_run

POINT = BiasPoint(("all",), (1,), (None,), None, None, None, "all")
OLD = RunSummary(
    campaign="small", scenario="synthetic_scm", policy="causal", seed=0, property="y", unit="", budget=4, spent=4,
    observations=4, abandoned=0, excluded=0, retries=0, quarantined=0, duplicates=0, stopped_because="",
    wall_time_s=1.0, per_second=None, before=POINT, after=POINT, effects=("x0: 1 ± 1",),
)  # fmt: skip


def test_error_and_effects_are_told_with_the_truth(tmp_path: Path) -> None:
    scenario, world = small_system()
    events = write_run(tmp_path, scenario, world)
    told = with_truth(OLD, tmp_path)
    right = effects_of(events, world.pool, world.true_effects, INSTALLED)
    assert right is not None
    assert told.against_truth == {"before": right.against_truth[0], "after": right.against_truth[4]}
    assert told.effects == tuple(right.in_words())
    assert all("truth" in line for line in told.effects)


@pytest.mark.parametrize("what", ["no recording", "no journal", "a hidden pool"])
def test_nothing_is_said_where_it_cannot_be_computed(what: str, tmp_path: Path) -> None:
    scenario, world = small_system()
    if what != "no journal":
        write_run(tmp_path, scenario, world)
    if what == "no recording":
        (tmp_path / RECORDING).unlink()
    if what == "a hidden pool":
        text = (tmp_path / RECORDING).read_text()
        (tmp_path / RECORDING).write_text(text.replace('"passive_rows": 60', '"passive_rows": 61'))
    assert with_truth(OLD, tmp_path) is OLD


@pytest.mark.parametrize(
    "summary",
    [
        dataclasses.replace(OLD, effects=()),
        dataclasses.replace(OLD, against_truth={"after": AgainstTruth(0.5, 1.0)}),
    ],
    ids=["of a policy after none", "told already"],
)
def test_a_summary_that_needs_nothing_is_left_as_it_is(summary: RunSummary, tmp_path: Path) -> None:
    assert with_truth(summary, tmp_path) is summary
