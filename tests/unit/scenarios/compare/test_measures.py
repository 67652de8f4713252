"""Figures of all policies: the first is judged, and evenness that costs information is no success."""

from __future__ import annotations

import numpy as np

from scenarios.compare.measures import Measure, best_in, contrasts, is_bought
from scenarios.compare.verdicts import sentences

SEEDS = 8
NOISE = np.random.default_rng(0).normal(scale=0.01, size=(4, SEEDS))


def measure(name: str, means: dict[str, float], *, lower_is_better: bool | None = True, unit: str = "nat") -> Measure:
    after = {policy: tuple((mean + NOISE[k]).tolist()) for k, (policy, mean) in enumerate(means.items())}
    return Measure("", "", name, name.replace("_", " "), unit, lower_is_better, (), after)


GAP = measure("mean_gap", {"etal": 0.1, "random": 0.3, "coverage": 0.1, "round_robin": 0.05})
POLICIES = tuple(GAP.after)


def joint(etal: float, random: float = 1.5) -> Measure:
    others = {"etal": etal, "random": random, "coverage": 1.5, "round_robin": 1.5}
    return measure("joint_entropy", others, lower_is_better=False)


def test_the_first_policy_is_held_against_every_other_within_each_figure() -> None:
    found = contrasts([GAP, joint(1.6)], POLICIES)
    assert [(each.measure.name, each.other) for each in found] == [
        (name, other) for name in ("mean_gap", "joint_entropy") for other in POLICIES[1:]
    ]
    assert {each.policy for each in found} == {"etal"}
    assert {each.test.family_size for each in found} == {3}
    assert [each.verdict for each in found[:3]] == ["better", "not shown", "worse"]


def test_a_figure_that_is_only_shown_is_not_tested() -> None:
    assert contrasts([measure("mean_gap_best_at", {"etal": 1, "random": 2}, lower_is_better=None)], POLICIES[:2]) == []


def test_one_policy_alone_has_no_comparison() -> None:
    assert contrasts([GAP], ["etal"]) == []


def test_evenness_with_less_joint_entropy_is_no_success() -> None:
    bought, poorer = contrasts([GAP, joint(1.2)], POLICIES), joint(1.2)
    assert [each.verdict for each in bought] == ["bought", "not shown", "worse", "worse", "worse", "worse"]
    sentence = sentences(bought)[0]
    assert "better than random" not in sentence
    assert "no success against random: better by 0.188 nat" in sentence
    assert "but joint entropy worse by 0.2" in sentence
    assert is_bought(GAP, "etal", [GAP, poorer])
    assert not is_bought(poorer, "etal", [GAP, poorer])
    assert not is_bought(GAP, "etal", [GAP, joint(1.6)])
    assert not is_bought(GAP, "etal", [GAP])
    assert not is_bought(GAP, "random", [GAP, poorer])


def test_the_best_of_a_figure_is_nobody_whose_place_was_bought() -> None:
    best = measure("mean_gap", {"etal": 0.1, "random": 0.3})
    for own, expected in ((1.2, ()), (1.6, ("etal",))):
        entropy = measure("joint_entropy", {"etal": own, "random": 1.5}, lower_is_better=False)
        assert best_in(best, [best, entropy]) == expected


def test_joint_entropy_that_is_lower_by_the_mean_alone_is_told_too() -> None:
    own = joint(1.485)
    found = contrasts([GAP, own], POLICIES)
    assert found[3].test.verdict == "not shown"
    assert found[0].verdict == "better"
    assert "which is not shown" in sentences(found)[0].split("; ")[0]


def test_a_figure_that_says_nothing_of_evenness_needs_no_joint_entropy() -> None:
    other = measure("r2", {"etal": 0.9, "random": 0.8, "coverage": 0.8, "round_robin": 0.8}, lower_is_better=False)
    assert [each.verdict for each in contrasts([other, joint(1.2)], POLICIES)[:3]] == ["better"] * 3


def test_the_best_is_the_best_mean_and_none_where_all_are_alike_or_one_is_not_defined() -> None:
    assert GAP.best == ("round_robin",)
    assert joint(1.6).best == ("etal",)
    assert Measure("", "", "x", "x", "", True, (), {"a": (1.0,), "b": (1.0,)}).best == ()
    assert Measure("", "", "x", "x", "", True, (), {"a": (1.0,), "b": (2.0,), "c": (1.0,)}).best == ("a", "c")
    assert Measure("", "", "x", "x", "", True, (), {"a": (1.0,), "b": (None,)}).best == ()
    assert Measure("", "", "x", "x", "", None, (), {"a": (1.0,), "b": (2.0,)}).best == ()


def test_a_row_of_a_file_holds_the_verdict_that_counts() -> None:
    row = contrasts([GAP, joint(1.2)], POLICIES)[0].flat()
    assert (row["measure"], row["policy"], row["other"], row["verdict"]) == ("mean_gap", "etal", "random", "bought")
    assert row["p_holm"] < 0.05
