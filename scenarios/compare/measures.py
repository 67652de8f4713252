"""What policies are compared by: figures before and after, seed by seed, and each policy's against the baseline's.

Bias figures and scores of downstream models are the same thing here, so tables, tests and files treat them alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import floor, log10
from typing import Any

from scenarios.compare.statistics import PairedTest, estimate, paired_test

BASELINE = "random"
"""What a policy is held against when it is among those compared: what costs no thought."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of all policies.

    Attributes:
        target: What a model predicts; empty for the bias of the data set.
        model: Which model; empty for the bias.
        name: Its name in files: "entropy_range", "r2".
        label: Its name for people.
        unit: "nat", "GPa", or empty for a pure number.
        lower_is_better: Which way is good.
        before: At the start, by seed, the same for all policies; None where not defined.
        after: At the end, by policy and seed.
    """

    target: str
    model: str
    name: str
    label: str
    unit: str
    lower_is_better: bool
    before: tuple[float | None, ...]
    after: Mapping[str, tuple[float | None, ...]]

    @property
    def titled(self) -> str:
        """Label, unit, and an arrow in the good direction."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.label}{unit} {'↓' if self.lower_is_better else '↑'}"

    @property
    def decimals(self) -> int:
        """Decimal places that show it: three for figures around one, more for small ones and fewer for large."""
        known = [abs(x) for values in (self.before, *self.after.values()) for x in values if x]
        exponent = floor(log10(max(known))) if known else 0
        return max(0, 3 - exponent) if exponent >= 0 else min(6, 2 - exponent)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A policy against the baseline, by one measure."""

    measure: Measure
    policy: str
    baseline: str
    test: PairedTest

    def flat(self) -> dict[str, Any]:
        """Return the row of a file."""
        about = {"target": self.measure.target, "model": self.measure.model, "measure": self.measure.name}
        return {
            **about,
            "unit": self.measure.unit,
            "policy": self.policy,
            "baseline": self.baseline,
            **asdict(self.test),
        }


def baseline_of(policies: Sequence[str]) -> str | None:
    """Return the policy that the others are tested against: random, else the last; None when it stands alone."""
    if len(policies) < len(("a policy", "a baseline")):
        return None
    return BASELINE if BASELINE in policies else policies[-1]


def contrasts(measures: Iterable[Measure], policies: Sequence[str]) -> list[Contrast]:
    """Return the tests of every other policy against the baseline, by measure."""
    baseline = baseline_of(policies)
    if baseline is None:
        return []
    return [
        Contrast(each, policy, baseline, _test(each, policy, baseline))
        for each in measures
        for policy in policies
        if policy != baseline
    ]


def shown(values: Sequence[float | None], decimals: int) -> str:
    """Return mean ± half-width of its interval, as people read it."""
    found = estimate(values)
    if found is None:
        return f"undefined in {sum(value is None for value in values)} of {len(values)}"
    spread = "" if found.half_width is None else f" ± {found.half_width:.{decimals}f}"
    return f"{found.mean:.{decimals}f}{spread}"


def _test(measure: Measure, policy: str, baseline: str) -> PairedTest:
    return paired_test(measure.after[policy], measure.after[baseline], lower_is_better=measure.lower_is_better)
