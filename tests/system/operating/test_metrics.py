"""What Prometheus is told of a real run is what its journal says, while it works and when it was killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scenarios.observe.metrics_text import metric_names, metrics_text
from scenarios.watch.figures import figures_of
from scenarios.watch.reading.find import open_run
from tests.support.commands import Workbench, until

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


def told(bench: Workbench) -> dict[str, float]:
    """What is told of the run, by the name of the metric and its label but for the run's."""
    with closing(open_run(bench.runs / "lab")) as source:
        text = metrics_text([figures_of(source)])
    return {
        " ".join([sample.name, *(value for name, value in sample.labels.items() if name != "run")]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name != "entropilot_run_info"
    }


def test_the_figures_are_those_of_the_journal(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet").code == 0
    found = told(bench)
    assert found["entropilot_phase finished"] == 1
    assert found["entropilot_step"] == found["entropilot_spent"] == found["entropilot_budget"] == 12
    assert found["entropilot_results_total accepted"] == 12
    assert found["entropilot_in_flight"] == found["entropilot_retries_total"] == 0
    assert found["entropilot_journal_row"] == bench.rows("SELECT max(sequence) FROM journal")[0][0]
    sizes = {name.split()[-1]: value for name, value in found.items() if name.startswith("entropilot_family_size")}
    assert sizes == dict(bench.rows("SELECT family, count(*) FROM observation GROUP BY family"))
    (last,) = bench.rows("SELECT mean_gap, entropy_range FROM bias_point ORDER BY observation DESC LIMIT 1")
    assert (found["entropilot_mean_gap"], found["entropilot_entropy_range"]) == last
    assert found["entropilot_best_mean_gap"] == bench.rows("SELECT min(mean_gap) FROM bias_point")[0][0]
    assert found["entropilot_decision_seconds_count"] >= 12
    assert found["entropilot_commit_seconds_sum"] > 0
    assert {name.split()[0] for name in found} <= metric_names()
    assert "entropilot_connected" not in found, "nobody expects an agent of a campaign that is over"


def test_a_run_that_works_waits_and_is_killed_is_told_so(bench: Workbench) -> None:
    running = bench.start("run", "lab.toml", "--quiet", "--set", "simulator.latency.mean_s=60")
    bench.wait_for_events("RequestIssued", 4)
    at_work = told(bench)
    assert (at_work["entropilot_phase running"], at_work["entropilot_connected"]) == (1, 1)
    assert at_work["entropilot_in_flight"] == at_work["entropilot_instrument_in_flight simulator-1"] == 4
    until(lambda: told(bench)["entropilot_oldest_in_flight_seconds"] > 0.2, "no time passes")
    running.kill()
    until(lambda: told(bench)["entropilot_connected"] == 0, "its end is not seen")
    assert told(bench)["entropilot_phase interrupted"] == 1
