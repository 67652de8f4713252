"""A bed has a design for every pair of groups in every position, and each design is a molecule."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.molecules.groups import GROUPS
from simulators.molecules.benzenes import HYDROGEN, USUAL_GROUPS, benzene_designs
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit

BENZENES = Path(__file__).parents[4] / "../shared/data/benzenes/table.csv"


def test_the_usual_bed_is_made_of_the_usual_groups_and_none() -> None:
    assert {name: smiles for name, smiles in USUAL_GROUPS.items() if smiles != HYDROGEN} == dict(GROUPS)
    assert len(benzene_designs()) == 12 * 12 * 3
    assert len({design.smiles for design in benzene_designs()}) == 210


@pytest.mark.skipif(not BENZENES.exists(), reason="the folder of real tables is not beside the repository")
def test_the_usual_bed_is_that_of_the_shared_table_row_by_row() -> None:
    with BENZENES.open(encoding="utf-8") as file:
        rows = [(row["x"], row["y"], row["position"], row["smiles"]) for row in csv.DictReader(file)]
    assert [(each.x, each.y, each.position, each.smiles) for each in benzene_designs()] == rows


def test_a_bed_of_the_users_own_has_its_groups_and_positions_in_their_order() -> None:
    designs = benzene_designs({"H": HYDROGEN, "phenyl": "c1ccccc1"}, ["para"])
    assert [(each.x, each.y, each.position, each.smiles) for each in designs] == [
        ("H", "H", "para", "c1ccccc1"),
        ("H", "phenyl", "para", "c1ccc(-c2ccccc2)cc1"),
        ("phenyl", "H", "para", "c1ccc(-c2ccccc2)cc1"),
        ("phenyl", "phenyl", "para", "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1"),
    ]


@pytest.mark.parametrize(
    ("groups", "positions", "told"),
    [
        ({"F": "F"}, ["ipso"], "no position 'ipso' on a benzene ring.*ortho, meta, para"),
        ({}, ["para"], "without groups or positions"),
        ({"F": "F"}, [], "without groups or positions"),
        ({"oxo": "=O"}, ["para"], "the group 'oxo'|The group 'oxo'"),
    ],
)
def test_what_makes_no_bed_is_refused(groups: dict[str, str], positions: list[str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        benzene_designs(groups, positions)
