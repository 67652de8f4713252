"""The table of who may say and hear what: every part has what its work needs, and nobody another part's voice."""

from __future__ import annotations

import pytest

from protocols.link.credentials import Role
from protocols.wire.topics import (
    agent_subscriptions,
    lab_subscriptions,
    operator_subscriptions,
    shadow_subscriptions,
    simulator_subscriptions,
)
from scenarios.broker.access import rules_of
from scenarios.broker.embedded.users import Action, User

BASE = "entropilot/v1/lab"
NAMES = {Role.AGENT: "agent", Role.INSTRUMENT: "furnace", Role.OPERATOR: "ann", Role.OBSERVER: "observer"}
SAID = {
    Role.AGENT: (
        "request/furnace",
        "request/any",
        "receipt/furnace",
        "status/agent",
        "metrics",
        "campaign",
        "announce",
    ),
    Role.INSTRUMENT: ("result/furnace", "failure/furnace", "status/furnace", "capabilities/furnace"),
    Role.OPERATOR: ("control/ann",),
    Role.OBSERVER: (),
}
EVERYTHING = sorted(
    {each for several in SAID.values() for each in several}
    | {"control", "control/eve", "result/oven", "failure/oven", "status/oven", "request/oven", "receipt/oven"}
    | {"receipt/ann", "status/ann", "capabilities/oven", "result/agent", "status/observer", "elsewhere"}
)


def part(role: Role) -> User:
    return User(NAMES[role], "", rules_of(role, NAMES[role]))


@pytest.mark.parametrize("role", SAID)
def test_a_part_may_say_what_its_work_needs_and_nothing_else(role: Role) -> None:
    allowed = {each for each in EVERYTHING if part(role).may(Action.WRITE, f"{BASE}/{each}")}
    to_anybody = {each for each in EVERYTHING if each.startswith(("request/", "receipt/"))}
    assert allowed == set(SAID[role]) | (to_anybody if role is Role.AGENT else set())


@pytest.mark.parametrize(
    ("role", "filters"),
    [
        (Role.AGENT, agent_subscriptions("lab")),
        (Role.INSTRUMENT, simulator_subscriptions("furnace", campaign=None, shared=False)),
        (Role.OPERATOR, operator_subscriptions("lab", "ann")),
        (Role.OBSERVER, shadow_subscriptions("lab")),
        (Role.OBSERVER, lab_subscriptions("lab")),
    ],
)
def test_a_part_may_hear_all_that_it_subscribes_to(role: Role, filters: tuple[str, ...]) -> None:
    for each in filters:
        topic = each.replace("/v1/+", "/v1/lab").replace("+", "furnace")
        assert part(role).may(Action.READ, topic), each


def test_an_instrument_hears_no_others_requests_receipts_or_results_and_no_orders() -> None:
    furnace = part(Role.INSTRUMENT)
    heard = {each for each in EVERYTHING if furnace.may(Action.READ, f"{BASE}/{each}")}
    assert heard == {"request/furnace", "request/any", "receipt/furnace", "announce"} | {
        each for each in EVERYTHING if each.startswith("status/")
    }


def test_nobody_but_the_account_for_all_reaches_beyond_our_topics() -> None:
    for role in SAID:
        for action in Action:
            assert not part(role).may(action, "elsewhere/x")
            assert not part(role).may(action, "entropilot/v2/lab/result/furnace")
            assert not part(role).may(action, "$SYS/broker/uptime")
    whole = User("entropilot", "", rules_of(Role.ALL, "entropilot"))
    assert all(whole.may(action, "elsewhere/x") for action in Action)
