"""Campaigns of crystals that are made on the spot or stand in files, with the calculators of ASE as the lab."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from protocols.recording.reader import read_header
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

LENNARD_JONES = """
name = "argon"

[pool]
source = "crystals"
composition_statistics = true

[pool.crystals]
elements = ["Ar"]
number = 28

[campaign]
property = "volume_per_atom"
unit = "Å^3"
budget = 6
policy = "gap_gain"
parallel = 2

[simulator]
calculator = "lennard_jones"
calculator_parameters = { epsilon = 0.0104, sigma = 3.4 }
"""

ALLOYS = """
name = "alloys"

[pool]
source = "crystals"

[pool.crystals]
elements = ["Cu", "Au"]
number = 14
calculated = true

[pool.crystals.substitutions]
path = "parents"
number = 4

[pool.crystals.orderings]
number = 10

[start]
size = 10
minimum_per_family = 1

[campaign]
property = "formation_energy_per_atom"
unit = "eV/atom"
budget = 4
policy = "random"
"""

FILES = """
name = "files"

[pool]
source = "table"
path = "crystals"

[pool.columns]
id = "file"
family = "family"
property = "formation_energy_per_atom"
unit = "eV/atom"
structure = "structure"
on_missing = "unknown"

[campaign]
budget = 6
policy = "random"

[simulator]
evaluator = "ase"
calculator = "emt"
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """A folder, and a cache of its own that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    with Workbench(tmp_path / "here") as opened:
        yield opened


def test_a_pool_of_lennard_jones_is_run_from_nothing_verified_and_decided_again(
    bench: Workbench, tmp_path: Path
) -> None:
    (bench.folder / "argon.toml").write_text(LENNARD_JONES, encoding="utf-8")
    ran = bench.entropilot("run", "argon.toml", "--quiet")
    assert ran.code == 0, ran.err
    shutil.rmtree(tmp_path / "cache")  # made again, it is the same pool
    replayed = bench.entropilot("replay", "argon")
    assert (replayed.code, "6 of 6 decisions identical" in replayed.out) == (0, True), replayed.err
    assert bench.entropilot("verify", "argon").code == 0
    summary = json.loads((bench.runs / "argon" / "summary.json").read_text())
    assert summary["abandoned"] == 0


def test_alloys_that_are_calculated_in_advance_are_compared_packed_and_written(bench: Workbench) -> None:
    parents = bench.folder / "parents"
    parents.mkdir()
    write(parents / "b2.cif", bulk("NiAl", "cesiumchloride", a=2.9))
    (bench.folder / "alloys.toml").write_text(ALLOYS, encoding="utf-8")
    made = bench.entropilot("pool", "alloys.toml", "--out", "alloys.csv")
    assert made.code == 0, made.err
    with (bench.folder / "alloys.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 20
    assert {"id", "family", "formula", "structure", "formation_energy_per_atom"} == set(rows[0])
    assert all(row["formation_energy_per_atom"] for row in rows)
    ran = bench.entropilot("run", "alloys.toml", "--quiet")
    assert ran.code == 0, ran.err
    compared = bench.entropilot("compare", "alloys.toml", "--policies", "random,coverage", "--seeds", "2", "--quiet")
    assert compared.code == 0, compared.err


def test_a_pool_with_parents_in_a_table_is_packed_with_it(bench: Workbench) -> None:
    crystal = {"cell": [[2.9, 0, 0], [0, 2.9, 0], [0, 0, 2.9]], "symbols": ["Ni", "Al"]}
    crystal["scaled_positions"] = [[0, 0, 0], [0.5, 0.5, 0.5]]
    (bench.folder / "parents.jsonl").write_text(json.dumps({"structure": json.dumps(crystal)}) + "\n")
    text = (
        ALLOYS.replace('"parents"', '"parents.jsonl"')
        .replace("calculated = true", "")
        .replace("size = 10\nminimum_per_family = 1", "")
    )
    (bench.folder / "alloys.toml").write_text(text, encoding="utf-8")
    ran = bench.entropilot("run", "alloys.toml", "--quiet")
    assert ran.code == 0, ran.err
    digest = read_header(bench.runs / "alloys" / "recording.jsonl").pool_digest
    packed = bench.entropilot("pack", "alloys", "-o", "alloys.pack")
    assert packed.code == 0, packed.err
    (bench.folder / "parents.jsonl").unlink()
    again = bench.entropilot("run", "alloys.pack", "--quiet", "--campaign", "again")
    assert again.code == 0, again.err
    assert read_header(bench.runs / "again" / "recording.jsonl").pool_digest == digest


def test_structures_in_files_of_three_kinds_are_a_pool_that_ase_calculates(bench: Workbench) -> None:
    folder = bench.folder / "crystals"
    folder.mkdir()
    rows = []
    for number, metal in enumerate(("Cu", "Ni", "Pd", "Ag")):
        for name, form in ((f"{metal}.vasp", "vasp"), (f"{metal}.cif", "cif"), (f"{metal}.extxyz", "extxyz")):
            lattice = {"vasp": "bcc", "cif": "hcp", "extxyz": "diamond"}[form]
            edge = 2.9 + 0.1 * number
            write(folder / name, bulk(metal, lattice, a=edge * (1.8 if lattice == "diamond" else 1.0)), format=form)
            rows.append((name, lattice, ""))
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "family", "formation_energy_per_atom"), *rows])
    (bench.folder / "files.toml").write_text(FILES, encoding="utf-8")
    ran = bench.entropilot("run", "files.toml", "--quiet")
    assert ran.code == 0, ran.err
    summary = json.loads((bench.runs / "files" / "summary.json").read_text())
    assert (summary["spent"], summary["abandoned"]) == (6, 0)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('pool.crystals.elements=["Cuu"]', "no element 'Cuu'"),
        ('pool.crystals.elements=["Cu","Si"]', "does not know the element 'Si'"),
        ('pool.crystals.prototypes=["rocksal"]', "did you mean 'rocksalt'"),
        ("pool.crystals.substitutions.path=nowhere", "There is no"),
    ],
)
def test_what_cannot_be_made_stops_the_command_before_anything_starts(
    bench: Workbench, setting: str, says: str
) -> None:
    (bench.folder / "parents").mkdir()
    write(bench.folder / "parents" / "b2.cif", bulk("NiAl", "cesiumchloride", a=2.9))
    (bench.folder / "alloys.toml").write_text(ALLOYS, encoding="utf-8")
    ran = bench.entropilot("run", "alloys.toml", "--quiet", "--set", setting)
    assert ran.code != 0
    assert says in " ".join(ran.err.split())
    assert not (bench.runs / "alloys").exists()
