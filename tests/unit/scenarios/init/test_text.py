"""What is written for a guess is TOML with a comment beside whatever a person will want to change."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from protocols.tables.format import USUAL, TableFormat
from scenarios.init.columns import Guess
from scenarios.init.text import scenario_text


def guess(**changes: Any) -> Guess:
    told: dict[str, Any] = {
        "path": Path("lab/recipes.csv"), "rows": 30, "id": "sample", "family": "kind", "property": "strength",
        "unit": "MPa", "known": 12, "parameters": {"temperature [K]": "K", "Zeit": ""}, "unused": ("remark",),
        "why": {"id": "its cells are all different"}, "format": USUAL,
    }  # fmt: skip
    return Guess(**(told | changes))


def written(**changes: Any) -> dict[str, Any]:
    return tomllib.loads(scenario_text(guess(**changes), "recipes", "furnace", "recipes-lab.toml"))


def test_a_scenario_says_what_was_guessed() -> None:
    told = written()
    columns = told["pool"]["columns"]
    assert (columns["id"], columns["family"], columns["property"], columns["unit"]) == (
        "sample",
        "kind",
        "strength",
        "MPa",
    )
    assert (columns["features"], columns["on_missing"]) == (["temperature [K]", "Zeit"], "unknown")
    assert told["campaign"]["budget"] == 18
    assert told["lab"]["instruments"] == {"furnace": "furnace"}
    fields = told["lab"]["request"]["fields"]
    assert fields["temperature"] == {"value": 'feature."temperature [K]"', "from_unit": "K", "unit": "K"}
    assert (fields["zeit"], fields["sample"], fields["job"]) == ("feature.Zeit", "source_id", "attempt_id")


def test_what_was_guessed_says_why_and_what_is_not_used_is_named() -> None:
    text = scenario_text(guess(), "recipes", "furnace", "recipes-lab.toml")
    assert 'id = "sample"   # guessed: its cells are all different' in text
    assert "# not used: remark" in text
    assert "entropilot lab try recipes-lab.toml" in text


def test_what_is_not_there_is_left_to_the_person() -> None:
    told = written(id=None, family=None, known=30, unused=())
    assert told["pool"]["columns"]["family"] == []
    assert "id" not in told["pool"]["columns"]
    assert "on_missing" not in told["pool"]["columns"]
    assert "sample" not in told["lab"]["request"]["fields"]
    assert told["campaign"]["budget"] == 20


def test_names_that_would_meet_are_numbered_and_others_are_made_plain() -> None:
    told = written(parameters={"job": "", "x y": "", "x-y": "", "°": ""})
    assert set(told["lab"]["request"]["fields"]) == {"job", "sample", "job_2", "x_y", "x_y_2", "parameter"}


def test_how_the_table_is_written_goes_with_it() -> None:
    columns = written(format=TableFormat(delimiter=";", decimal=","))["pool"]["columns"]
    assert (columns["delimiter"], columns["decimal"]) == (";", ",")
