"""The joint entropy of family and value, raised directly: the candidate from which the most of it is expected.

    J = H + Σ_g p_g h_g,   H = −Σ_g p_g ln p_g

A dataset of large J holds many families evenly and spreads the values inside of each; no balance between the families
is asked for, so a family that is rich already may be asked for again. The score of a candidate of family g is what its
value Y is expected to change, both by the shares and by the values:

    E[J after Y] − J = (J of the sizes with one more in g, all h as they are) − J + (n_g + 1)/(n + 1) · E[Δh_g(Y)]

| here | meaning |
|---|---|
| n_g, n | values of family g, in all; requests in flight and choices before in the proposal included |
| p_g | n_g / n |
| h_g | entropy of the values of g by the campaign's measure [nat]; of several properties their weighted mean |
| Δh_g | what Y adds to it, negative where Y crowds in, see `entropy.expected_change` [nat] |

It is myopic, as every greedy policy: a family of which its surrogate expects little waits, and for long where that is
wrong. Surrogates, requests in flight and their cases are those of `etal` (`family_forecast`, `family_history`).

| input | outcome |
|---|---|
| nothing known at all | drawn by the seed |
| a family without an entropy | first, fewest values first, by the largest predicted deviation; J does not know it yet |
| the same, with `MIN_VALUES` values that are all equal (published estimator) | only when no other has candidates |
| constant values | the resolution is their entropy, and a further equal one gains nothing |

Reference: T. M. Cover, J. A. Thomas, Elements of Information Theory (Wiley, 2006), equation 2.14 (chain rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, PoolArrays, Proposal
from agent.acquisition.family_forecast import FamilyForecast, FamilyPrediction, predicted_figures
from agent.acquisition.family_history import Histories
from agent.acquisition.selection import DEFAULT_MAX_TRAINING_ROWS, Pick, best_two, proposal_of
from agent.acquisition.shared_surrogate import SharedSurrogate
from agent.entropy.bias import chain_rule
from agent.entropy.entropy import MIN_VALUES
from agent.entropy.expected_change import expected_change
from agent.entropy.target_properties import TargetProperty, combined_entropy
from agent.surrogate.growing import GrowthSettings
from agent.surrogate.standardise import ColumnMemory

CASES: Final = 16
"""Joint draws of what is in flight, as `etal` has them."""

GROWTH: Final = GrowthSettings(ard=True, max_fit_rows=DEFAULT_MAX_TRAINING_ROWS)
"""Of the surrogates, as `etal` has them by default."""


class JointEntropy:
    """The policy "joint_entropy"."""

    runs_inline: ClassVar[bool] = False

    def __init__(self) -> None:
        self._columns = ColumnMemory()
        self._kept: tuple[PoolArrays, tuple[TargetProperty, ...], list[Histories]] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each the one that is expected to raise J most by then."""
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        if len(context.observed) == 0:
            drawn = np.random.default_rng([context.seed, 1]).choice(
                context.available, size=min(count, len(context.available)), replace=False
            )
            choices = tuple(Choice(int(index)) for index in drawn)
            return Proposal(choices, reason="without any value there is nothing to score; drawn at random")
        families = self._families(context)
        picks: list[Pick] = []
        while len(picks) < min(count, len(context.available)):
            picks.append(_pick(families))
            next(each for each in families if each.name == picks[-1].family).request(picks[-1].choice.index)
        return proposal_of(picks)

    def _families(self, context: AcquisitionContext) -> list[_Family]:
        """Bring what is kept of every family and property up to the context."""
        pool, columns = context.pool, self._columns.of(context.pool.features)
        targets = tuple(target_property for target_property, _ in context.target_values)
        if self._kept is None or self._kept[0] is not pool or self._kept[1] != targets:
            self._kept = (pool, targets, [Histories(pool, each.measure, columns, GROWTH) for each in targets])
        rng = np.random.default_rng(context.seed)
        codes, pending_codes = pool.family_codes[context.available], pool.family_codes[context.pending]
        families = [_Family(name, context.available[codes == code]) for code, name in enumerate(pool.families)]
        for (target_property, values), stds, histories in zip(
            context.target_values, context.target_uncertainties, self._kept[2], strict=True
        ):
            shared = SharedSurrogate(context, values, stds, columns)
            for family, history in zip(families, histories.follow(context, values, stds), strict=True):
                family.forecasts.append(FamilyForecast(target_property, history, shared, CASES, rng))
        for code in np.unique(pending_codes):
            families[code].add_pending(context.pending[pending_codes == code])
        return families


