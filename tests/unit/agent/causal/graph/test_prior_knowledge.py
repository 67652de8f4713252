"""Contradictions are refused by name, and what is left says who may come next."""

from __future__ import annotations

import pytest

from agent.causal.graph.prior_knowledge import PriorKnowledge
from protocols.errors import SettingsError

NAMES = ("mass", "rings", "polarity", "dipole")


def knowledge(**known: list) -> PriorKnowledge:
    return PriorKnowledge.of(NAMES, **known)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"sinks": ["dipol"]}, r"sink 'dipol' is not among the columns.*did you mean 'dipole'"),
        ({"sources": ["charge"]}, r"source 'charge' is not among the columns"),
        ({"forbidden": [("mass", "radius")]}, r"forbidden edge 'radius' is not among"),
        ({"required": [("age", "mass")]}, r"required edge 'age' is not among"),
        ({"required": [("mass", "mass")]}, r"required edge mass → mass leads from a column to itself"),
        ({"forbidden": [("mass", "mass")]}, r"forbidden edge mass → mass leads from a column to itself"),
        ({"required": [("mass", "rings")], "forbidden": [("mass", "rings")]}, r"mass → rings is forbidden as well"),
        ({"required": [("dipole", "rings")], "sinks": ["dipole"]}, r"dipole → rings is forbidden as well"),
        ({"required": [("rings", "mass")], "sources": ["mass"]}, r"rings → mass is forbidden as well"),
        ({"required": [("mass", "rings"), ("rings", "mass")]}, r"cycle (mass → rings → mass|rings → mass → rings)"),
        (
            {"required": [("mass", "rings"), ("rings", "polarity"), ("polarity", "mass")]},
            r"cycle .*mass → rings.*Take out one of these edges",
        ),
    ],
)
def test_what_cannot_be_known_is_refused(known: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        knowledge(**known)


def test_without_knowledge_everybody_may_come_next() -> None:
    assert knowledge().first_among([3, 1, 0]) == [3, 1, 0]


def test_sources_go_first() -> None:
    known = knowledge(sources=["rings", "mass"])
    assert known.first_among([0, 1, 2, 3]) == [0, 1]
    assert known.first_among([1, 2, 3]) == [1]
    assert known.first_among([2, 3]) == [2, 3]


def test_sinks_wait_until_nothing_else_is_left() -> None:
    known = knowledge(sinks=["polarity", "dipole"])
    assert known.first_among([0, 1, 2, 3]) == [0, 1]
    assert known.first_among([2, 3]) == [2, 3]


def test_an_effect_waits_for_its_required_causes() -> None:
    known = knowledge(required=[("dipole", "mass"), ("mass", "rings")])
    assert known.first_among([0, 1, 2, 3]) == [2, 3]
    assert known.first_among([0, 1, 2]) == [0, 2]
    assert known.first_among([1, 2]) == [1, 2]


def test_a_column_into_which_all_edges_are_forbidden_that_are_left_goes_first() -> None:
    known = knowledge(forbidden=[("polarity", "rings"), ("dipole", "rings")])
    assert known.first_among([0, 1, 2, 3]) == [0, 1, 2, 3]  # mass may act on rings
    assert known.first_among([1, 2, 3]) == [1]


def test_an_edge_that_is_forbidden_alone_decides_no_order() -> None:
    known = knowledge(forbidden=[("mass", "dipole")])
    assert known.first_among([0, 1, 2, 3]) == [0, 1, 2, 3]
    assert not known.allowed[3, 0]
