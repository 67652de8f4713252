"""How far two choices agree, what they brought, and the line that a comparison is written as."""

from __future__ import annotations

from typing import Any

import pytest

from agent.acquisition.base import Choice, Proposal
from protocols.errors import CampaignHalted, StoreError
from scenarios.shadow.choices import Agreement, DecisionComparison, LabChoice, compare_choice, from_line, to_line
from scenarios.shadow.comparison import ShadowSummary, summarise
from scenarios.shadow.lab_campaign import Shadow
from tests.support.campaigns import small_plan
from tests.support.samples.heard import POOL, heard, listener, request, result

PLAN = small_plan(POOL)


def row(lab: tuple[str, ...], shadow: tuple[str, ...], **fields: Any) -> DecisionComparison:
    usual: dict[str, Any] = {
        "number": 0, "lab_number": 0, "chosen_at": "then", "observation": 0, "starved_family": "family-1",
        "scores": (None,) * len(shadow), "runner_up": None, "target_family": None, "reason": "why not", "seed": 1,
        "policy": "random", "fingerprint": "f",
    }  # fmt: skip
    return DecisionComparison(lab=lab, shadow=shadow, **(usual | fields))


def the_choice() -> LabChoice:
    return heard(listener(), [request("c001")])[0]


def summary(shadow: Shadow, rows: list[DecisionComparison]) -> ShadowSummary:
    return summarise(shadow, rows, pool=POOL, scenario="s", gaps=0, stopped_because="it did", files=(), versions={})


@pytest.mark.parametrize(
    ("lab", "shadow", "expected"),
    [
        (("c001",), ("c001",), [Agreement.CANDIDATE]),
        (("c001",), ("c004",), [Agreement.FAMILY]),
        (("c001",), ("c002",), [Agreement.NONE]),
        (("c001",), (), [Agreement.NONE]),
        (("c001", "c004"), ("c004", "c002"), [Agreement.NONE, Agreement.CANDIDATE]),
        (("c001", "c004"), ("c010", "c007"), [Agreement.FAMILY, Agreement.FAMILY]),
    ],
)
def test_a_choice_of_ours_agrees_with_one_of_the_labs_at_most(
    lab: tuple[str, ...], shadow: tuple[str, ...], expected: list[Agreement]
) -> None:
    assert list(row(lab, shadow).agreements(POOL)) == expected


def test_what_is_compared_comes_back_from_its_line_and_another_line_is_refused_by_name() -> None:
    proposal = Proposal((Choice(4, 0.5),), "so it is", runner_up=Choice(5, 0.25), target_family="family-1")
    one = compare_choice(the_choice(), proposal, PLAN, POOL)
    assert (one.lab, one.shadow, one.runner_up, one.scores) == (("c001",), ("c004",), "c005", (0.5,))
    assert from_line(to_line(one)) == one
    with pytest.raises(StoreError, match=r"delete shadow\.jsonl"):
        from_line('{"number": 1}')


@pytest.mark.parametrize("indices", [(0,), (1, 2), (99,)])
def test_a_policy_that_proposes_what_it_may_not_is_halted(indices: tuple[int, ...]) -> None:
    with pytest.raises(CampaignHalted, match="proposed"):
        compare_choice(the_choice(), Proposal(tuple(Choice(i) for i in indices), "r"), PLAN, POOL)


def test_the_summary_counts_agreement_families_and_what_the_choices_brought() -> None:
    shadow = listener(estimator="m_spacing")
    heard(shadow, [request("c001"), result("c001"), request("c002", 1), result("c002"), request("c004", 2)])
    rows = [
        row(("c001",), ("c001",)),
        row(("c002",), ("c004",), number=1),
    ]
    found = summary(shadow, rows)
    assert (found.decisions, found.not_asked, found.chosen, found.same, found.same_family) == (2, 1, 2, 1, 1)
    assert (found.lab_in_poorest, found.shadow_in_poorest) == (1, 2)
    assert (found.both.chosen, found.both.measured) == (1, 1)
    assert found.both.entropy_gain == shadow.realised_gain["c001"].entropy_gain
    assert found.lab_alone.entropy_gain == shadow.realised_gain["c002"].entropy_gain
    assert (found.shadow_alone.chosen, found.shadow_alone.measured, found.shadow_alone.entropy_gain) == (1, 0, None)
    heard(shadow, [result("c004")])
    assert summary(shadow, rows).shadow_alone.measured == 1
    assert [(each.family, each.lab, each.shadow) for each in found.families] == [
        ("family-0", 0, 0), ("family-1", 1, 2), ("family-2", 1, 0),
    ]  # fmt: skip
    assert (found.results, found.first_lab_number, found.most_in_flight) == (2, 0, 1)


def test_a_summary_of_nothing_is_one_of_zeros() -> None:
    found = summary(listener(), [])
    assert (found.decisions, found.chosen, found.results, found.first_lab_number) == (0, 0, 0, None)


def test_the_gain_of_a_result_is_the_change_of_its_familys_entropy() -> None:
    shadow = listener(estimator="m_spacing")
    heard(shadow, [result("c001")])
    (_, before), (_, after) = shadow.points
    h = before.entropies[1], after.entropies[1]
    assert h[0] is not None
    assert h[1] is not None
    gain = shadow.realised_gain["c001"].entropy_gain
    assert gain == pytest.approx(h[1] - h[0])
