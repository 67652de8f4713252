"""What policies are compared by: figures before and after, seed by seed, and the judged policy's against each other's.

The judged policy is the first that is named: the scenario's own, unless the command says otherwise. Of each figure it
is held against every other policy, and the p-values of these comparisons are corrected for each other: that is the
family. Figures are not corrected for one another, as they are several views of one thing and each has its sentence.

Bias figures and scores of downstream models are the same thing here, so tables, tests and files treat them alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import floor, log10
from typing import Any, Final

from scenarios.compare.statistics import PairedTest, corrected, estimate, paired_test

CONTROL: Final = "random"
"""The policy that costs no thought: what a figure is worth is told by what it gives."""

JOINT_ENTROPY: Final = "joint_entropy"
"""The figure that says how much the dataset holds in all."""

EVENNESS_FIGURES: Final = frozenset({"entropy_range", "entropy_std", "mean_gap", "evenness", "mean_gap_area"})
"""Figures that can be had by lowering the richest family: no success where the joint entropy falls."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of all policies.

    Attributes:
        target: What a model predicts; empty for the bias of the data set.
        model: Which model; empty for the bias.
        name: Its name in files: "entropy_range", "r2".
        label: Its name for people.
        unit: "nat", "GPa", or empty for a pure number.
        lower_is_better: Which way is good; None for a figure that is shown and not judged.
        before: At the start, by seed, the same for all policies; None where not defined; empty where it means nothing.
        after: At the end, by policy and seed.
    """

    target: str
    model: str
    name: str
    label: str
    unit: str
    lower_is_better: bool | None
    before: tuple[float | None, ...]
    after: Mapping[str, tuple[float | None, ...]]

    @property
    def titled(self) -> str:
        """Label, unit, and an arrow in the good direction."""
        unit = f" [{self.unit}]" if self.unit else ""
        arrow = {True: " ↓", False: " ↑", None: ""}[self.lower_is_better]
        return f"{self.label}{unit}{arrow}"

    @property
    def decimals(self) -> int:
        """Decimal places that show it: three for figures around one, more for small ones and fewer for large."""
        known = [abs(x) for values in (self.before, *self.after.values()) for x in values if x]
        exponent = floor(log10(max(known))) if known else 0
        return max(0, 3 - exponent) if exponent >= 0 else min(6, 2 - exponent)

    @property
    def best(self) -> tuple[str, ...]:
        """The policies of the best mean; none where all are alike, one is not defined, or nothing is judged."""
        means = {policy: estimate(values) for policy, values in self.after.items()}
        known = {policy: each.mean for policy, each in means.items() if each is not None}
        if self.lower_is_better is None or len(known) < len(means) or len(set(known.values())) <= 1:
            return ()
        best = min(known.values()) if self.lower_is_better else max(known.values())
        return tuple(policy for policy, mean in known.items() if mean == best)


@dataclass(frozen=True, slots=True)
class Contrast:
    """The judged policy against another one, by one measure.

    Attributes:
        measure: The figure.
        policy: The judged policy.
        other: The other one.
        test: What the seeds say.
        joint: Of a figure that only tells how even the families are: what they say of the joint entropy.
    """

    measure: Measure
    policy: str
    other: str
    test: PairedTest
    joint: PairedTest | None = None

    @property
    def verdict(self) -> str:
        """One of better, worse, not shown, and bought: better, and the joint entropy worse."""
        bought = self.test.verdict == "better" and self.joint is not None and self.joint.verdict == "worse"
        return "bought" if bought else self.test.verdict

    def flat(self) -> dict[str, Any]:
        """Return the row of a file."""
        about = {"target": self.measure.target, "model": self.measure.model, "measure": self.measure.name}
        test = asdict(self.test) | {"verdict": self.verdict}
        return {**about, "unit": self.measure.unit, "policy": self.policy, "other": self.other, **test}


def contrasts(measures: Iterable[Measure], policies: Sequence[str]) -> list[Contrast]:
    """Return the tests of the first policy against every other, by measure, corrected within each."""
    tests = {
        id(each): (each, dict(zip(policies[1:], _family(each, policies), strict=True)))
        for each in measures
        if each.lower_is_better is not None
    }
    joint = next((by_other for each, by_other in tests.values() if each.name == JOINT_ENTROPY), {})
    return [
        Contrast(each, policies[0], other, test, joint.get(other) if each.name in EVENNESS_FIGURES else None)
        for each, by_other in tests.values()
        for other, test in by_other.items()
    ]


def is_bought(measure: Measure, policy: str, measures: Sequence[Measure]) -> bool:
    """Tell whether a policy's place in a figure is no success: more even, with less joint entropy than the control.

    Args:
        measure: The figure.
        policy: Which policy.
        measures: All figures, the joint entropy among them if it is measured; it counts by the mean over seeds.
    """
    if measure.name not in EVENNESS_FIGURES or policy == CONTROL:
        return False
    joint = next((each for each in measures if each.name == JOINT_ENTROPY), None)
    if joint is None or CONTROL not in joint.after:
        return False
    own, control = estimate(joint.after[policy]), estimate(joint.after[CONTROL])
    return own is not None and control is not None and own.mean < control.mean


def best_in(measure: Measure, measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return the best policies of a figure whose place is a success."""
    return tuple(policy for policy in measure.best if not is_bought(measure, policy, measures))


def shown(values: Sequence[float | None], decimals: int) -> str:
    """Return mean ± half-width of its interval, as people read it; nothing where there are no values."""
    if not values:
        return ""
    found = estimate(values)
    if found is None:
        return f"undefined in {sum(value is None for value in values)} of {len(values)}"
    spread = "" if found.half_width is None else f" ± {found.half_width:.{decimals}f}"
    return f"{found.mean:.{decimals}f}{spread}"


def _family(measure: Measure, policies: Sequence[str]) -> list[PairedTest]:
    lower = bool(measure.lower_is_better)
    own = measure.after[policies[0]]
    tests = [paired_test(own, measure.after[other], lower_is_better=lower) for other in policies[1:]]
    return corrected(tests, lower_is_better=lower)
