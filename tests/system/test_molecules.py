"""The lab of molecules, from the command line to the journal: dipole moments in debye, by the method that is named."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.molecules.identity import check_molecule
from protocols.wire.messages import FailureReason
from protocols.wire.molecule import Molecule
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.choice import make_executor
from simulators.executors.executor import Executor
from simulators.molecules.bed_tables import OTHER_CONFORMER_TOLERANCE
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.commands import Workbench
from tests.support.samples.molecules import (
    CHECK_TABLE,
    HALF_A_DEBYE,
    MISSED_BY_GFN2,
    CheckedDipole,
    needs_dft,
    needs_xtb,
)

pytestmark = pytest.mark.system

PATIENCE_S = 280.0
"""For a calculation on a loaded machine; the test is ended a little later."""

ROOT = Path(__file__).parents[2]
BENZENES = ROOT / "../shared/data/benzenes/table.csv"

SCENARIO = """
name = "molecules"
[pool]
path = "molecules.csv"
[pool.columns]
smiles = "smiles"
family = "kind"
property = "dipole_moment"
unit = "D"
features = ["heavy_atoms", "hetero_atoms"]
valid_range = [0, 20]
on_missing = "unknown"
[campaign]
budget = 2
policy = "random"
evaluation_deadline_s = 250
request_timeout_s = 280
[simulator]
evaluator = "molecules"
concurrency = 1
"""

TABLE = """smiles,kind,dipole_moment,heavy_atoms,hetero_atoms
C,organic,0,1,0
CO,organic,1.70,2,1
C=O,organic,2.33,2,1
N,inorganic,1.47,1,1
S,inorganic,0.97,1,1
P,inorganic,0.57,1,1
O,inorganic,,1,1
C#N,organic,,2,1
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        (opened.folder / "molecules.toml").write_text(SCENARIO)
        (opened.folder / "molecules.csv").write_text(TABLE)
        yield opened


@pytest.fixture
async def lab() -> AsyncIterator[Executor]:
    executor = make_executor(SimulatorSettings(id="sim-1", evaluator="molecules", concurrency=1))
    yield executor
    await executor.close()


async def measured(lab: Executor, smiles: str, fidelity: str | None = None) -> Measurement:
    asked = messages.request(
        structure=None,
        molecule=Molecule(smiles=smiles),
        fidelity=fidelity,
        properties=("dipole_moment",),
        deadline_s=PATIENCE_S,
    )
    return await lab.evaluate(asked)


def answers(bench: Workbench) -> dict[str, dict[str, Any]]:
    """Return what the journal holds of each result, by formula."""
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'ResultAccepted'", "molecules")
    events = [json.loads(row[0]) for row in rows]
    return {event["candidate_id"].split("-")[0]: event for event in events}


@pytest.mark.parametrize(
    ("fidelity", "water", "cyanide"),
    [pytest.param("gfn2", 2.2, 2.62, marks=needs_xtb), pytest.param("b3lyp", 1.85, 3.02, marks=needs_dft)],
)
def test_the_dipole_moment_of_water_is_right_through_the_whole_loop(
    bench: Workbench, fidelity: str, water: float, cyanide: float
) -> None:
    ended = bench.entropilot("run", "molecules.toml", "--set", f"campaign.fidelity={fidelity}")
    assert ended.code == 0, ended.err
    found = answers(bench)
    assert found["h2o"]["value"] == pytest.approx(water, abs=0.1)
    assert found["chn"]["value"] == pytest.approx(cyanide, abs=0.1)
    assert {each["name"]: each["unit"] for each in found["h2o"]["quantities"]}["dipole_moment"] == "D"
    assert found["h2o"]["provenance"]["conformers"] == 5
    assert found["h2o"]["provenance"]["method"].startswith("GFN2" if fidelity == "gfn2" else "B3LYP/def2-SVPD")
    for command in ("verify", "replay", "report"):
        told = bench.entropilot(command, "molecules")
        assert told.code == 0, told.err
    why = bench.entropilot("why", "molecules", "1", "--no-figure")
    assert any(smiles in why.out.split() for smiles in ("O", "C#N")), why.out


@needs_xtb
def test_what_the_lab_cannot_measure_is_abandoned_with_its_reason_and_the_campaign_goes_on(bench: Workbench) -> None:
    (bench.folder / "molecules.csv").write_text(TABLE + "C1#CC1,organic,,3,0\n")
    ended = bench.entropilot("run", "molecules.toml", "--set", "campaign.budget=3")
    assert ended.code == 0, ended.err
    assert set(answers(bench)) == {"h2o", "chn"}
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'AttemptFailed'", "molecules")
    told = [json.loads(row[0]) for row in rows]
    assert {each["reason"] for each in told} == {FailureReason.CALCULATION_FAILED}
    assert "none of the embeddings with the seeds (11, 23, 37, 51, 73) gives C1#CC1 a shape" in told[0]["detail"]


@needs_xtb
def test_with_the_extra_the_scenario_of_the_benzenes_is_computed_in_place_of_looked_up(bench: Workbench) -> None:
    options = ("--set", "simulator.evaluator=molecules", "--set", "campaign.budget=6")
    ended = bench.entropilot("run", "substituted_benzenes", *options)
    assert ended.code == 0, ended.err
    with (ROOT / "scenarios/library/benzenes_designs.csv").open(newline="") as file:
        told = {check_molecule(row["smiles"]).candidate_id: float(row["dipole"]) for row in csv.DictReader(file)}
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'ResultAccepted'", "substituted_benzenes")
    events = [json.loads(row[0]) for row in rows]
    assert len(events) == 6
    for event in events:
        assert event["provenance"]["method"].startswith("GFN2")
        assert event["value"] == pytest.approx(told[event["candidate_id"]], abs=OTHER_CONFORMER_TOLERANCE)


