"""A forecast on a terminal, as JSON and as files."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from scenarios.forecast.forecast import PLAYED, Forecast
from scenarios.forecast.report import forecast_json, forecast_table, write_forecast
from scenarios.forecast.words import in_words


def test_the_sentences_stand_above_the_tables_and_all_fits_eighty_columns(told: Forecast) -> None:
    out = StringIO()
    Console(file=out, width=80, no_color=True).print(forecast_table(told))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    joined = " ".join(text.split())
    places = [
        joined.index(part) for part in (*in_words(told), "policy start", "family candidates", "Drawn from a model")
    ]
    assert places == sorted(places)
    (alike,) = (line for line in text.splitlines() if line.startswith("alike"))
    assert alike.split()[1] == "30"
    assert alike.rstrip().endswith("cannot be helped")


def test_the_json_holds_every_course_and_every_family(told: Forecast) -> None:
    tree = json.loads(forecast_json(told))
    assert tree["sentences"] == in_words(told)
    assert len(tree["courses"]["gap_gain"]["mean_gap"]["mean"]) == told.budget + 1
    assert tree["courses"]["random"]["mean_gap"]["low"][-1] >= 0.0
    assert tree["difference"]["mean_gap"]["mean"] < 0.0
    assert [each["family"] for each in tree["families"] if each["cannot_be_helped"]] == ["alike"]
    assert tree["flat_from"].keys() == set(PLAYED)


def test_figure_courses_and_json_are_written(told: Forecast, tmp_path: Path) -> None:
    figure, courses, content = write_forecast(told, tmp_path / "new" / "folder")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert json.loads(content.read_text()) == json.loads(forecast_json(told))
    with courses.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    last = [row for row in rows if row["policy"] == "gap_gain" and row["metric"] == "mean_gap"][-1]
    assert int(last["observation"]) == told.budget
    assert float(last["mean"]) == told.courses["gap_gain"]["mean_gap"].mean[-1]
    assert float(last["low"]) <= float(last["mean"]) <= float(last["high"])