@dataclass(slots=True)
class _Family:
    """A family as this decision sees it.

    Attributes:
        name: Its name.
        available: Pool indices that may be chosen, ascending, shape (a,).
        forecasts: An outlook for each property.
        in_flight: Requests in flight, and choices before.
    """

    name: str
    available: IndexArray
    forecasts: list[FamilyForecast] = field(default_factory=list)
    in_flight: int = 0
    _predictions: list[FamilyPrediction] | None = None
    _changes: FloatArray | None = None

    @property
    def size(self) -> int:
        return len(self.forecasts[0].history) + self.in_flight

    @property
    def entropy(self) -> float | None:
        """Of the values, those in flight as predicted [nat]."""
        return combined_entropy(
            [each.target_property for each in self.forecasts], [each.entropy for each in self.forecasts]
        )

    @property
    def predictions(self) -> list[FamilyPrediction]:
        """Of each property, for what is available."""
        if self._predictions is None:
            known = [each.predict(self.available) for each in self.forecasts]
            self._predictions = [prediction for prediction in known if prediction is not None]
        return self._predictions

    @property
    def changes(self) -> FloatArray:
        """E[Δh] of each available candidate, shape (a,) [nat]."""
        if self._changes is None:
            parts = zip(self.forecasts, self.predictions, strict=True)
            self._changes = np.asarray(
                sum(each.target_property.weight * _mean_change(each, prediction) for each, prediction in parts)
            )
        return self._changes

    @property
    def deviations(self) -> FloatArray:
        """Predicted deviation of each available candidate in units of the properties' scales, shape (a,)."""
        parts = zip(self.forecasts, self.predictions, strict=True)
        return np.asarray(
            sum(each.target_property.weight / each.target_property.scale * p.value_std for each, p in parts)
        )

    def add_pending(self, indices: IndexArray) -> None:
        self.in_flight += len(indices)
        for forecast in self.forecasts:
            forecast.add_pending(indices)

    def request(self, index: int) -> None:
        """Let a choice count as requested before the next one."""
        self.available = self.available[self.available != index]
        self.add_pending(np.array([index]))
        self._predictions, self._changes = None, None


def _pick(families: Sequence[_Family]) -> Pick:
    """Choose one candidate: of a family that J does not know yet, or else the one that raises J most."""
    with_candidates = [family for family in families if len(family.available)]
    unknown = [family for family in with_candidates if family.entropy is None]
    new = [family for family in unknown if family.size < MIN_VALUES]
    known = [family for family in families if family.entropy is not None]
    if new or len(unknown) == len(with_candidates):
        return _of_unknown(min(new or unknown, key=lambda family: (family.size, family.name)))
    return _of_known(known)


def _of_unknown(family: _Family) -> Pick:
    choice, runner_up = best_two(family.available, family.deviations)
    counted = f"{family.size} value{'' if family.size == 1 else 's'}, requests in flight included"
    reason = f"{family.name} has no entropy yet ({counted}); largest predicted deviation {choice.score:.3g}"
    return Pick(choice, runner_up, family.name, reason, {"n_labelled": float(family.size - family.in_flight)})


def _of_known(families: Sequence[_Family]) -> Pick:
    """Score all candidates of the families that have an entropy."""
    sizes, entropies = [family.size for family in families], [family.entropy or 0.0 for family in families]
    before = chain_rule(sizes, entropies)
    by_share: dict[str, float] = {}
    indices, scores = [], []
    for place, family in enumerate(families):
        if len(family.available):
            sizes[place] += 1
            by_share[family.name] = chain_rule(sizes, entropies) - before
            scores.append(by_share[family.name] + sizes[place] / sum(sizes) * family.changes)
            indices.append(family.available)
            sizes[place] -= 1
    joined = np.concatenate(indices)
    order = np.argsort(joined)
    choice, runner_up = best_two(joined[order], np.concatenate(scores)[order])
    chosen = next(family for family in families if choice.index in family.available)
    gain, share = choice.score or 0.0, by_share[chosen.name]
    reason = (
        f"joint entropy {before:.3f} nat, expected to change by {gain:+.4f}: {share:+.4f} by one more of "
        f"{chosen.name}, {gain - share:+.4f} by its value"
    ).replace("-", "−")
    return Pick(choice, runner_up, chosen.name, reason, _details(chosen, choice, before, share))


def _details(family: _Family, choice: Choice, before: float, share: float) -> dict[str, float]:
    at = int(np.searchsorted(family.available, choice.index))
    return {
        "n_labelled": float(family.size - family.in_flight),
        "n_in_flight": float(family.in_flight),
        "joint_entropy_before": before,
        "expected_joint_gain": choice.score or 0.0,
        "expected_gain_by_share": share,
        **predicted_figures(family.forecasts, family.predictions, at),
    }


def _mean_change(forecast: FamilyForecast, prediction: FamilyPrediction) -> FloatArray:
    """E[Δh_p] over the cases of what is in flight, shape (a,) [nat]."""
    std = prediction.value_std
    changes = np.zeros(len(std))
    means = np.broadcast_to(prediction.means, (len(forecast.samples), len(std)))
    for sample, mean in zip(forecast.samples, means, strict=True):
        added = forecast.target_property.measure.added(sample)
        if added is not None:
            changes += expected_change(added, sample, mean, std) / len(forecast.samples)
    return changes
