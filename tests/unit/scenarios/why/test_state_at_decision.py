"""What limits kept from a decision is told as it was then: by which rule, and what was left of the stocks."""

from __future__ import annotations

from rich.console import Console

from agent.campaign.events import DecisionMade
from agent.pool.limits.settings import AskingLimits
from agent.store.partial_pool import partial_pool
from scenarios.why.explain import explain
from scenarios.why.explanation import SupplyAtDecision
from scenarios.why.words import explanation_in_words
from tests.support.campaigns import Play, small_plan, small_pool

POOL = small_pool(12)
LIMITS = AskingLimits.model_validate(
    {
        "parameters": {"f0": [-0.5, 9.0]},
        "stock": {"palladium": {"available": 4.0, "per_request": 1.5, "unit": "mg"}},
    }
)


def played() -> Play:
    found = Play(POOL, small_plan(POOL, budget=2, limits=LIMITS), ("c000", "c001"))
    found.settle()
    while found.awaited:
        found.answer(found.awaited[0])
    return found


def test_rules_and_stocks_are_those_of_the_decision() -> None:
    play = played()
    barred = sum(row[0] < -0.5 for row in POOL.features[2:].tolist())
    reason = "its f0 is not within -0.5 to 9 (limits.parameters)"
    for made, left in zip(play.of_kind(DecisionMade), (4.0, 2.5), strict=True):
        told = explain(play.journal, POOL, made.decision)
        assert told.then.barred == {reason: barred}
        assert told.then.supplies == (SupplyAtDecision("palladium", left, 4.0, "mg"),)
        assert [each.takes for each in told.first.outcome.attempts] == [{"palladium": 1.5}]


def test_without_the_pool_stocks_are_told_and_no_rule() -> None:
    play = played()
    families = {each.candidate_id: each.family for each in POOL.candidates}
    touched = partial_pool(play.journal, families, POOL.families, {})
    told = explain(play.journal, touched, 1)
    assert told.then.barred == {}
    assert told.then.supplies == (SupplyAtDecision("palladium", 2.5, 4.0, "mg"),)


def test_people_read_it() -> None:
    console = Console(width=200, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(explanation_in_words(explain(played().journal, POOL, 1)))
    told = " ".join(captured.get().split())
    assert "palladium: 2.5 mg of 4 mg left" in told
    assert "might not be asked for: its f0 is not within -0.5 to 9" in told
    assert "took 1.5 of palladium" in told
