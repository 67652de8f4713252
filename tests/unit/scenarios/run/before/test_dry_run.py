"""The first requests are shown as they would be sent: decided by the policy, within the limits, and at their pace."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest
from scenarios.run.before.dry_run import DryRun, first_requests
from scenarios.run.before.report import dry_run_in_words, dry_run_json
from scenarios.run.request import RunRequest
from scenarios.settings.derived import scenario_of
from scenarios.world.world import build_world
from tests.support.runs.toy_table import write_toy_table


def shown(folder: Path, **sections: Any) -> DryRun:
    columns = {"id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["x", "y"]}
    scenario = scenario_of(
        {
            "name": "toy",
            "pool": {"path": str(write_toy_table(folder / "t.csv")), "columns": columns},
            "start": {"size": 24},
            "campaign": {"budget": 15, "policy": "random", "parallel": 3},
        }
        | sections
    )
    return first_requests(RunRequest(scenario, build_world(scenario), "toy", folder / "run"))


def test_as_many_requests_are_shown_as_go_out_before_an_answer_and_nothing_is_written(tmp_path: Path) -> None:
    found = shown(tmp_path)
    messages = [decode(each.topic, each.payload) for each in found.requests]
    assert all(isinstance(each, CandidateRequest) for each in messages)
    assert len(messages) == 3
    assert not (tmp_path / "run").exists()
    assert [each.not_before for each in found.requests] == [None] * 3


def test_limits_hold_and_what_is_left_is_told(tmp_path: Path) -> None:
    limits = {
        "forbidden_pairs": [["family = a", "x > -9"]],
        "cost": {"available": 2.5, "per_request": 1.0, "unit": "EUR"},
        "requests_per_hour": 1,
    }
    found = shown(tmp_path, limits=limits)
    assert [json.loads(each.payload)["family"] for each in found.requests if each.content["family"] == "a"] == []
    assert [each.takes for each in found.requests] == [{"cost": 1.0}] * 2
    assert found.left == {"cost": 0.5}
    assert sum(found.barred.values()) > 0
    first, second = (each.not_before for each in found.requests)
    assert first is not None
    assert second is not None
    assert second - first == timedelta(hours=1)
    told = json.loads(dry_run_json(found))
    assert told["requests"][0]["payload"]["type"] == "candidate_request"
    assert told["left"] == {"cost": 0.5}
    assert dry_run_in_words(found) is not None


def test_where_nothing_would_be_asked_for_it_says_why(tmp_path: Path) -> None:
    found = shown(tmp_path, limits={"cost": {"available": 0.5, "per_request": 1.0}})
    assert found.requests == ()
    assert "too little is left of cost" in found.ended


def test_what_waits_for_a_person_is_not_shown_as_sent(tmp_path: Path) -> None:
    found = shown(tmp_path, approval={"required": "always"})
    assert (found.requests, found.ended) == ((), "decisions 0, 1, 2 wait for approval")
