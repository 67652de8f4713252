"""A campaign whose lab strains crystals: what was done, and the crystal as it ended, are kept, shown and proved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ase.build import bulk

from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateFailure, CandidateResult
from tests.support.commands import Workbench
from tests.support.labs.crystals import crystal

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]  # it bounds a hang; a loaded machine is slow

SCENARIO = """
name = "strained"
[pool]
path = "crystals.csv"
[pool.columns]
id = "name"
family = "group"
structure = "structure"
property = "bulk_modulus_vrh"
unit = "GPa"
on_missing = "unknown"
[pool.columns.additional_properties]
shear_modulus_vrh = "GPa"
[campaign]
budget = 6
policy = "random"
[campaign.additional_properties.shear_modulus_vrh]
[simulator]
evaluator = "ase"
"""

METALS = {"Cu": 134.48, "Ag": 100.16, "Au": 173.84, "Pd": 179.28, "Pt": 278.30, "Ni": 176.11}
"""Bulk moduli by effective medium theory [GPa]."""

COINAGE = ("Cu", "Ag", "Au")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("strained")
    rows = [(metal, crystal(bulk(metal, "fcc", a=4.0, cubic=True)).model_dump_json()) for metal in METALS]
    lines = []
    for metal, text in rows:
        group, cell = "coinage" if metal in COINAGE else "other", text.replace('"', '""')
        lines.append(f'{metal},{group},,,"{cell}"\n')
    with Workbench(folder) as bench:
        table = "name,group,bulk_modulus_vrh,shear_modulus_vrh,structure\n" + "".join(lines)
        (folder / "crystals.csv").write_text(table, encoding="utf-8")
        (folder / "strained.toml").write_text(SCENARIO, encoding="utf-8")
        done = bench.entropilot("run", "strained.toml", "--campaign", "lab", "--quiet")
        assert done.code == 0, done.err
        return bench


def answers(path: Path) -> list[CandidateResult | CandidateFailure]:
    with open_recording(path) as recording:
        rows = [row for row in recording.rows() if isinstance(row, MessageRow)]
    # What changed nothing, such as an announcement, is cut.
    told = [decode(row.topic, row.payload) for row in rows if "/result/" in row.topic]
    return [each for each in told if isinstance(each, CandidateResult | CandidateFailure)]


def test_values_travel_with_what_was_done_and_the_crystal_as_it_ended(bench: Workbench) -> None:
    told = answers(bench.runs / "lab" / "recording.jsonl")
    assert len(told) == len(METALS)
    for each in told:
        assert isinstance(each, CandidateResult), each
        assert [quantity.name for quantity in each.quantities] == ["bulk_modulus_vrh", "shear_modulus_vrh"]
        assert {"calculator", "converged", "steps", "fmax_ev_per_angstrom", "elastic"} <= set(each.provenance or {})
        assert each.structure is not None
        assert each.quantities[0].value == pytest.approx(METALS[each.structure.symbols[0]], rel=0.01)


def test_the_dataset_keeps_the_crystal_and_why_shows_it(bench: Workbench) -> None:
    told = [json.loads(details) for (details,) in bench.rows("SELECT details FROM observation")]
    assert sorted(each["structure"]["symbols"][0] for each in told) == sorted(METALS)
    why = bench.entropilot("why", "lab", "1", "--no-figure")
    assert why.code == 0, why.err
    assert "it ended as a crystal of 4 atoms" in " ".join(why.out.split())


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_what_was_kept_is_proved(command: str, bench: Workbench) -> None:
    done = bench.entropilot(command, str(bench.runs / "lab"))
    assert done.code == 0, done.out + done.err
