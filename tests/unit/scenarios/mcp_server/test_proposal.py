from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from protocols.errors import SettingsError
from scenarios.control.orders import Wanted
from scenarios.mcp_server.proposal import VALID_FOR, Proposal, require_proposable
from tests.support.strangers.proposals import NOW, proposal


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("pause"),
        Wanted("set-budget", ("40",)),
        Wanted("retract", ("c1",)),
        Wanted("add-result", ("c1", "1.5"), None, "eV", 0.1),
        Wanted("add-candidate", ("id=x", "family=a", "x=0.5")),
        Wanted("veto", ("12",)),
    ],
)
def test_what_control_takes_as_words_can_be_proposed(wanted: Wanted) -> None:
    require_proposable(wanted, "energy", "eV")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted("delete"), "nothing that a campaign can be asked for"),
        (Wanted("add-result", ("values.csv",)), "with a file"),
        (Wanted("add-candidate", ("/etc/passwd",)), "with a file"),
        (Wanted("pause", ("now",)), "follows it alone"),
        (Wanted("set-budget", ("many",)), "no whole number"),
        (Wanted("amend", ("c1", "nan")), "no number"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_person_is_asked(wanted: Wanted, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        require_proposable(wanted, "energy", "eV")


def test_it_reads_as_it_would_be_typed() -> None:
    assert proposal(verb="add-result", words=("c1", "1.5"), unit="eV", standard_deviation=0.1).in_words == (
        "add-result c1 1.5 --unit eV --standard-deviation 0.1"
    )


def test_it_is_over_after_a_day() -> None:
    made = proposal()
    assert not made.is_over(NOW + VALID_FOR)
    assert made.is_over(NOW + VALID_FOR + timedelta(seconds=1))


def test_a_file_of_another_kind_is_none() -> None:
    told = proposal().model_dump(mode="json")
    for change in ({"id": "../../x"}, {"verb": "x" * 100}, {"words": ["x"] * 100}, {"format": 2}, {"more": 1}):
        with pytest.raises(ValidationError):
            Proposal.model_validate(told | change)


def test_what_became_of_it_stands_in_it() -> None:
    after = proposal().decided("approved", "accepted", now=datetime(2026, 1, 3, tzinfo=UTC), operator="anna", row=17)
    assert (after.state, after.row, after.operator) == ("approved", 17, "anna")
    assert Proposal.model_validate_json(after.model_dump_json()) == after
