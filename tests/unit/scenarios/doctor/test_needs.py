"""What a part needs follows from the access list, and what is tried for it reaches no instrument."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import SettingsError
from protocols.link.credentials import Account, Role
from protocols.link.memory.broker import matches
from scenarios.broker.access import rules_of
from scenarios.broker.embedded.users import Action
from scenarios.doctor.needs import (
    Need,
    Part,
    concrete,
    is_heard_at_work,
    listener_for,
    needs_of,
    part_meant,
    speaker_for,
)

LAB = "entropilot/v1/lab"
PARTS = (
    Part(Role.AGENT, "agent"),
    Part(Role.OBSERVER, "observer"),
    Part(Role.INSTRUMENT, "furnace"),
    Part(Role.OPERATOR, "ada"),
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.role)
def test_every_rule_of_a_part_is_a_need_that_is_tried_on_a_topic_which_the_rule_takes(part: Part) -> None:
    needs = needs_of(part, "lab")
    assert len(needs) == len(rules_of(part.role, part.name))
    for need in needs:
        assert matches(need.topics, need.tried)
        assert not {"+", "#"} & set(need.tried)
        assert need.tried.startswith(f"{LAB}/")


def test_an_agent_tries_what_it_says_with_a_name_that_nobody_has_and_says_it_first() -> None:
    needs = needs_of(PARTS[0], "lab")
    assert needs[0] == Need(Action.WRITE, f"{LAB}/request/+", f"{LAB}/request/doctor")
    assert Need(Action.READ, f"{LAB}/result/+", f"{LAB}/result/doctor") in needs
    assert [need.action for need in needs] == sorted((need.action for need in needs), reverse=True)


def test_where_only_who_may_say_everything_speaks_is_known() -> None:
    spoken = {need.topics: need.is_spoken for need in needs_of(PARTS[0], "lab") if need.action is Action.READ}
    assert not spoken[f"{LAB}/control"]
    assert spoken[f"{LAB}/control/+"]


@pytest.mark.parametrize(
    ("named", "part"),
    [
        ({}, PARTS[0]),
        ({"observer": True}, PARTS[1]),
        ({"instrument": "furnace"}, PARTS[2]),
        ({"operator": "ada"}, PARTS[3]),
    ],
)
def test_a_part_is_named_as_for_a_broker(named: dict[str, Any], part: Part) -> None:
    assert part_meant(**named) == part


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"instrument": "A B"}, "can be no instrument's"),
        ({"operator": "agent"}, "can be no instrument's"),
        ({"instrument": ""}, "can be no instrument's"),
        ({"instrument": "furnace", "operator": "ada"}, "More than one part"),
        ({"instrument": "furnace", "observer": True}, "More than one part"),
    ],
)
def test_what_is_no_part_or_several_is_refused(named: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        part_meant(**named)


def test_who_can_say_what_a_part_must_hear_is_found_with_its_own_topic() -> None:
    furnace, ada = Account("furnace", Role.INSTRUMENT, ""), Account("ada", Role.OPERATOR, "")
    result = Need(Action.READ, f"{LAB}/result/+", f"{LAB}/result/doctor")
    assert speaker_for(result, [ada, furnace], "lab") == (furnace, f"{LAB}/result/furnace")
    assert speaker_for(result, [ada], "lab") is None
    assert speaker_for(result, [Account("entropilot", Role.ALL, "")], "lab") is not None
    request = Need(Action.READ, f"{LAB}/request/furnace", f"{LAB}/request/furnace")
    agent = Account("agent", Role.AGENT, "")
    assert speaker_for(request, [agent], "lab") == (agent, f"{LAB}/request/furnace")


def test_who_hears_a_topic_is_found() -> None:
    furnace, observer = Account("furnace", Role.INSTRUMENT, ""), Account("observer", Role.OBSERVER, "")
    assert listener_for(f"{LAB}/result/furnace", [furnace, observer], "lab") is observer
    assert listener_for(f"{LAB}/request/furnace", [furnace, observer], "lab") is furnace
    assert listener_for(f"{LAB}/metrics", [furnace], "lab") is None


@pytest.mark.parametrize(
    ("topics", "topic"),
    [
        (f"{LAB}/result/+", f"{LAB}/result/doctor"),
        (f"{LAB}/metrics", f"{LAB}/metrics"),
        ("entropilot/v1/#", f"{LAB}/receipt/doctor"),
        ("#", f"{LAB}/receipt/doctor"),
    ],
)
def test_a_filter_is_tried_on_a_topic_that_reaches_nobody_where_it_leaves_the_choice(topics: str, topic: str) -> None:
    assert concrete(topics, "lab") == topic


@pytest.mark.parametrize(
    ("channel", "online", "is_heard"),
    [
        ("request/doctor", {"agent", "furnace"}, False),
        ("receipt/doctor", {"agent", "furnace"}, False),
        ("request/furnace", {"furnace"}, True),
        ("request/any", {"furnace"}, True),
        ("request/any", {"agent"}, False),
        ("result/doctor", {"agent"}, True),
        ("result/doctor", {"furnace"}, False),
        ("status/agent", {"furnace"}, True),
        ("metrics", {"agent"}, True),
        ("control", set(), False),
    ],
)
def test_whether_somebody_at_work_would_hear_it(channel: str, online: set[str], is_heard: bool) -> None:
    assert is_heard_at_work(f"{LAB}/{channel}", online) is is_heard
