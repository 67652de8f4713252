"""A person sees a line for each campaign, and a program all that is known."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from rich.console import Console

from protocols.wire.messages import CampaignPhase
from scenarios.status.report import elapsed, standing_json, standing_table
from scenarios.status.standing import BrokerStanding, standing_of
from tests.support.campaigns import NOW
from tests.unit.scenarios.status.test_standing import retained, state, status


def found(*messages: object) -> BrokerStanding:
    campaigns, for_every, unreadable = standing_of(retained(*messages))  # type: ignore[arg-type]
    return BrokerStanding("mqtt://here:1883", campaigns, for_every, unreadable, ("a note",), gives_wildcards=True)


def told(standing: BrokerStanding, width: int = 240) -> str:
    console = Console(width=width, record=True)
    console.print(standing_table(standing, NOW + timedelta(minutes=5)))
    return console.export_text()


def test_a_campaign_has_its_phase_since_when_and_why() -> None:
    waiting = state("lab", CampaignPhase.PAUSED).model_copy(
        update={"since": NOW, "reason": "furnace is cooling", "awaiting_approval": (4, 5)}
    )
    line = told(found(waiting, status("lab", "agent"), status("lab", "furnace"))).splitlines()[1]
    for words in ("lab", "paused", "(5 min)", "3 of 20", "4, 5", "online", "furnace online", "furnace is cooling"):
        assert words in line


def test_a_narrow_terminal_shows_each_campaign_in_lines_of_its_own_and_breaks_no_word() -> None:
    waiting = state("lab", CampaignPhase.PAUSED).model_copy(
        update={"since": NOW, "reason": "furnace is cooling", "awaiting_approval": (4, 5)}
    )
    lines = told(found(waiting, state("other"), status("lab", "agent"), status("lab", "furnace")), 80).splitlines()
    assert lines[0].split() == ["lab", "paused"]
    told_of_lab = [line.split(maxsplit=1)[0] for line in lines[1 : lines.index(next(x for x in lines if "other" in x))]]
    assert {"since", "spent", "agent", "instruments", "why"} <= set(told_of_lab)
    assert any(line.endswith("furnace is cooling") for line in (each.rstrip() for each in lines))


def test_a_campaign_of_which_only_a_part_is_known_is_shown_too() -> None:
    lines = told(found(status("lab", "furnace"), status("every-campaign", "oven"))).splitlines()
    assert (lines[1].split()[:2], "furnace online" in lines[1]) == (["lab", "?"], True)
    assert lines[2].strip() == "for every campaign: oven online"


def test_an_empty_broker_says_so() -> None:
    assert told(found()).strip() == "No campaign is known at mqtt://here:1883."


def test_the_json_has_all_that_is_known() -> None:
    tree = json.loads(standing_json(found(state("lab"), status("lab", "agent"))))
    assert (tree["gives_wildcards"], tree["notes"]) == (True, ["a note"])
    (lab,) = tree["campaigns"]
    assert (lab["state"]["phase"], lab["state"]["spent"], lab["agent"]["health"]) == ("running", 3, "online")


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0 s"), (59, "59 s"), (300, "5 min"), (5400, "1.5 h"), (200_000, "2.3 d")]
)
def test_a_time_is_told_as_people_do(seconds: float, words: str) -> None:
    assert elapsed(NOW, NOW + timedelta(seconds=seconds)) == words
