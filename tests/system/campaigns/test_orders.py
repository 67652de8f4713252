"""Orders in a whole run: carried out once, in every later decision, and all that looks at the run says the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Workbench

pytestmark = pytest.mark.system

ORDERS = """
[approval]
required = "first_n"
first = 2

[[operator]]
at = 0
action = "veto_decision"
decision = 0
reason = "no more gold"

[[operator]]
at = 0
action = "set_budget"
budget = 8

[[operator]]
at = 0
action = "approve_decision"
decision = 1

[[operator]]
at = 2
action = "retract_observation"
candidate = 0

[[operator]]
at = 2
action = "amend_observation"
candidate = 1
value = 0.5
reason = "a slip of the pen"

[[operator]]
at = 3
action = "requeue_candidate"
candidate = 0
"""
EVERY_ORDER = (
    "DecisionVetoed", "DecisionApproved", "ObservationRetracted", "ObservationAmended", "CandidateRequeued",
    "BudgetSet",
)  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as bench:
        yield bench


def journal(bench: Workbench) -> list[tuple[str, dict[str, Any]]]:
    with sqlite3.connect(bench.folder / "runs" / "lab" / "campaign.db") as connection:
        rows = connection.execute("SELECT kind, payload FROM journal ORDER BY sequence").fetchall()
    return [(kind, json.loads(payload)) for kind, payload in rows]


def observed(bench: Workbench) -> dict[str, float]:
    with sqlite3.connect(bench.folder / "runs" / "lab" / "campaign.db") as connection:
        return dict(connection.execute("SELECT candidate_id, value FROM observation").fetchall())


def test_a_run_with_an_order_of_every_kind_is_sound_replayed_exactly_and_goes_on_with_a_larger_budget(
    bench: Workbench,
) -> None:
    scenario = bench.folder / "lab.toml"
    text = scenario.read_text()
    # Whatever is in the start set has a value: the first two of these are taken back and corrected.
    probe = bench.entropilot("run", "lab.toml", "--budget", "1", "--quiet", "--runs", "probe")
    assert probe.code == 0, probe.err
    with sqlite3.connect(bench.folder / "probe" / "lab" / "campaign.db") as connection:
        (first,) = connection.execute("SELECT payload FROM journal WHERE kind = 'StartSetLoaded'").fetchone()
    one, other = json.loads(first)["candidate_ids"][:2]
    orders = ORDERS.replace("candidate = 0", f'candidate = "{one}"').replace("candidate = 1", f'candidate = "{other}"')
    scenario.write_text(text + orders)

    done = bench.entropilot("run", "lab.toml", "--budget", "6", "--quiet")
    assert done.code == 0, done.err
    events = journal(bench)
    kinds = [kind for kind, _ in events]
    assert [kinds.count(kind) for kind in EVERY_ORDER] == [1] * len(EVERY_ORDER)
    assert "ControlRefused" not in kinds
    assert {event["operator"] for kind, event in events if kind in EVERY_ORDER} == {"operator"}
    assert kinds.count("ResultAccepted") == 8
    values = observed(bench)
    assert values[other] == 0.5
    vetoed = next(event["candidate_ids"] for kind, event in events if kind == "DecisionMade")
    assert not any(kind == "RequestIssued" and event["candidate_id"] in vetoed for kind, event in events)
    for command in (("verify", "lab"), ("replay", "lab"), ("why", "lab", "1", "--no-figure")):
        looked = bench.entropilot(*command)
        assert looked.code == 0, (command, looked.out, looked.err)

    again = bench.entropilot("run", "lab.toml", "--budget", "10", "--quiet", "--resume")
    assert again.code == 0, again.err
    events = journal(bench)
    assert [event["budget"] for kind, event in events if kind == "BudgetSet"] == [8, 10]
    assert [kind for kind, _ in events].count("ResultAccepted") == 10
    assert bench.entropilot("verify", "lab").code == 0
    smaller = bench.entropilot("run", "lab.toml", "--budget", "3", "--quiet", "--resume")
    assert smaller.code != 0
    assert "budget: 6 then, 3 now" in smaller.err
