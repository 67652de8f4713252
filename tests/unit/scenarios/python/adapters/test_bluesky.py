from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

import entropilot
from protocols.errors import EntropilotError, SettingsError
from tests.support.strangers.strange_campaign import strange_frame


def made(parallel: int = 1, journal: Path | None = None) -> tuple[entropilot.BlueskyOptimizer, pd.Series]:
    frame, secret = strange_frame()
    campaign = entropilot.Campaign(
        frame, property="energy", family="family", unit="eV", features=["x", "value"], budget=5, parallel=parallel,
        journal=journal,
    )  # fmt: skip
    optimizer = entropilot.BlueskyOptimizer(
        campaign, frame, {"stage": "x", "oven": "value"}, outcome="energy", uncertainty="sd"
    )
    return optimizer, secret


def measured(point: dict, secret: pd.Series) -> dict:
    return {"_id": point["_id"], "energy": secret[point["_id"]], "sd": 0.1}


def test_it_suggests_what_the_campaign_asks_for_until_that_is_over() -> None:
    optimizer, secret = made()
    frame, _ = strange_frame()
    plain = entropilot.Campaign(frame, property="energy", family="family", unit="eV", features=["x", "value"], budget=5)
    chosen = []
    while not optimizer.should_stop()[0]:
        (point,) = optimizer.suggest()
        (asked,) = plain.ask()
        assert point["_id"] == asked
        assert (point["stage"], point["oven"]) == (frame.x[asked], frame.value[asked])
        optimizer.ingest([measured(point, secret)])
        plain.tell(asked, secret[asked], uncertainty=0.1)
        chosen.append(point["_id"])
    assert len(set(chosen)) == 5
    assert optimizer.should_stop() == (True, "the budget is spent")
    assert optimizer.suggest() == []
    assert [each[0] for each in optimizer.get_best_points()] == chosen


def test_several_points_are_open_at_once_as_many_as_the_campaign_has_in_flight() -> None:
    optimizer, secret = made(parallel=3)
    points = optimizer.suggest(3)
    assert len({each["_id"] for each in points}) == 3
    with pytest.raises(SettingsError, match="3 candidates are open already"):
        optimizer.suggest()
    with pytest.raises(SettingsError, match="4 candidates are asked for"):
        optimizer.suggest(4)
    optimizer.ingest([measured(each, secret) for each in reversed(points)])
    assert optimizer.suggest(1)


def test_what_failed_is_suggested_again_and_what_was_told_is_passed_over() -> None:
    optimizer, secret = made(parallel=2)
    points = optimizer.suggest(2)
    optimizer.ingest([measured(points[0], secret)])
    optimizer.register_failures(points)
    again = [each["_id"] for each in optimizer.suggest(2)]
    assert points[1]["_id"] in again
    assert points[0]["_id"] not in again


def test_a_point_of_somebodys_own_is_the_candidate_with_these_parameters() -> None:
    optimizer, secret = made()
    frame, _ = strange_frame()
    (found,) = optimizer.register_suggestions([{"stage": frame.x["c20"], "oven": frame.value["c20"]}])
    assert found["_id"] == "c20"
    optimizer.ingest([measured(found, secret)])
    assert optimizer.campaign.dataset.value["c20"] == pytest.approx(secret["c20"])
    for point, words in (
        ({"stage": 7.0, "oven": 7.0}, "No candidates of the pool"),
        ({"stage": 7.0}, "has no 'oven'"),
    ):
        with pytest.raises(SettingsError, match=words):
            optimizer.register_suggestions([point])


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"energy": 1.0, "sd": 0.1}, "has no _id"),
        ({"_id": "c99", "energy": 1.0, "sd": 0.1}, "has the _id 'c99'"),
        ({"_id": "c20", "sd": 0.1}, "has no 'energy'"),
        ({"_id": "c20", "energy": math.nan, "sd": 0.1}, "a value from"),
        ({"_id": "c20", "energy": [1.0, 2.0], "sd": 0.1}, "a value from"),
        ({"_id": "c20", "energy": 1.0, "sd": -0.1}, "not below 0"),
    ],
)
def test_what_cannot_be_told_is_refused_and_changes_nothing(point: dict, words: str) -> None:
    optimizer, _ = made()
    before = len(optimizer.campaign.dataset)
    with pytest.raises(EntropilotError, match=words):
        optimizer.ingest([point])
    assert len(optimizer.campaign.dataset) == before
    assert optimizer.get_best_points() == []


def test_a_checkpoint_needs_a_journal_and_nothing_else(tmp_path: Path) -> None:
    optimizer, secret = made(journal=tmp_path / "runs" / "kept")
    (point,) = optimizer.suggest()
    optimizer.ingest([measured(point, secret)])
    optimizer.checkpoint()
    optimizer.campaign.close()
    again, _ = made(journal=tmp_path / "runs" / "kept")
    assert point["_id"] in again.campaign.dataset.index
    again.campaign.close()
    with pytest.raises(SettingsError, match="kept in memory alone"):
        made()[0].checkpoint()


def test_actuators_need_columns_of_numbers() -> None:
    frame, _ = strange_frame()
    campaign = made()[0].campaign
    for parameters, words in (
        ({"stage": "y"}, "no column 'y'"),
        (["family"], "something else than finite numbers"),
        ({}, "No parameters"),
    ):
        with pytest.raises(SettingsError, match=words):
            entropilot.BlueskyOptimizer(campaign, frame, parameters, outcome="energy")
