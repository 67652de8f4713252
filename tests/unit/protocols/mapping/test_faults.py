"""Faults of a mapping name the setting, where it stands, and what to do; those of a message the rule."""

from __future__ import annotations

from protocols.mapping.faults import MappingError, MappingProblem, UnmappedMessage

PROBLEM = MappingProblem(("result", "id"), "nobody says where the id is", "an id", "set id")


def test_a_problem_is_told_with_its_place_where_there_is_one() -> None:
    assert PROBLEM.told("from lab.toml, line 7").found == (
        "lab.result.id (from lab.toml, line 7): nobody says where the id is"
    )
    assert PROBLEM.told().found == "lab.result.id: nobody says where the id is"


def test_one_problem_is_an_error_in_three_parts() -> None:
    error = MappingError([PROBLEM])
    assert (error.expected, error.action, error.problems) == ("an id", "set id", (PROBLEM,))


def test_a_message_that_does_not_fit_names_the_rule() -> None:
    fault = UnmappedMessage(("result", "id"), "the id is none", expected="one")
    assert (fault.reason, str(fault)) == ("unmapped", "[lab.result.id] the id is none. Expected: one.")
