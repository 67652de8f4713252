"""A policy that makes candidates is told which of them may not be asked for, and why."""

from __future__ import annotations

from agent.pool.growth import NewCandidate
from agent.pool.limits.new_candidates import LimitsOnNew
from agent.pool.limits.settings import AskingLimits, Supply

NAMES = ("mass", "rings")
LIMITS = AskingLimits(
    forbidden_elements=("F",),
    parameters={"rings": (0, 2)},
    stock={"reagent": Supply(available=10, column="mass", per_request=1)},
)


def new(formula: str, mass: float, rings: float) -> NewCandidate:
    return NewCandidate("n", "f", (mass, rings), formula)


def test_rules_and_what_is_left_hold_for_what_is_made_now() -> None:
    limits = LimitsOnNew(LIMITS, (5.0,))
    assert limits.why_not(new("C6H6", 4.0, 1), NAMES) == ""
    assert limits.why_not(new("C6H5F", 4.0, 1), NAMES) == "it holds F (limits.forbidden_elements)"
    assert limits.why_not(new("C6H6", 4.0, 3), NAMES).startswith("its rings is not within 0 to 2")
    assert limits.why_not(new("C6H6", 4.1, 1), NAMES) == "too little is left of reagent (limits.stock.reagent)"
    negative = "it takes less than nothing of reagent (limits.stock.reagent)"
    assert limits.why_not(new("C6H6", -2.0, 1), NAMES) == negative


def test_what_it_would_take_is_told() -> None:
    assert LimitsOnNew(LIMITS, (5.0,)).takes(new("C6H6", 4.0, 1), NAMES) == {"reagent": 5.0}
