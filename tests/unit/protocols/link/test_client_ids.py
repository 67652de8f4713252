"""Client ids are fixed, and no two parts at work have the same."""

from __future__ import annotations

from protocols.link.client_ids import agent_client_id, listener_client_id, operator_client_id, simulator_client_id


def test_parts_of_one_name_in_different_places_have_different_ids() -> None:
    ids = [
        agent_client_id("c", "agent-1"),
        agent_client_id("c", "agent-2"),
        operator_client_id("c"),
        *(simulator_client_id(campaign, "x", instance) for campaign in ("c", None) for instance in ("1", "2", None)),
    ]
    assert len(set(ids)) == len(ids)


def test_an_instrument_of_the_first_version_is_known_by_its_old_id() -> None:
    assert simulator_client_id("c", "x", None) == "entropilot-c-x"
    assert simulator_client_id(None, "x", None) == "entropilot-all-x"


def test_a_command_that_comes_and_goes_is_called_by_what_it_does() -> None:
    assert listener_client_id("tidy", "0123456789abcdef") == "entropilot-tidy-0123456789ab"
