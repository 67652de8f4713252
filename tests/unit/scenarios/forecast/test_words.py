"""What a forecast says in sentences."""

from __future__ import annotations

import dataclasses

import numpy as np

from agent.entropy.bias import BIAS_METRICS
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill
from scenarios.forecast.courses import Course
from scenarios.forecast.forecast import Forecast
from scenarios.forecast.words import in_words

FINE = Ceiling("cubic", 0.2, 0.4, 0.3, 0.5, 80)


def forecast(policy: list[float], random: list[float], *ceilings: Ceiling) -> Forecast:
    """A forecast with these mean gaps, the same in both draws but for a thousandth."""

    def courses(gaps: list[float]) -> dict[str, Course]:
        draws = Course(np.array([gaps, [gaps[0], *(gap + 0.001 for gap in gaps[1:])]]))
        return {metric.name: draws for metric in BIAS_METRICS}

    return Forecast(
        "any", "energy", "eV", len(policy) - 1, 2, 0, 30, 100,
        {"gap_gain": courses(policy), "random": courses(random)}, ceilings or (FINE,), (),
    )  # fmt: skip


def test_what_the_budget_buys_where_it_flattens_and_that_random_would_not_do() -> None:
    said = in_words(forecast([0.6, 0.2, *[0.1] * 18], [0.6, 0.5, *[0.4] * 18]))
    assert said[0].startswith("19 observations by gap_gain bring the mean gap from 0.600 to 0.101 nat")
    assert said[1] == "It flattens at observation 2: what comes after changes the mean gap by less than 0.01 nat."
    assert said[2].startswith("Random would not do: it ends at 0.401 nat, and gap_gain is better by 0.300 nat")
    assert said[3] == "No family is lost: each can come within 0.05 nat of the richest one's entropy of now."


def test_that_random_would_do_as_well() -> None:
    assert in_words(forecast([0.6, 0.4], [0.6, 0.405]))[2].startswith("Random would do as well: it ends at 0.406 nat")


def test_that_random_would_do_better() -> None:
    said = in_words(forecast([0.6, 0.5], [0.6, 0.4]))[2]
    assert said.startswith("Random would do better: it ends at 0.401 nat, and gap_gain is worse by 0.100 nat")


def test_that_it_still_changes_at_the_end_or_never_does() -> None:
    assert "more than 3 observations would help" in in_words(forecast([0.6, 0.5, 0.4, 0.3], [0.6] * 4))[1]
    assert "buys no balance, only better models" in in_words(forecast([0.6] * 4, [0.6] * 4))[1]


def test_that_it_was_lower_before_its_end() -> None:
    said = in_words(forecast([0.6, *[0.1] * 17, 0.2, 0.2], [0.6] * 20))[1]
    assert said == "It is lowest at observation 1 (0.101 nat): what comes after buys no more balance."


def test_a_start_that_is_even_needs_no_campaign_for_its_balance() -> None:
    assert in_words(forecast([0.03, 0.02], [0.03, 0.03]))[0].startswith("The start set is even (mean gap 0.030 nat)")


def test_who_is_lost_is_named() -> None:
    lost = Ceiling("monoclinic", -0.54, -0.55, -0.6, -0.5, 40)
    said = in_words(forecast([0.6, 0.4], [0.6, 0.5], FINE, lost))
    assert said[3].startswith("Monoclinic cannot be helped: −0.54 nat now, −0.50 at the very most")
    assert len(said) == 4


def test_gaps_that_are_not_defined_are_not_told() -> None:
    told = forecast([0.6, 0.4], [0.6, 0.5])
    nothing = {metric.name: Course(np.full((2, 2), np.nan)) for metric in BIAS_METRICS}
    said = in_words(dataclasses.replace(told, courses={"gap_gain": nothing, "random": nothing}))
    assert said[0] == "What 1 observation by gap_gain buy cannot be told: fewer than two families have values."


def test_that_the_model_behind_it_knows_hardly_more_than_the_mean() -> None:
    told = forecast([0.6, 0.4], [0.6, 0.4])
    blind = dataclasses.replace(told, skills=(ModelSkill("energy", 0.25, 0.26, 80),))
    assert in_words(blind)[-1].startswith("The model predicts energy hardly better than the mean of each family does:")
    assert not any("hardly better" in sentence for sentence in in_words(told))
