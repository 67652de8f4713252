"""Causal campaigns on crystals: element substitutions and changes of structure, as settings of the alloys alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

SMALL = (
    *("--set", "pool.designs.strains=[0.0]", "--set", 'pool.designs.elements=["Al", "Cu", "Ni", "Au"]'),
    *("--set", 'pool.designs.prototypes=["B2", "L1_0", "B19"]', "--budget", "20", "--quiet"),
)
"""A closure of 29 crystals, which is made in seconds; two thirds of it are measured."""

QUESTIONS = {"substitutions": ("a", "Cu", 3), "structures": ("prototype", "L1_0", 2)}
"""Campaign -> queried factor, reference, and how many effects are asked for."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with a run for each question, of the same crystals."""
    with Workbench(tmp_path_factory.mktemp("alloys")) as opened:
        for campaign, (queried, reference, _) in QUESTIONS.items():
            asked = (f"pool.designs.queried={queried}", f"pool.designs.reference={reference}")
            options = ("--campaign", campaign, *SMALL, "--set", asked[0], "--set", asked[1])
            ended = opened.entropilot("run", "alloy_substitutions", *options)
            assert ended.code == 0, ended
        yield opened


def effects(folder: Path) -> list[dict[str, str]]:
    with (folder / "effects.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("campaign", list(QUESTIONS))
def test_both_questions_are_answered_with_intervals_and_the_truth(bench: Workbench, campaign: str) -> None:
    _, reference, number = QUESTIONS[campaign]
    rows = effects(bench.runs / campaign)
    assert len(rows) == number
    assert reference not in {row["effect"] for row in rows}
    off = [abs(float(row["mean"]) - float(row["truth"])) for row in rows]
    widths = [float(row["high"]) - float(row["low"]) for row in rows]
    assert all(error < width for error, width in zip(off, widths, strict=True))


@pytest.mark.parametrize("campaign", list(QUESTIONS))
def test_the_summary_says_whether_composition_or_structure_drives_the_energy(bench: Workbench, campaign: str) -> None:
    summary = json.loads((bench.runs / campaign / "summary.json").read_text())
    first, *lines = summary["shares"]
    assert first == "over all designs, formation_energy_per_atom hangs more on a and b than on prototype"
    assert [line.split(":")[0] for line in lines] == ["a and b", "prototype", "interplay"]
    assert all("truth" in line for line in lines)
    report = bench.entropilot("report", campaign)
    assert (report.code, "a and b: " in report.out) == (0, True), report


@pytest.mark.parametrize("campaign", list(QUESTIONS))
def test_verify_and_why_know_such_a_campaign(bench: Workbench, campaign: str) -> None:
    assert bench.entropilot("verify", campaign).code == 0
    why = bench.entropilot("why", campaign, "3")
    assert (why.code, "the same decision comes out today" in why.out) == (0, True), why


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (('pool.designs.prototypes=["B2", "L1_O"]',), ("no prototype 'L1_O'", "L1_0")),
        (('pool.designs.elements=["Cu", "Fe"]',), ("does not know the element 'Fe'", "Al")),
        (("pool.designs.queried=c",), ("no factor 'c'", "prototype")),
        (("pool.designs.reference=Fe",), ("no level of 'a'", "Cu")),
        (('pool.designs.reference=""',), ("name the reference",)),
        (('pool.designs.elements=["Cu"]',), ("has one level, 'Cu'",)),
        (("pool.designs.strains=[0.9]",), ("pool.designs.strains", "0.2")),
    ],
)
def test_what_cannot_be_is_told(bench: Workbench, settings: tuple[str, ...], words: tuple[str, ...]) -> None:
    campaign = f"wrong-{len(list(bench.runs.iterdir()))}"
    changes = [each for setting in settings for each in ("--set", setting)]
    ended = bench.entropilot("run", "alloy_substitutions", "--campaign", campaign, *SMALL, *changes)
    assert ended.code not in {0, 70}, ended
    for each in words:
        assert each in ended.err, ended


def test_designs_of_alloys_go_with_alloys(bench: Workbench) -> None:
    ended = bench.entropilot("run", "oracle_table", "--set", 'pool.designs.prototypes=["B2"]', "--quiet")
    assert ended.code not in {0, 70}, ended
    assert "pool.designs makes alloys" in ended.err
