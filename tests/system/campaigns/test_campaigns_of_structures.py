"""Campaigns of a table of crystals: by the tolerances that their settings say, whenever and wherever they are made."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.recording.reader import read_header
from tests.support.commands import Workbench

pytestmark = pytest.mark.system

SCENARIO = """
name = "crystals"

[pool]
source = "table"
path = "crystals.csv"

[pool.columns]
id = "id"
property = "energy"
unit = "eV"
structure = "crystal"

[start]
size = 20

[campaign]
budget = 4
policy = "random"
"""

LOOSE = ("--set", "pool.columns.symmetry_tolerance=0.1", "--set", "pool.columns.angle_tolerance=5")
"""By which a cell of copper that is 0.05 Å longer than wide is a cube, and one at 92° is straight."""

SLOW_CELLS = 125
"""Cells in a row of which the library takes a dozen seconds to find that they are the same."""


FACE_CENTRED = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))


def copper(width: float, height: float, shear: float = 0.0) -> str:
    """A crystal of one atom as JSON [Å]."""
    cell = [[width, 0, 0], [0, width, 0], [shear, 0, height]]
    return json.dumps({"cell": cell, "symbols": ["Cu"], "scaled_positions": [[0, 0, 0]]})


def slow() -> str:
    """Close-packed copper in a cell that is one across and `SLOW_CELLS` long."""
    places = [[x, y, (z + number) / SLOW_CELLS] for number in range(SLOW_CELLS) for x, y, z in FACE_CENTRED]
    cell = [[3.6, 0, 0], [0, 3.6, 0], [0, 0, 3.6 * SLOW_CELLS]]
    return json.dumps({"cell": cell, "symbols": ["Cu"] * len(places), "scaled_positions": places})


def write_crystals(folder: Path, *more: str) -> None:
    """Write 30 crystals: ten cubes, ten that are nearly cubes, ten that are sheared by 2°."""
    widths = [3.6 + 0.01 * number for number in range(10)]
    crystals = [copper(width, width) for width in widths]
    crystals += [copper(width, width + 0.05) for width in widths]
    crystals += [copper(width, width + 1.0, 0.035 * (width + 1.0)) for width in widths]
    with (folder / "crystals.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "energy", "crystal"))
        rows.writerows((f"c{place}", round(place**0.5, 6), text) for place, text in enumerate((*crystals, *more)))
    (folder / "crystals.toml").write_text(SCENARIO, encoding="utf-8")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """A folder with the table, and a cache of its own that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    with Workbench(tmp_path / "here") as opened:
        write_crystals(opened.folder)
        yield opened


def test_tolerances_are_those_of_the_settings(bench: Workbench) -> None:
    systems = ("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
    found = []
    for options in ((), LOOSE):
        ran = bench.entropilot("run", "crystals.toml", "--campaign", f"by-{len(options)}", *options)
        assert ran.code == 0, ran.err
        found.append({each for each in systems if each in ran.out})
    assert found == [{"cubic", "tetragonal", "monoclinic"}, {"cubic", "tetragonal"}]


def test_what_was_recorded_is_made_again_by_its_own_tolerances(bench: Workbench, tmp_path: Path) -> None:
    ran = bench.entropilot("run", "crystals.toml", "--quiet", "--policy", "gap_gain", *LOOSE)
    assert ran.code == 0, ran.err
    digest = read_header(bench.runs / "crystals" / "recording.jsonl").pool_digest
    shutil.rmtree(tmp_path / "cache")
    replayed = bench.entropilot("replay", "crystals")
    assert (replayed.code, "4 of 4 decisions identical" in replayed.out) == (0, True), replayed.err
    packed = bench.entropilot("pack", "crystals", "-o", "crystals.pack")
    assert packed.code == 0, packed.err
    (bench.folder / "crystals.csv").unlink()
    again = bench.entropilot("run", "crystals.pack", "--quiet", "--campaign", "again")
    assert again.code == 0, again.err
    assert read_header(bench.runs / "again" / "recording.jsonl").pool_digest == digest


def test_a_structure_that_takes_too_long_is_refused_with_its_line_and_the_setting(bench: Workbench) -> None:
    write_crystals(bench.folder, slow())
    limit = ("--set", "pool.columns.structure_limit_s=1")
    refused = bench.entropilot("run", "crystals.toml", "--quiet", *limit)
    assert refused.code == 3
    assert "line 32 of" in refused.err
    assert "structure_limit_s = 1 s" in refused.err
    dropped = bench.entropilot("run", "crystals.toml", "--quiet", "--set", "pool.columns.on_missing=drop", *limit)
    assert dropped.code == 0, dropped.err
