"""The figures of runs as Prometheus reads them: its text format, version 0.0.4. Pure.

Every line of a metric stands below its HELP and TYPE, once, whatever the number of runs. What is not known has no line:
a gap in a graph says so, and a zero would not. Counters count from the beginning of a campaign, for they come from its
database: a restart of the agent or of whoever reads does not set them back.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.observe.figures import InstrumentFigures, RunFigures, Timing

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""What the answer to a scrape says that it is."""

PREFIX: Final = "entropilot_"

PHASES: Final = ("preparing", "running", "paused", "stopping", "finished", "interrupted", "unreadable")
"""Each has a line, 1 where the run stands so and 0 elsewhere: then a query of a phase never finds nothing."""

MAX_LABEL_LENGTH: Final = 200
"""Longest value of a label [character]: families and reasons come from strangers' tables and messages."""

Sample = tuple[str, Mapping[str, str], float | None]
"""Ending of the metric's name, labels beside the run's, value; None for one that is not known."""


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A metric: name without prefix, type, what it means, and its samples in the figures of a run."""

    name: str
    kind: str
    meaning: str
    samples: Callable[[RunFigures], Iterable[Sample]]


def _one(read: Callable[[RunFigures], float | None]) -> Callable[[RunFigures], Iterable[Sample]]:
    return lambda run: [("", {}, read(run))]


def _each(
    label: str, read: Callable[[RunFigures], Mapping[str, float | None] | Mapping[str, int]]
) -> Callable[[RunFigures], Iterable[Sample]]:
    return lambda run: [("", {label: name}, value) for name, value in read(run).items()]


def _timing(read: Callable[[RunFigures], Timing | None]) -> Callable[[RunFigures], Iterable[Sample]]:
    def samples(run: RunFigures) -> Iterable[Sample]:
        timing = read(run)
        return [] if timing is None else [("_sum", {}, timing.sum_s), ("_count", {}, timing.count)]

    return samples


def _instrument(read: Callable[[InstrumentFigures], float | None]) -> Callable[[RunFigures], Iterable[Sample]]:
    return lambda run: [("", {"instrument": each.id}, read(each)) for each in run.instruments]


def _failures(run: RunFigures) -> Iterable[Sample]:
    for each in run.instruments:
        for reason, count in each.failed.items():
            yield "", {"instrument": each.id, "reason": reason}, count


def _phases(run: RunFigures) -> Iterable[Sample]:
    return [("", {"phase": phase}, float(phase == run.phase)) for phase in PHASES]


def _told(run: RunFigures) -> Iterable[Sample]:
    told = {"campaign": run.campaign, "property": run.property, "policy": run.policy, "budget_unit": run.budget_unit}
    return [("", told, 1.0)]


def _flag(value: bool | None) -> float | None:  # noqa: FBT001 - a value, and no option
    return None if value is None else float(value)


GAUGE: Final = "gauge"
COUNTER: Final = "counter"
SUMMARY: Final = "summary"

METRICS: Final = (
    MetricFamily("run_info", GAUGE, "What a run is, in its labels; always 1.", _told),
    MetricFamily("readable", GAUGE, "Whether the run can be read.", _one(lambda run: float(not run.problem))),
    MetricFamily("phase", GAUGE, "1 for the phase in which the campaign is, 0 for the others.", _phases),
    MetricFamily(
        "paused_itself", GAUGE, "Whether the campaign paused without an operator.",
        _one(lambda run: float(run.is_paused_by_itself)),
    ),
    MetricFamily("connected", GAUGE, "Whether the agent is at work.", _one(lambda run: _flag(run.is_agent_there))),
    MetricFamily(
        "step", GAUGE, "Number of the last accepted observation; 0 is the start set.",
        _one(lambda run: run.observation),
    ),
    MetricFamily("journal_row", GAUGE, "Number of the journal's last row.", _one(lambda run: run.journal_row)),
    MetricFamily(
        "last_event_timestamp_seconds", GAUGE, "When the journal grew last, since 1970.",
        _one(lambda run: run.last_event_at_s),
    ),
    MetricFamily("decisions_total", COUNTER, "Decisions that the policy made.", _one(lambda run: run.decisions)),
    MetricFamily("spent", GAUGE, "What is spent of the budget, in its unit.", _one(lambda run: run.spent)),
    MetricFamily("budget", GAUGE, "The budget in all, in its unit.", _one(lambda run: run.budget)),
    MetricFamily("in_flight", GAUGE, "Requests that are awaited.", _one(lambda run: run.in_flight)),
    MetricFamily(
        "oldest_in_flight_seconds", GAUGE, "How long the oldest request has been awaited.",
        _one(lambda run: run.oldest_in_flight_s),
    ),
    MetricFamily("abandoned", GAUGE, "Candidates that were abandoned.", _one(lambda run: run.abandoned)),
    MetricFamily(
        "awaiting_approval", GAUGE, "Decisions that wait for a person.", _one(lambda run: run.awaiting_approval)
    ),
    MetricFamily(
        "results_total", COUNTER, "Answers of instruments, by the receipt that they got.",
        _each("receipt", lambda run: run.results),
    ),
    MetricFamily(
        "quarantined_total", COUNTER, "Messages that were put aside, by reason.",
        _each("reason", lambda run: run.quarantined),
    ),
    MetricFamily("retries_total", COUNTER, "Attempts after a candidate's first.", _one(lambda run: run.retries)),
    MetricFamily(
        "entropy", GAUGE, "Entropy of a family's values, in nats.", _each("family", lambda run: run.entropies)
    ),
    MetricFamily("family_size", GAUGE, "Observations of a family.", _each("family", lambda run: run.sizes)),
    MetricFamily(
        "entropy_range", GAUGE, "Entropy of the richest family less that of the poorest, in nats.",
        _one(lambda run: run.entropy_range),
    ),
    MetricFamily(
        "mean_gap", GAUGE, "Mean of what the families lack to the richest one, in nats: the bias.",
        _one(lambda run: run.mean_gap),
    ),
    MetricFamily(
        "best_mean_gap", GAUGE, "The smallest mean gap so far, in nats.", _one(lambda run: run.best_mean_gap)
    ),
    MetricFamily(
        "decision_seconds", SUMMARY, "Time that the policy took to decide.", _timing(lambda run: run.deciding)
    ),
    MetricFamily(
        "commit_seconds", SUMMARY, "Time that commits to the database took.", _timing(lambda run: run.committing)
    ),
    MetricFamily(
        "instrument_online", GAUGE, "Whether an instrument is there.", _instrument(lambda each: _flag(each.is_online))
    ),
    MetricFamily(
        "instrument_in_flight", GAUGE, "Requests that an instrument holds.", _instrument(lambda each: each.in_flight)
    ),
    MetricFamily(
        "instrument_silent_seconds", GAUGE, "How long nothing has come from an instrument.",
        _instrument(lambda each: each.silent_s),
    ),
    MetricFamily(
        "instrument_results_total", COUNTER, "Results of an instrument that were accepted.",
        _instrument(lambda each: each.accepted),
    ),
    MetricFamily("instrument_failures_total", COUNTER, "Attempts that an instrument said had failed.", _failures),
    MetricFamily(
        "instrument_expired_total", COUNTER, "Attempts that an instrument did not answer in time.",
        _instrument(lambda each: each.expired),
    ),
)  # fmt: skip
"""Every metric, in the order in which it is told."""


def metric_names() -> frozenset[str]:
    """Return the names that queries may use: of a summary, those of its sum and count."""
    endings = {SUMMARY: ("_sum", "_count")}
    return frozenset(f"{PREFIX}{each.name}{end}" for each in METRICS for end in endings.get(each.kind, ("",)))


def metrics_text(runs: Sequence[RunFigures]) -> str:
    """Return the figures of runs in Prometheus' text format; serve it as `CONTENT_TYPE`."""
    return "".join(f"{line}\n" for metric in METRICS for line in _lines(metric, runs))


def _lines(metric: MetricFamily, runs: Sequence[RunFigures]) -> Iterator[str]:
    name = f"{PREFIX}{metric.name}"
    found = [
        f"{name}{ending}{_labels({'run': run.run, **labels})} {_number(value)}"
        for run in runs
        for ending, labels, value in metric.samples(run)
        if value is not None
    ]
    if found:
        yield f"# HELP {name} {_escaped(metric.meaning, quotes=False)}"
        yield f"# TYPE {name} {metric.kind}"
        yield from dict.fromkeys(found)


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value[:MAX_LABEL_LENGTH])}"' for name, value in labels.items()) + "}"


def _escaped(text: str, *, quotes: bool = True) -> str:
    """Return a text as the format wants it: in one line, and in UTF-8; half a character becomes a question mark."""
    escaped = text.encode(errors="replace").decode().replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if quotes else escaped


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
