"""The scenario of two methods: cheap values recommend dear ones, the budget holds, and every reader agrees."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from protocols.wire.molecule import Molecule
from scenarios.settings.library import LIBRARY
from simulators.molecules.molecule_properties import B3LYP, DIPOLE, MoleculeProperties
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

TABLE = LIBRARY / "small_molecules.csv"
COSTS = {"gfn2": 1, "b3lyp": 20}

needs_dft = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("rdkit", "tblite", "pyscf")),
    reason="the extra dft (RDKit, tblite and PySCF) is not installed",
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def asked(bench: Workbench) -> Counter[str]:
    """How often each method was asked for."""
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'RequestIssued'", "two_fidelities")
    ids = [json.loads(payload)["candidate_id"] for (payload,) in rows]
    return Counter("gfn2" if each.endswith("--gfn2") else "b3lyp" for each in ids)


def test_cheap_values_recommend_dear_ones_within_the_budget_and_every_reader_agrees(bench: Workbench) -> None:
    ended = bench.entropilot("run", "two_fidelities", "--quiet", "--budget", "130")
    assert (ended.code, ended.err) == (0, "")
    counts = asked(bench)
    assert counts["gfn2"] >= 6
    assert counts["b3lyp"] >= 3
    spent = sum(COSTS[method] * count for method, count in counts.items())
    assert 130 - COSTS["b3lyp"] < spent <= 130
    for command in ("verify", "replay", "report"):
        told = bench.entropilot(command, "two_fidelities")
        assert told.code == 0, told.err
    why = bench.entropilot("why", "two_fidelities", "1", "--no-figure")
    assert why.code == 0, why.err
    assert "how gfn2 goes with b3lyp, where the latter is known" in " ".join(why.out.split())


@pytest.mark.slow
@needs_dft
@pytest.mark.parametrize("smiles", ["CO", "CC#N"])
def test_the_lab_measures_what_the_table_tells(smiles: str) -> None:
    with TABLE.open(newline="", encoding="utf-8") as file:
        told = {row["smiles"]: float(row["dipole_b3lyp"]) for row in csv.DictReader(file)}
    found = MoleculeProperties().measure(Molecule(smiles=smiles), B3LYP)
    value = next(quantity.value for quantity in found.quantities if quantity.name == DIPOLE)
    assert value == pytest.approx(told[smiles], abs=0.002)
