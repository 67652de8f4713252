"""A campaign within limits, as a user has it: looked at first, run to where its money ends, and explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Workbench

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # it bounds a hang; a loaded machine is slow

SCENARIO = """
name = "flow"
[pool]
path = "flow.csv"
[pool.columns]
id = "name"
family = "solvent"
features = ["temperature", "price"]
property = "yield"
unit = "percent"
[start]
size = 9
minimum_per_family = 3
[campaign]
budget = 30
policy = "random"
parallel = 2
[limits]
forbidden_pairs = [["family = water", "temperature > 60"]]
[limits.cost]
available = 12
unit = "EUR"
column = "price"
"""

ROWS = [
    f"run {place},{('water', 'toluene', 'dmf')[place % 3]},{20 + place},{1 + place % 4},{(place * 0.37) % 9:.2f}"
    for place in range(60)
]


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    (tmp_path / "flow.toml").write_text(SCENARIO)
    (tmp_path / "flow.csv").write_text("\n".join(["name,solvent,temperature,price,yield", *ROWS]))
    return Workbench(tmp_path)


def issued(bench: Workbench) -> list[dict[str, Any]]:
    log = [json.loads(line) for line in (bench.runs / "flow" / "agent.jsonl").read_text().splitlines()]
    return [line for line in log if line["event"] == "request"]


def test_a_campaign_ends_at_its_limit_and_goes_by_its_rules(bench: Workbench) -> None:
    with bench:
        looked = bench.entropilot("run", "flow.toml", "--dry-run", "--json")
        assert (looked.code, (bench.runs / "flow").exists()) == (0, False)
        shown = json.loads(looked.out)
        assert [each["payload"]["type"] for each in shown["requests"]] == ["candidate_request"] * 2
        assert bench.entropilot("run", "flow.toml", "--quiet").code == 0
        asked = issued(bench)
        assert [each["payload"]["candidate_id"] for each in shown["requests"]] == [
            each["candidate_id"] for each in asked[:2]
        ]
        assert 8.0 < sum(each["takes"]["cost"] for each in asked) <= 12.0
        summary = json.loads((bench.runs / "flow" / "summary.json").read_text())
        assert "too little is left of cost (limits.cost)" in summary["stopped_because"]
        assert bench.entropilot("verify", "flow").code == 0
        assert bench.entropilot("replay", "flow").code == 0
        why = bench.entropilot("why", "flow", "last", "--no-figure", "--json")
        assert json.loads(why.out)["then"]["supplies"][0]["name"] == "cost"
        barred = bench.entropilot("why", "flow", "run 57", "--no-figure")
        assert "family = water meets temperature > 60" in " ".join(barred.err.split())


def test_a_real_lab_needs_a_persons_word_and_a_broker_of_the_list(bench: Workbench) -> None:
    with bench:
        told = bench.entropilot("agent", "flow.toml", "--live", "--broker", "mqtt://127.0.0.1:1")
        assert told.code == 2
        assert "127.0.0.1:1 is not among those where a real lab may be driven" in " ".join(told.err.split())
        assert not (bench.runs / "flow").exists()
        old = bench.entropilot("replay", "flow", "--live")
        assert old.code == 2
        assert "is called `entropilot play` now" in " ".join(old.err.split())
