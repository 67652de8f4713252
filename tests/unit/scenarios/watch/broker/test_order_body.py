"""An order as JSON is what would have been typed, and never names a file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from protocols.errors import SettingsError
from protocols.wire.messages import ControlAction
from scenarios.watch.broker.order_body import VERBS, OrderBody, wanted_in

MEASURED = '{"name": "energy", "value": -1.25, "unit": "eV", "standard_deviation": 0.1}'


@pytest.mark.parametrize(
    ("body", "verb", "words"),
    [
        ('{"action": "pause"}', "pause", ()),
        ('{"action": "approve_decision", "decision": 0}', "approve", ("0",)),
        ('{"action": "set_budget", "budget": 14}', "set-budget", ("14",)),
        ('{"action": "exclude_candidate", "source_id": "Al 2"}', "exclude", ("Al 2",)),
        ('{"action": "retract_observation", "candidate_id": "m1"}', "retract", ("m1",)),
        (f'{{"action": "amend_observation", "source_id": "m1", "quantity": {MEASURED}}}', "amend", ("m1", "-1.25")),
        (f'{{"action": "add_observation", "source_id": "m1", "quantity": {MEASURED}, "additional": [{MEASURED}]}}',
         "add-result", ("m1", "-1.25", "energy=-1.25")),
        ('{"action": "add_candidates", "row": {"id": "x", "f0": "1"}}', "add-candidate", ("id=x", "f0=1")),
    ],
)  # fmt: skip
def test_each_action_becomes_its_words(body: str, verb: str, words: tuple[str, ...]) -> None:
    wanted = wanted_in(OrderBody.model_validate_json(body))
    assert (wanted.verb, wanted.words, wanted.table) == (verb, words, None)
    if "quantity" in body:
        assert (wanted.property_name, wanted.unit, wanted.standard_deviation) == ("energy", "eV", 0.1)


@pytest.mark.parametrize("action", [each for each in VERBS if each not in {"pause", "resume", "stop"}])
def test_what_lacks_is_named_and_a_name_alone_is_no_file(action: ControlAction) -> None:
    with pytest.raises(SettingsError, match="lacks"):
        wanted_in(OrderBody(action=action))


def test_values_of_a_table_are_added_by_the_command() -> None:
    with pytest.raises(SettingsError, match="nothing that this page asks for"):
        wanted_in(OrderBody(action=ControlAction.ADD_OBSERVATIONS))


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "pause", "operator": "somebody else"}',
        '{"action": "pause", "reason": "' + "x" * 501 + '"}',
        '{"action": "pause", "message_id": "Not lawful"}',
        '{"action": "set_budget", "budget": -1}',
        '{"action": "add_observation", "source_id": "m1", "quantity": {"name": "e", "value": NaN, "unit": ""}}',
        '{"action": "exclude_candidate", "source_id": "two\\nlines"}',
        "[]",
        "",
    ],
)
def test_what_no_message_could_carry_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        OrderBody.model_validate_json(body)
