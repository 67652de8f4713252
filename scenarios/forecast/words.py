"""A forecast in plain sentences: what the budget buys, where it flattens, whether random would do, who is lost."""

from __future__ import annotations

import math
from typing import Final

from agent.entropy.bias import GAP_TOLERANCE_NAT
from scenarios.forecast.courses import FLAT, Course, Difference, difference_at_end
from scenarios.forecast.forecast import PLAYED, Forecast
from scenarios.run.reach_words import what_is_hardly_known, who_falls_short

GAP: Final = "mean_gap"
EVENNESS: Final = "evenness"

CAVEAT: Final = (
    "Drawn from a model of the {start} values that are known; nothing else of the scenario is looked at. "
    "Bands hold nine campaigns in ten if the model is right."
)


def in_words(told: Forecast) -> list[str]:
    """Return what a person should know, the most important first."""
    courses = {policy: told.courses[policy] for policy in PLAYED}
    policy, random = PLAYED
    own, others = courses[policy][GAP], courses[random][GAP]
    said = [_buys(told, policy, own, courses[policy][EVENNESS])]
    difference = difference_at_end(own, others)
    if difference is not None:
        said.append(_flattens(told.budget, own))
        said.append(_against_random(policy, difference, others, told.draws))
    said.extend(f"{sentence[0].upper()}{sentence[1:]}." for sentence in who_falls_short(told.ceilings))
    if not who_falls_short(told.ceilings) and any(each.at_most is not None for each in told.ceilings):
        said.append(
            f"No family is lost: each can come within {GAP_TOLERANCE_NAT:g} nat of the richest one's entropy of now."
        )
    said.extend(f"{sentence[0].upper()}{sentence[1:]}." for sentence in what_is_hardly_known(told.skills))
    return said


def caveat(told: Forecast) -> str:
    """Say what the forecast rests on."""
    return CAVEAT.format(start=told.start)


def _buys(told: Forecast, policy: str, gap: Course, evenness: Course) -> str:
    observations = f"{told.budget:,} observation{'s' if told.budget > 1 else ''} by {policy}"
    begun, ended = float(gap.mean[0]), float(gap.mean[-1])
    if not (math.isfinite(begun) and math.isfinite(ended)):
        return f"What {observations} buy cannot be told: fewer than two families have values."
    low, high = (float(each[-1]) for each in gap.band(floor=0.0))
    if begun < GAP_TOLERANCE_NAT and ended < GAP_TOLERANCE_NAT:
        return f"The start set is even (mean gap {begun:.3f} nat), and {observations} keep it so ({ended:.3f} nat)."
    verb = "bring" if ended < begun else "let"
    change = f"{observations} {verb} the mean gap from {begun:.3f} to {ended:.3f} nat ({low:.3f} to {high:.3f})"
    return f"{change} and evenness from {float(evenness.mean[0]):.3f} to {float(evenness.mean[-1]):.3f}."


def _flattens(budget: int, gap: Course) -> str:
    if gap.flat_from() is None:
        return "Where it flattens cannot be told."
    flat, lowest = gap.flattens_at(), gap.lowest_at()
    if flat is None and lowest is None:
        return f"It still falls at the end of the budget: more than {budget:,} observations would help further."
    if flat is None:
        best = f"observation {lowest:,} ({float(gap.mean[lowest]):.3f} nat)"
        return f"It is lowest at {best}: what comes after buys no more balance."
    if flat == 0:
        return f"It changes by less than {FLAT:g} nat all along: the budget buys no balance, only better models."
    return f"It flattens at observation {flat:,}: what comes after changes the mean gap by less than {FLAT:g} nat."


def _against_random(policy: str, difference: Difference, random: Course, draws: int) -> str:
    end = f"{float(random.mean[-1]):.3f} nat"
    paired = f"paired over {draws} draws"
    interval = f"{abs(difference.mean):.3f} nat ({_interval(difference)}, {paired})"
    if difference.is_nothing:
        return f"Random would do as well: it ends at {end}, and the difference of {interval} does not count."
    if difference.mean < 0.0:
        return f"Random would not do: it ends at {end}, and {policy} is better by {interval}."
    return f"Random would do better: it ends at {end}, and {policy} is worse by {interval}."


def _interval(difference: Difference) -> str:
    low, high = (-difference.high, -difference.low) if difference.mean < 0.0 else (difference.low, difference.high)
    return f"{low:.3f} to {high:.3f}".replace("-", "−")
