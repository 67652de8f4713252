"""What an operator wants is checked before anything is made, and becomes the same messages in every life of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from protocols.errors import SettingsError
from protocols.wire.messages import AddedCandidate, Control, ControlAction, Quantity
from scenarios.settings.operator_actions import OperatorAction, controls
from scenarios.sources.scenario import Overrides, load_scenario
from tests.support.campaigns import with_source_ids
from tests.support.samples.decided import smooth_pool

POOL = smooth_pool(6)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def written(*operator_actions: OperatorAction, campaign: str = "c") -> tuple[Control, ...]:
    return controls(operator_actions, campaign=campaign, pool=POOL, property_name="energy", unit="eV", now=NOW)


def wish(action: str, at: int = 0, **fields: Any) -> OperatorAction:
    return OperatorAction.model_validate({"action": action, "at": at} | fields)


def refused(operator_actions: str) -> str:
    with pytest.raises(SettingsError) as error:
        load_scenario("oracle_table", Overrides(assignments=(f"operator=[{operator_actions}]",)), {})
    return str(error.value)


def test_a_wish_becomes_a_control_with_all_that_it_says() -> None:
    pause, add = written(wish("pause", reason="lunch"), wish("add_observation", candidate="c003", value=1.5))
    assert (pause.action, pause.reason, pause.candidate_id) == (ControlAction.PAUSE, "lunch", None)
    assert (add.candidate_id, add.quantity) == ("c003", Quantity(name="energy", value=1.5, unit="eV"))


def test_candidates_that_join_the_pool_are_written_as_in_a_message() -> None:
    new = {"candidate_id": "m-new", "family": "cubic", "features": [1, 2.5], "smiles": "CO"}
    (add,) = written(wish("add_candidates", candidates=[new]))
    assert add.candidates == (AddedCandidate(candidate_id="m-new", family="cubic", features=(1.0, 2.5), smiles="CO"),)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "add_candidates needs a list of candidates"),
        ({"candidates": [{"candidate_id": "m-new"}]}, "family"),
        ({"candidates": [{"candidate_id": "M", "family": "x", "features": []}]}, "candidate_id"),
        ({"candidates": "m-new"}, "valid tuple"),
    ],
)
def test_candidates_that_are_none_are_refused_with_what_they_lack(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        wish("add_candidates", **fields)


def test_a_candidate_is_named_by_its_id_or_by_its_place_in_the_pool() -> None:
    by_id, by_place = written(
        wish("exclude_candidate", candidate=POOL.candidate_ids[2]), wish("exclude_candidate", candidate=2)
    )
    assert by_id.candidate_id == by_place.candidate_id


def test_a_candidate_is_named_as_its_table_does_too() -> None:
    pool = with_source_ids(POOL)
    actions = (wish("exclude_candidate", candidate="C 2/α"),)
    (excluded,) = controls(actions, campaign="c", pool=pool, property_name="energy", unit="eV", now=NOW)
    assert excluded.candidate_id == pool.candidate_ids[2]


@pytest.mark.parametrize("candidate", ["c999", 6])
def test_a_candidate_that_the_pool_does_not_have_is_told(candidate: object) -> None:
    with pytest.raises(SettingsError, match=r"operator\.0\.candidate is"):
        written(wish("exclude_candidate", candidate=candidate))


def test_messages_keep_their_ids_and_differ_by_place_and_campaign() -> None:
    operator_actions = (wish("pause"), wish("resume"), wish("pause"), wish("resume"))
    ids = [control.message_id for control in written(*operator_actions)]
    assert ids == [control.message_id for control in written(*operator_actions)]
    assert len({*ids, *(control.message_id for control in written(*operator_actions, campaign="other"))}) == 8


def test_what_can_never_have_its_turn_is_refused() -> None:
    assert "never resumes or stops it" in refused('{at=1, action="pause"}')
    assert "paused at 1 and stays there" in refused('{at=1, action="pause"}, {at=2, action="resume"}')
    assert "put them in order" in refused('{at=2, action="stop"}, {at=1, action="stop"}')
    load_scenario("oracle_table", Overrides(assignments=('operator=[{at=1, action="pause"}, {at=1, action="stop"}]',)))


def test_a_wish_that_says_too_little_or_too_much_is_refused() -> None:
    assert "exclude_candidate needs a candidate" in refused('{at=1, action="exclude_candidate"}')
    assert "add_observation needs a value" in refused('{at=1, action="add_observation", candidate="a"}')
    assert "stop takes no candidate" in refused('{at=1, action="stop", candidate="a"}')
    assert "stop takes no value" in refused('{at=1, action="stop", value=1.0}')
    assert "operator.0.action" in refused('{at=1, action="pauze"}')
