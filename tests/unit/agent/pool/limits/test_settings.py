"""Limits that mean nothing, or two things, are refused when the settings are read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agent.pool.limits.settings import COST, NO_LIMITS, AskingLimits, Supply, place_of

PRICE: dict[str, Any] = {"available": 10.0, "column": "price"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"elements": ["Xx"]}, "no chemical symbol"),
        ({"forbidden_elements": ["lead"]}, "no chemical symbol"),
        ({"elements": ["Fe", "Pb"], "forbidden_elements": ["Pb"]}, "Pb is in elements and in forbidden_elements"),
        ({"parameters": {"x": [2, 1]}}, r"x = \[2, 1\] is empty"),
        ({"parameters": {"x": [0, float("inf")]}}, "finite"),
        ({"forbidden_pairs": [["Pb", "x ~ 1"]]}, "is no condition"),
        ({"forbidden_pairs": [["Pb"]]}, "forbidden_pairs"),
        ({"stock": {"Pd": {"available": 3}}}, "says nothing of what a request takes"),
        ({"stock": {"Pd": {"available": -1, "per_request": 1}}}, "greater than or equal to 0"),
        ({"stock": {COST: PRICE}}, "a stock is called 'cost'"),
        ({"elemnts": ["Fe"]}, "elemnts"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AskingLimits.model_validate(given)


def test_money_is_a_supply_beside_the_stocks() -> None:
    limits = AskingLimits(stock={"Pd": Supply(available=5, per_request=0.5)}, cost=Supply.model_validate(PRICE))
    assert list(limits.supplies) == ["Pd", "cost"]
    assert [place_of(name) for name in limits.supplies] == ["limits.stock.Pd", "limits.cost"]


@pytest.mark.parametrize(
    "given",
    [
        {"elements": ["Fe"]},
        {"forbidden_elements": ["Pb"]},
        {"parameters": {"x": [0, 1]}},
        {"forbidden_pairs": [["x > 1", "y > 1"]]},
        {"cost": PRICE},
        {"stock": {"Pd": PRICE}},
    ],
)
def test_each_part_limits_by_itself_and_is_read_back_from_a_journal(given: dict[str, Any]) -> None:
    limits = AskingLimits.model_validate(given)
    assert limits.is_limiting
    assert AskingLimits.model_validate_json(limits.model_dump_json()) == limits
    assert not NO_LIMITS.is_limiting


def test_only_rules_of_elements_ask_what_candidates_are_made_of() -> None:
    assert AskingLimits(forbidden_pairs=(("x > 1", "Pb"),)).names_elements
    assert AskingLimits(elements=("Fe",)).names_elements
    assert not AskingLimits(forbidden_pairs=(("x > 1", "y > 1"),), parameters={"x": (0, 1)}).names_elements
