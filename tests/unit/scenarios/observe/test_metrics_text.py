"""Tests of Prometheus' text, read by Prometheus' own parser."""

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from scenarios.observe.figures import InstrumentFigures, RunFigures, Timing
from scenarios.observe.metrics_text import METRICS, PHASES, PREFIX, metric_names, metrics_text

FULL = RunFigures(
    run="mine",
    phase="running",
    property="bulk_modulus",
    policy="gap_gain",
    is_agent_there=True,
    journal_row=812,
    observation=57,
    decisions=58,
    spent=57,
    budget=200,
    in_flight=4,
    oldest_in_flight_s=12.5,
    abandoned=1,
    awaiting_approval=0,
    results={"accepted": 57, "duplicate": 2},
    quarantined={"not_json": 3},
    retries=6,
    entropies={"cubic": 1.25, "hexagonal": None, 'a"b\\c\nd': -0.5},
    sizes={"cubic": 30, "hexagonal": 1},
    entropy_range=0.5,
    mean_gap=0.21,
    best_mean_gap=0.2,
    last_event_at_s=1_780_000_000.25,
    deciding=Timing(58, 7.25),
    committing=Timing(400, 1.5),
    instruments=(
        InstrumentFigures(
            "diffractometer-1",
            is_online=True,
            in_flight=2,
            silent_s=3.5,
            accepted=40,
            failed={"calculation_failed": 2},
            expired=1,
        ),
    ),
)


def samples_of(*runs: RunFigures) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics_text(runs))
        for sample in family.samples
    }


def test_the_parser_reads_every_figure_as_it_was() -> None:
    found = samples_of(FULL)
    run = ("run", "mine")
    assert found["entropilot_step", (run,)] == 57
    assert found["entropilot_results_total", (("receipt", "duplicate"), run)] == 2
    assert found["entropilot_quarantined_total", (("reason", "not_json"), run)] == 3
    assert found["entropilot_entropy", (("family", "cubic"), run)] == 1.25
    assert found["entropilot_decision_seconds_sum", (run,)] == 7.25
    assert found["entropilot_commit_seconds_count", (run,)] == 400
    assert found["entropilot_last_event_timestamp_seconds", (run,)] == 1_780_000_000.25
    assert found["entropilot_instrument_silent_seconds", (("instrument", "diffractometer-1"), run)] == 3.5
    labels = (("instrument", "diffractometer-1"), ("reason", "calculation_failed"), run)
    assert found["entropilot_instrument_failures_total", labels] == 2


def test_names_of_strangers_come_through_as_they_are() -> None:
    assert samples_of(FULL)["entropilot_entropy", (("family", 'a"b\\c\nd'), ("run", "mine"))] == -0.5


def test_what_is_not_known_has_no_line() -> None:
    names = {name for name, _ in samples_of(RunFigures("bare", "unreadable", problem="it is damaged"))}
    assert names == {f"{PREFIX}{name}" for name in ("run_info", "readable", "phase", "paused_itself", "journal_row")}


def test_an_entropy_that_is_not_defined_has_no_line() -> None:
    assert ("entropilot_entropy", (("family", "hexagonal"), ("run", "mine"))) not in samples_of(FULL)


def test_one_phase_holds_and_the_others_have_a_line_too() -> None:
    phases = {dict(labels)["phase"]: value for (name, labels), value in samples_of(FULL).items() if "phase" in name}
    assert phases == {phase: float(phase == "running") for phase in PHASES}


def test_each_metric_stands_below_its_type_once_whatever_the_number_of_runs() -> None:
    text = metrics_text([FULL, RunFigures("other", "paused", is_paused_by_itself=True)])
    types = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types)) == len(METRICS)
    assert samples_of(FULL, RunFigures("other", "paused"))["entropilot_phase", (("phase", "paused"), ("run", "other"))]


def test_types_are_those_that_a_parser_sees() -> None:
    kinds = {family.name: family.type for family in text_string_to_metric_families(metrics_text([FULL]))}
    told = {f"{PREFIX}{each.name}".removesuffix("_total"): each.kind for each in METRICS}
    assert kinds == told  # the parser takes _total off the names of counters


def test_numbers_that_are_not_finite_are_written_as_the_format_has_them() -> None:
    run = RunFigures("odd", "running", mean_gap=math.nan, entropy_range=math.inf)
    found = samples_of(run)
    assert math.isnan(found["entropilot_mean_gap", (("run", "odd"),)])
    assert found["entropilot_entropy_range", (("run", "odd"),)] == math.inf


def test_nothing_is_said_of_no_runs() -> None:
    assert not metrics_text([])


def test_a_long_name_and_half_a_character_do_not_break_the_text() -> None:
    run = RunFigures("long", "running", sizes={"x" * 5_000: 1, "\ud800": 2})
    found = samples_of(run)
    assert found["entropilot_family_size", (("family", "?"), ("run", "long"))] == 2
    assert max(len(dict(labels).get("family", "")) for _, labels in found) == 200


def test_the_names_that_queries_may_use_are_those_that_are_written() -> None:
    assert {name for name, _ in samples_of(FULL)} == metric_names()
