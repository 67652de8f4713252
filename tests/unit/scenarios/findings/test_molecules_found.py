"""Molecules above a threshold: best first, each with the change that did most, told by what the campaign paid for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted, Event, StartSetLoaded
from agent.campaign.plan import CampaignPlan
from protocols.settings.user_code import INSTALLED
from scenarios.findings.molecules_found import COLUMNS, FoundMolecule, molecules_found, write_found
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world
from tests.support.campaigns import small_plan

WORLD = build_world(load_scenario("substituted_benzenes", Overrides()).settings)
POOL, VALUES = WORLD.pool, WORLD.values
SMILES = [candidate.smiles for candidate in POOL.candidates]
OPTIONS = {"estimate": "mu_mmff", "threshold": 5.0}

NITROANILINE, ANILINE, NITROBENZENE = (
    SMILES.index(each) for each in ("Nc1ccc([N+](=O)[O-])cc1", "Nc1ccccc1", "O=[N+]([O-])c1ccccc1")
)


def plan(policy: str = "causal", options: dict[str, Any] | None = None) -> CampaignPlan:
    given = OPTIONS if options is None else options
    made = small_plan(POOL, policy=policy, policy_options=given, property_name="dipole", unit="D")
    return made.model_copy(update={"metrics": declared_metrics(policy, given, "D", pool_arrays(POOL))})


def journal(chosen: CampaignPlan, indices: list[int]) -> list[Event]:
    ids = tuple(POOL.candidate_ids[index] for index in indices)
    return [CampaignStarted(chosen), StartSetLoaded(ids, tuple(VALUES[indices].tolist()), ((),) * len(ids))]


def found(*indices: int, **options: Any) -> tuple[FoundMolecule, ...]:
    chosen = plan(options=OPTIONS | options)
    told = molecules_found(journal(chosen, list(indices)), chosen, POOL, INSTALLED)
    assert told is not None
    return told.molecules


def test_they_are_what_was_measured_above_the_threshold_best_first() -> None:
    indices = list(range(0, 200, 3))
    told = found(*indices)
    assert [each.value for each in told] == sorted((v for v in VALUES[indices] if v > 5.0), reverse=True)
    assert [VALUES[SMILES.index(each.candidate.smiles)] for each in told] == [each.value for each in told]
    assert found(*indices, threshold=1000.0) == ()


def test_what_a_change_did_is_the_difference_to_the_molecule_without_it() -> None:
    (molecule,) = found(NITROANILINE, ANILINE)
    change = molecule.change
    assert change is not None
    assert (change.edit.words, change.reference.smiles) == ("x: H → NO2", "Nc1ccccc1")
    assert change.difference == VALUES[NITROANILINE] - VALUES[ANILINE]
    assert change.did("D") == f"+{change.difference:.2f} D"


def test_of_several_changes_the_one_is_told_that_did_most() -> None:
    (molecule,) = (each for each in found(NITROANILINE, ANILINE, NITROBENZENE) if each.value > 6.0)
    assert molecule.change is not None
    assert molecule.change.edit.words == "x: H → NO2", "the amino group adds less to nitrobenzene"


def test_without_the_value_of_the_reference_it_is_what_is_believed_and_says_so() -> None:
    (molecule,) = found(NITROANILINE, *(index for index in range(20) if VALUES[index] < 5.0 and index != ANILINE))
    assert molecule.change is not None
    assert molecule.change.difference is None
    assert molecule.change.believed is not None
    assert molecule.change.did("D").endswith(" D (believed)")


def test_who_seeks_nothing_found_nothing() -> None:
    for chosen in (plan("random", {}), plan(options={"estimate": "mu_mmff"})):
        assert molecules_found(journal(chosen, [NITROANILINE]), chosen, POOL, INSTALLED) is None


def test_all_of_them_stand_in_the_file(tmp_path: Path) -> None:
    chosen = plan()
    told = molecules_found(journal(chosen, list(range(210))), chosen, POOL, INSTALLED)
    assert told is not None
    assert told.in_words() == "42 of 210 molecules measured are above 5 D"
    write_found(tmp_path / "found.csv", told)
    with (tmp_path / "found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 42
    for row in rows:
        there, before = (VALUES[SMILES.index(row[name])] for name in ("smiles", "reference"))
        assert float(row["difference"]) == pytest.approx(there - before)
    assert np.all(np.diff([float(row["value"]) for row in rows]) <= 0)
