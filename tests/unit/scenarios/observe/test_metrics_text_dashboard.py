"""Tests of the dashboard for Grafana: sound, and every query names metrics and labels that there are."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scenarios.observe.metrics_text import metric_names, metrics_text
from tests.unit.scenarios.observe.test_metrics_text import FULL

DASHBOARD: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[4] / "docs/examples/grafana.json").read_text(encoding="utf-8")
)
PANELS: Final[list[dict[str, Any]]] = DASHBOARD["panels"]
QUERIES: Final = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
EACH: Final = pytest.mark.parametrize(
    ("title", "target"), QUERIES, ids=lambda each: each if isinstance(each, str) else ""
)
COLUMNS: Final = 24
"""Width of a dashboard."""

LABELS: Final = {
    sample.name: set(sample.labels)
    for family in text_string_to_metric_families(metrics_text([FULL]))
    for sample in family.samples
}
"""Metric -> its labels, as a parser sees them."""


def names_in(query: str) -> set[str]:
    return set(re.findall(r"\bentropilot_\w+", query))


@EACH
def test_every_query_names_metrics_that_there_are(title: str, target: dict[str, Any]) -> None:
    names = names_in(target["expr"])
    assert names, title
    assert names <= metric_names()


@EACH
def test_every_query_is_of_the_runs_that_are_chosen_and_is_closed(title: str, target: dict[str, Any]) -> None:
    query = target["expr"]
    assert query.count('{run=~"$run"}') == len(re.findall(r"\bentropilot_\w+", query)), title
    for begin, end in ("()", "[]", "{}"):
        assert query.count(begin) == query.count(end)


@EACH
def test_every_legend_and_grouping_names_labels_that_its_metrics_have(title: str, target: dict[str, Any]) -> None:
    labels = set.intersection(*(LABELS[name] for name in names_in(target["expr"])))
    grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
    wanted = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    wanted |= {label.strip() for group in grouped for label in group.split(",")}
    assert wanted <= labels, title


@EACH
def test_rates_are_of_counters_alone(title: str, target: dict[str, Any]) -> None:
    rated = set(re.findall(r"(?:rate|increase)\((entropilot_\w+)", target["expr"]))
    assert all(name.endswith(("_total", "_sum", "_count")) for name in rated), title
    shown = names_in(target["expr"]) - rated
    assert not [name for name in shown if name.endswith("_total")] or target.get("format") == "table", title


def test_panels_have_a_place_of_their_own_and_say_what_they_show() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS) >= 10
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in PANELS):
        assert place["x"] + place["w"] <= COLUMNS
        cells = set(
            itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
        )
        assert not cells & taken
        taken |= cells


def test_what_an_operator_must_see_is_there() -> None:
    shown = {name for _, target in QUERIES for name in names_in(target["expr"])}
    assert {f"entropilot_{name}" for name in (
        "phase", "connected", "spent", "budget", "in_flight", "oldest_in_flight_seconds", "results_total",
        "quarantined_total", "retries_total", "entropy", "mean_gap", "best_mean_gap", "instrument_silent_seconds",
        "awaiting_approval", "paused_itself", "decision_seconds_sum", "commit_seconds_sum",
    )} <= shown  # fmt: skip


def test_it_asks_the_prometheus_that_is_chosen_for_the_runs_that_there_are() -> None:
    source, run = DASHBOARD["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert names_in(run["query"]["query"]) == {"entropilot_run_info"}
    chosen = {panel["datasource"]["uid"] for panel in PANELS} | {target["datasource"]["uid"] for _, target in QUERIES}
    assert chosen == {"${datasource}"}
    for annotation in DASHBOARD["annotations"]["list"]:
        assert names_in(annotation["expr"]) <= metric_names()
