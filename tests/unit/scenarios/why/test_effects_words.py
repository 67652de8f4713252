"""Effects in words: a row for each, and a sentence for what the choice was to bring."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from scenarios.why.effects_words import effects_table, what_was_to_come
from scenarios.why.explanation import EffectAtDecision, EffectsAtDecision

BELIEVED = EffectsAtDecision(
    effects=(EffectAtDecision("NO2[x]", -2.65, 0.463, 0.385), EffectAtDecision("Cl", 0.2, 0.3, 0.3)),
    mean_half_width=0.4,
    with_in_flight=0.35,
    expected=0.3,
    expected_with_runner_up=0.31,
    threshold=5.0,
)


def test_every_effect_has_its_interval_then_and_the_one_that_was_expected() -> None:
    console = Console(width=80, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(effects_table(BELIEVED, "D"))
    text = " ".join(capture.get().split())
    assert "believed then [D]" in text
    assert "NO2[x] −2.65 ± 0.463" in text
    assert "± 0.385" in text


def test_what_the_choice_was_to_bring_is_a_sentence() -> None:
    expected, sought = what_was_to_come(BELIEVED, "D")
    assert expected == (
        "effects were known to ± 0.4 D on the mean, ± 0.35 with what was in flight; the choice was to narrow them to "
        "± 0.3, the runner-up in place of the last choice to ± 0.31"
    )
    assert sought == "sought: above 5 D"
    plain = replace(BELIEVED, with_in_flight=0.4, expected_with_runner_up=None, threshold=None)
    assert list(what_was_to_come(plain, "")) == [
        "effects were known to ± 0.4 on the mean; the choice was to narrow them to ± 0.3"
    ]
