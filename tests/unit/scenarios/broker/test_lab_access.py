"""On a lab's own topics each part may say and hear what its mapping needs, and an instrument nobody else's."""

from __future__ import annotations

from protocols.link.credentials import Role, accounts_for
from scenarios.broker.embedded.users import Action
from scenarios.broker.lab_access import lab_rules_of
from scenarios.broker.mosquitto import access_list
from tests.support.mapping.samples import compiled


def test_the_agent_says_requests_and_hears_answers_and_an_instrument_the_reverse_under_its_own_name() -> None:
    lab = compiled()
    assert lab_rules_of(lab, Role.AGENT, "agent") == ((Action.WRITE, "lab/+/run"), (Action.READ, "lab/+/done"))
    assert lab_rules_of(lab, Role.INSTRUMENT, "furnace") == (
        (Action.WRITE, "lab/F1/done"), (Action.READ, "lab/F1/run"),
    )  # fmt: skip


def test_who_is_no_part_of_the_lab_gets_nothing_there() -> None:
    lab = compiled()
    for role, name in ((Role.INSTRUMENT, "stranger"), (Role.OPERATOR, "anna"), (Role.OBSERVER, "observer")):
        assert lab_rules_of(lab, role, name) == ()


def test_mosquittos_list_has_them_behind_ours() -> None:
    users = access_list(accounts_for(["furnace"]), compiled()).split("\nuser ")
    assert "topic write lab/F1/done" in users[-1].splitlines()
    assert "topic write entropilot/v1/+/result/furnace" in users[-1].splitlines()
    assert "topic read lab/+/done" in users[1].splitlines()