@pytest.mark.slow
@needs_dft
@pytest.mark.parametrize("molecule", CHECK_TABLE, ids=lambda molecule: molecule.name)
async def test_the_check_table_comes_out_again(lab: Executor, molecule: CheckedDipole) -> None:
    for fidelity in ("gfn2", "b3lyp"):
        dipole = (await measured(lab, molecule.smiles, fidelity)).quantities[0].value
        assert dipole == pytest.approx(getattr(molecule, fidelity), abs=0.02)
        misses = abs(dipole - molecule.experiment) > HALF_A_DEBYE
        assert misses == (fidelity == "gfn2" and molecule.name in MISSED_BY_GFN2)


@pytest.mark.slow
@needs_xtb
@pytest.mark.skipif(not BENZENES.exists(), reason="the folder of real tables is not beside the repository")
def test_some_molecules_of_the_bed_of_benzenes_come_out_again(tmp_path: Path) -> None:
    ended = made("--check", str(BENZENES), "--processes", "1", folder=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(ended.stdout.splitlines()) == 6


@needs_xtb
def test_a_bed_of_the_users_own_is_measured_and_its_failures_are_named(tmp_path: Path) -> None:
    bed = 'positions = ["ortho"]\n[groups]\nH = "[H]"\nF = "F"\nsalt = "C([NH3+])C(=O)[O-]"\n'
    (tmp_path / "bed.toml").write_text(bed)
    ended = made("bed", "--bed", "bed.toml", "--processes", "1", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "not measured: [NH3+]C(C(=O)[O-])c1ccccc1: it became another molecule" in ended.stderr
    rows = [line.split(",") for line in (tmp_path / "bed/table.csv").read_text().splitlines()[1:]]
    dipoles = {(row[1], row[2]): row[4] for row in rows}
    assert float(dipoles["H", "F"]) == float(dipoles["F", "H"]) == pytest.approx(2.19, abs=0.05)
    assert dipoles["H", "salt"] == ""
    assert len((tmp_path / "bed/features.csv").read_text().splitlines()) == 1 + len({row[0] for row in rows})


@needs_xtb
def test_a_bed_of_edits_is_measured_and_a_campaign_learns_its_effects(bench: Workbench) -> None:
    (bench.folder / "bed.toml").write_text('[groups]\nF = "F"\nCN = "C#N"\n')
    ended = made("edits", "--edits", "2", "--bed", "bed.toml", "--processes", "1", folder=bench.folder)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split(",") for line in (bench.folder / "edits/table.csv").read_text().splitlines()]
    assert rows[0][:6] == ["smiles", "group", "place", "parent", "kind", "dipole"]
    dipoles = {(row[1], row[2]): float(row[5]) for row in rows[1:]}
    assert dipoles["F", "C atom 1"] - dipoles["H", "C atom 1"] == pytest.approx(2.26, abs=0.1)
    scenario = (ROOT / "scenarios/library/qm9_edits.toml").read_text()
    (bench.folder / "edits.toml").write_text(scenario.replace("edits_", "edits/").replace("designs.csv", "table.csv"))
    run = bench.entropilot("run", "edits.toml", "--quiet", "--budget", "14", "--set", "simulator.evaluator=molecules")
    assert run.code == 0, run
    told = bench.rows("SELECT json_extract(payload, '$.provenance.method') FROM journal WHERE kind = 'ResultAccepted'",
                      "qm9_edits")  # fmt: skip
    assert {method for (method,) in told} == {"GFN2-xTB"}, "the lab was asked, and not the table"
    effects = (bench.runs / "qm9_edits" / "effects.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in effects[1:]} == {"F", "CN"}


def made(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "simulators.molecules", *arguments]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)


@needs_dft
async def test_heavy_atoms_have_their_core_potential(lab: Executor) -> None:
    iodine = await measured(lab, "IBr", "b3lyp")
    assert iodine.quantities[0].value == pytest.approx(0.7, abs=0.2), "0.73 D in the gas"
    assert iodine.provenance["version_pyscf"]


@needs_xtb
async def test_a_molecule_that_is_no_candidate_is_refused_and_the_next_one_is_measured(lab: Executor) -> None:
    with pytest.raises(EvaluationFailed, match=r"a charge of \+1") as refused:
        await measured(lab, "C[N+](C)(C)C")
    assert refused.value.reason is FailureReason.UNSUPPORTED
    assert (await measured(lab, "O")).quantities[0].value == pytest.approx(2.2, abs=0.1)


def test_the_page_shows_the_check_table() -> None:
    page = (ROOT / "docs/explanation/molecule-lab.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" *`") for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    for molecule in CHECK_TABLE:
        figures = [f"{value:.2f}" for value in (molecule.gfn2, molecule.b3lyp, molecule.experiment)]
        assert [molecule.name, molecule.smiles, *figures] in rows
        assert (f"**{figures[0]}**" in page) == (molecule.name in MISSED_BY_GFN2)
