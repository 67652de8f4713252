"""A sentence per figure: better, worse, or not shown, with how much, in words that are true."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from scenarios.compare.measures import Measure, contrasts
from scenarios.compare.verdicts import p_value, sentences


def measure(values: dict[str, list[float]], *, lower_is_better: bool = True, **about: str) -> Measure:
    return Measure(
        about.get("target", ""), about.get("model", ""), about.get("name", "mean_gap"), about.get("label", "mean gap"),
        about.get("unit", "nat"), lower_is_better, (), {name: tuple(each) for name, each in values.items()},
    )  # fmt: skip


def told(measures: list[Measure]) -> list[str]:
    return sentences(contrasts(measures, tuple(measures[0].after)))


BASE = [0.3, 0.31, 0.29, 0.33, 0.3, 0.28, 0.32, 0.3]


def shifted(by: float) -> list[float]:
    return [value + by + 0.001 * place for place, value in enumerate(BASE)]


def test_better_and_worse_are_said_with_amount_interval_and_corrected_p() -> None:
    (sentence,) = told([measure({"etal": BASE, "random": shifted(0.12), "coverage": shifted(-0.1)})])
    assert sentence == (
        "mean gap: etal better than random by 0.123 nat [0.121, 0.126] (Holm p = 0.016); "
        "worse than coverage by 0.097 nat [0.094, 0.099] (Holm p = 0.016); over 8 seeds."
    )


def test_where_higher_is_better_the_signs_turn() -> None:
    values = {"etal": shifted(0.12), "random": BASE}
    (sentence,) = told(
        [measure(values, lower_is_better=False, name="r2", label="R²", unit="", target="e", model="kernel_ridge")]
    )
    assert (
        sentence
        == "R² of e, kernel ridge: etal better than random by 0.123 [0.121, 0.126] (Holm p = 0.008); over 8 seeds."
    )


def test_what_is_not_shown_says_what_remains_possible() -> None:
    rng = np.random.default_rng(0)
    (sentence,) = told([measure({"etal": BASE, "random": (np.array(BASE) + rng.normal(size=8)).tolist()})])
    assert re.fullmatch(
        r"mean gap: etal not shown against random \(−\d\.\d+ to \d\.\d+ nat better\); over 8 seeds\.", sentence
    )


@pytest.mark.parametrize("seeds", [1, 4])
def test_with_few_seeds_one_sentence_says_that_nothing_can_be_shown(seeds: int) -> None:
    values = {"etal": BASE[:seeds], "random": shifted(5.0)[:seeds], "coverage": shifted(1.0)[:seeds]}
    figures = [measure(values), measure(values, name="entropy_range", label="range")]
    plural = "s" * (seeds != 1)
    assert told(figures) == [
        f"Not shown (with {seeds} seed{plural} no difference can be; it takes 7): mean gap, range."
    ]


def test_equal_figures_are_called_equal() -> None:
    assert told([measure({"etal": BASE, "random": BASE})]) == ["Not shown (equal with every seed): mean gap."]


def test_few_seeds_are_the_reason_also_where_another_policy_happens_to_be_equal() -> None:
    values = {"etal": BASE[:4], "random": BASE[:4], "coverage": shifted(1.0)[:4]}
    assert told([measure(values)]) == ["Not shown (with 4 seeds no difference can be; it takes 7): mean gap."]


def test_one_other_that_is_equal_does_not_silence_the_rest() -> None:
    (sentence,) = told([measure({"etal": BASE, "random": BASE, "coverage": shifted(0.1)})])
    assert "better than coverage" in sentence
    assert "not shown against random (equal with every seed)" in sentence


def test_seeds_that_differ_in_number_are_told() -> None:
    values = measure({"etal": BASE, "random": shifted(0.1), "coverage": shifted(0.1)})
    after = {**values.after, "coverage": (None, *values.after["coverage"][1:])}
    assert told([replace(values, after=after)])[0].endswith("over 7 to 8 seeds.")


def test_what_is_zero_to_the_digits_shown_has_no_sign() -> None:
    other = [value + by for value, by in zip(BASE, [0.1, 0.2, 0.15, 0.12, -1e-4, 1e-5, 0.1, -1e-4], strict=True)]
    (sentence,) = told([measure({"etal": BASE, "random": other})])
    assert "−0.000" not in sentence


def test_small_p_values_are_not_spelled_out() -> None:
    assert (p_value(0.0002), p_value(0.0123), p_value(None)) == ("< 0.001", "= 0.012", "not defined")
