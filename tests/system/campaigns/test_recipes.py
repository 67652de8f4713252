"""A table of parameters, without structures: a lab gets all that it needs, and tells all that it knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest
from tests.support.commands import Workbench

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]  # it bounds a hang; a loaded machine is slow

SCENARIO = """
name = "recipes"
[pool]
path = "recipes.csv"
[pool.columns]
id = "run"
family = "catalyst"
property = "yield"
unit = "%"
labels = ["solvent"]
[pool.columns.parameters]
temperature = "K"
flow_rate = "mL/min"
[start]
size = 12
minimum_per_family = 4
[campaign]
budget = 6
policy = "gap_gain"
send_features = true
"""

DEVICE = '''
from protocols.wire.messages import Quantity, RawFile
from simulators.evaluator import Measurement


class Device:
    """Knows no table: it sets what a request tells it to set."""

    def evaluate(self, request):
        told = {each.name: (each.value, each.unit) for each in request.parameters}
        (heat, kelvin), (flow, rate) = told["temperature"], told["flow_rate"]
        assert (kelvin, rate) == ("K", "mL/min")
        centre = heat / 10 + 3 * flow + len(request.labels["solvent"])
        return Measurement(
            (Quantity(name="yield", value=centre, unit="%"), Quantity(name="purity", value=99.0, unit="%")),
            replicates=(centre - 0.5, centre, centre + 0.5),
            conditions=(Quantity(name="temperature", value=heat + 0.25, unit="K"),),
            remarks={"batch": request.source_id},
            files=(RawFile(name="spectrum.csv", uri="file:///raw/" + request.candidate_id, size_bytes=12),),
        )
'''

ROWS = [
    (f"R{place}", "abc"[place % 3], 300 + 7 * place % 61, 0.25 * (place % 7), ("water", "ethanol")[place % 2])
    for place in range(30)
]
TABLE = "run,catalyst,temperature,flow_rate,solvent,yield\n" + "".join(
    f"{run},{catalyst},{heat},{flow},{solvent},{heat / 10 + 3 * flow + len(solvent)}\n"
    for run, catalyst, heat, flow, solvent in ROWS
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A run by the table itself, and one by a device that computes what it is told to set."""
    folder = tmp_path_factory.mktemp("recipes")
    with Workbench(folder) as bench:
        (folder / "recipes.csv").write_text(TABLE, encoding="utf-8")
        (folder / "recipes.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / "device.py").write_text(DEVICE, encoding="utf-8")
        for name, more in (("table", ()), ("device", ("--set", 'simulator.evaluator="device.py:Device"'))):
            done = bench.entropilot("run", "recipes.toml", "--campaign", name, "--quiet", *more)
            assert done.code == 0, done.err
        return bench


def requests_in(path: Path) -> list[CandidateRequest]:
    """What the agent asked for, as it went over the wire."""
    with open_recording(path) as recording:
        sent = [decode(row.topic, row.payload) for row in recording.rows() if isinstance(row, MessageRow)]
    return [each for each in sent if isinstance(each, CandidateRequest)]


def test_every_request_tells_all_that_is_to_be_set(bench: Workbench) -> None:
    rows = {row[0]: row for row in ROWS}
    for name in ("table", "device"):
        asked = requests_in(bench.runs / name / "recording.jsonl")
        assert len(asked) == bench.summary(name)["spent"] == 6
        for request in asked:
            _, catalyst, heat, flow, solvent = rows[str(request.source_id)]
            assert [(each.name, each.value, each.unit) for each in request.parameters] == [
                ("temperature", heat, "K"), ("flow_rate", flow, "mL/min"),
            ]  # fmt: skip
            assert (request.family, request.labels) == (catalyst, {"solvent": solvent})
            assert [(each.name, each.unit) for each in request.wanted] == [("yield", "%")]
            assert [(each.name, each.value) for each in request.features] == [
                ("temperature", heat), ("flow_rate", flow),
            ]  # fmt: skip


def test_what_came_with_a_value_is_in_the_dataset_and_shown(bench: Workbench) -> None:
    acquired = "SELECT standard_deviation, details FROM observation WHERE attempt_id IS NOT NULL"
    told = bench.rows(acquired, "device")
    assert len(told) == 6
    for known, details in told:
        assert known == pytest.approx(0.5 / 3**0.5)
        assert set(json.loads(details)) == {"quantities", "replicates", "conditions", "remarks", "files"}
    assert bench.rows(acquired, "table") == [(None, "")] * 6
    why = bench.entropilot("why", "device", "2", "--no-figure")
    assert why.code == 0, why.err
    for line in (
        "± 0.29 %",
        "of 3 single measurements:",
        "purity = 99 %",
        "measured at temperature",
        "raw file spectrum.csv",
    ):
        assert line in why.out
    report = bench.entropilot("report", "device")
    assert "of 6 results came 6 with an uncertainty (median 0.29 %)" in " ".join(report.out.split())


@pytest.mark.parametrize("name", ["table", "device"])
def test_such_a_run_is_verified_and_replayed_exactly(bench: Workbench, name: str) -> None:
    for command in ("verify", "replay"):
        done = bench.entropilot(command, name)
        assert done.code == 0, done.out + done.err
