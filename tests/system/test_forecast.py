"""What can be reached, as a user has it: `forecast`, the note before a run, and the report of a run of old."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scenarios.settings.derived import scenario_of
from scenarios.world.world import build_world
from tests.support.commands import LAB_TOML, Workbench

pytestmark = pytest.mark.system

QUICK = ("--budget", "6", "--draws", "2")
ALIKE = "alike"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def write_alike(bench: Workbench) -> None:
    """A table with a family whose members, and their values, are nearly the same."""
    rng = np.random.default_rng(1)
    with (bench.folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "family", "f0", "f1", "energy"])
        for number in range(120):
            family = ("broad", "wide", ALIKE)[number % 3]
            f0, f1 = (0.01 if family == ALIKE else 1.0) * rng.normal(size=2)
            rows.writerow([f"m{number:03d}", family, f0, f1, f0 + 0.5 * f1 + 0.002 * rng.normal()])


def test_a_forecast_tells_writes_and_prints_what_a_budget_can_buy(bench: Workbench) -> None:
    ended = bench.entropilot("forecast", "lab.toml", *QUICK)
    assert ended.code == 0, ended.err
    assert "6 observations by gap_gain" in ended.out
    assert "Random would" in ended.out
    for name in ("forecast.png", "forecast.csv", "forecast.json"):
        assert f"runs/forecast-lab/{name}" in ended.out
        assert (bench.runs / "forecast-lab" / name).stat().st_size > 0
    printed = bench.entropilot("forecast", "lab.toml", *QUICK, "--json")
    assert printed.code == 0, printed.err
    assert json.loads(printed.out) == json.loads((bench.runs / "forecast-lab" / "forecast.json").read_text())


def test_values_that_a_campaign_would_not_know_change_nothing(bench: Workbench) -> None:
    """The start set is drawn by seed, so it is the same; all other values of the second table are nonsense."""
    told = bench.entropilot("forecast", "lab.toml", *QUICK, "--json")
    path = bench.folder / "table.csv"
    scenario = scenario_of(tomllib.loads(LAB_TOML), "lab.toml").with_table_paths(lambda _name: str(path))
    known = {name for name, _ in build_world(scenario).start_observations()}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(known) == 24
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(row if row[0] in {"id", *known} else [*row[:-1], 7.5] for row in rows)
    assert bench.entropilot("forecast", "lab.toml", *QUICK, "--json").out == told.out


def test_constant_values_are_named_as_the_cause(bench: Workbench) -> None:
    path = bench.folder / "table.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *(f"{line.rpartition(',')[0]},1.5" for line in lines[1:])]), encoding="utf-8")
    ended = bench.entropilot("forecast", "lab.toml", *QUICK, "--set", 'pool.columns.on_no_entropy="warn"')
    assert ended.code not in {0, 70}
    assert "All 24 values of 'energy' in the start set are 1.5" in ended.err
    assert "what to do" in ended.err


def test_a_run_names_a_family_that_cannot_be_helped_before_it_asks_for_anything(bench: Workbench) -> None:
    write_alike(bench)
    ended = bench.entropilot("run", "lab.toml", "--budget", "3")
    assert ended.code == 0, ended.err
    named = ended.err.index(f"{ALIKE} cannot be helped:")
    assert named < ended.err.index("0/3")
    assert "more values each" in ended.out
    assert bench.entropilot("run", "lab.toml", "--budget", "3", "--quiet").err == ""


def test_a_report_of_an_earlier_run_tells_it_from_the_journal(bench: Workbench) -> None:
    write_alike(bench)
    assert bench.entropilot("run", "lab.toml", "--budget", "3", "--quiet").code == 0
    path = bench.runs / "lab" / "summary.json"
    tree = json.loads(path.read_text())
    told = tree.pop("ceilings")
    tree.pop("further")
    path.write_text(json.dumps(tree))
    assert f"{ALIKE} cannot be helped:" in bench.entropilot("report", "lab").out
    assert json.loads(bench.entropilot("report", "lab", "--json").out)["ceilings"] == told
    assert "ceilings" not in json.loads(path.read_text())
    (bench.folder / "table.csv").unlink()
    without = bench.entropilot("report", "lab")
    assert without.code == 0
    assert "what the families could reach is not told" in without.out
