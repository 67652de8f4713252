"""Entropy-targeted active learning: enrich the family whose values are least diverse.

One choice:

1. Target: the poorest family (lowest h; see `bias.priority`) with available candidates that is not left out. A
   family is left out after `patience` acquisitions in a row that did not raise its own h. When that leaves none, all
   are admitted again for this decision, so that a campaign can spend its budget.
2. Surrogate: a Gaussian process on the labelled rows of the target family, grown row by row (`surrogate.growing`),
   with a lengthscale for each feature, held by weak priors (`surrogate.prior`), each value with the uncertainty that
   came with it; with fewer than four of them, on all labelled rows; with none at all there is no score, and the seed
   decides inside the target family.
3. Score of each candidate of the family: the expected gain G = E[max(h(y ∪ Y) − h(y), 0)] of its value Y, noise
   included (`expected_gain`). Where the family has no h: the deviation of Y.
4. The best score is chosen; equal scores fall to the lowest index.

Requests in flight count by their predicted distribution (`forecast`), so that neither the family nor the candidate is
chosen twice for the same lack. Each choice of a batch is in flight for the choices after it.

Of several properties (`targets`) each has a surrogate of its own; h and G are their weighted sums, and a family is left
out only when it gained in none of them.

| here | meaning |
|---|---|
| h | differential entropy of the values of a family [nat], by the campaign's measure, see `measure` |
| Y | value to come of a candidate: normal with the surrogate's mean and deviation [unit of the property] |
| G | expected gain [nat], see `expected_gain` |

Input that nobody wishes for (tests/unit/agent/acquisition/test_etal_bad_input.py):

| input | outcome |
|---|---|
| candidates with the same features | of equal score, the lowest index first; one in flight tells of all |
| constant features | left out; without any other all candidates are equal, and the lowest index is chosen |
| a feature that is not finite | refused with the pool (`pool.candidates`), and by `surrogate.standardise` |
| a family without a labelled row | the poorest; predicted from all other rows, the largest deviation is chosen |
| values that are all equal | h is that of the resolution; one more gains nothing, and the family is left out in time |
| an outlier of 1e6 deviations | all stays finite; its family counts as rich; resolution and other families stay |
| one candidate left, or none | it is chosen, without a runner-up; an empty proposal |
| a pool larger than memory | features may be a memory map, read in blocks; covariances are not kept (`memory_mib`) |

What differs from the publication, whose method step by step is `etal_reference`: the true expected gain in place of a
normal approximation of it, noise, an estimator without ties and jumps, gains counted with the same window before and
after, requests in flight, families that are admitted again.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, IndexArray, PoolArrays, Proposal
from agent.acquisition.family_forecast import FamilyForecast, FamilyPrediction, predicted_figures
from agent.acquisition.family_history import MIN_FAMILY_ROWS, Histories
from agent.acquisition.selection import DEFAULT_MAX_TRAINING_ROWS, Pick, best_two, check_whole_number, proposal_of
from agent.acquisition.shared_surrogate import SharedSurrogate
from agent.entropy.bias import priority
from agent.entropy.target_properties import TargetProperty, combined_entropy
from agent.surrogate.growing import GrowthSettings
from agent.surrogate.prior import PosteriorModeFit
from agent.surrogate.standardise import ColumnMemory
from protocols.errors import SettingsError

DEFAULT_PATIENCE: Final = 10
"""Acquisitions without gain after which a family is left out; the published 5 drops families that still have
something to give (DECISIONS.md)."""

DEFAULT_CASES: Final = 16
"""Joint draws of what is in flight: the mean over them errs by a quarter of one draw's deviation."""

DEFAULT_MEMORY_MIB: Final = 1_024
"""Most memory of one family's covariances [MiB]: 1,000 labelled rows and 250,000 candidates in single precision."""

MAX_PASSED_OVER: Final = 2
"""Families that a reason names as poorer than the chosen one: more would not be read."""


class EntropyTargeted:
    """The policy "etal".

    Args:
        patience: Acquisitions in a row that may fail to raise a family's entropy before it is left out, at least 1.
        lengthscales: "each" feature its own, or "one" for all (coarser: DECISIONS.md).
        cases: Joint draws of what is in flight, an even number of at least 2.
        max_fit_rows: Most labelled rows that hyper-parameters are fitted on, at least 4.
        max_training_rows: Most labelled rows of the surrogate, at least 4.
        memory_mib: Most memory of one family's covariances [MiB]; what needs more is computed again at every decision.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self,
        *,
        patience: int = DEFAULT_PATIENCE,
        lengthscales: str = "each",
        cases: int = DEFAULT_CASES,
        max_fit_rows: int = DEFAULT_MAX_TRAINING_ROWS,
        max_training_rows: int = 2_000,
        memory_mib: int = DEFAULT_MEMORY_MIB,
    ) -> None:
        check_whole_number("patience", patience, 1)
        check_whole_number("cases", cases, 2)
        check_whole_number("max_fit_rows", max_fit_rows, MIN_FAMILY_ROWS)
        check_whole_number("max_training_rows", max_training_rows, MIN_FAMILY_ROWS)
        check_whole_number("memory_mib", memory_mib, 0)
        if lengthscales not in {"one", "each"}:
            raise SettingsError(f"The policy option lengthscales is {lengthscales!r}", expected='"one" or "each"')
        if cases % 2:
            raise SettingsError(f"The policy option cases is {cases}", expected="an even number: draws come in pairs")
        self._patience, self._cases = patience, cases
        fit = PosteriorModeFit(groups=0) if lengthscales == "each" else None
        self._growth = GrowthSettings(
            max_fit_rows=max_fit_rows, max_rows=max_training_rows, memory_bytes=memory_mib << 20, fit=fit
        )
        self._columns = ColumnMemory()
        self._kept: tuple[PoolArrays, tuple[TargetProperty, ...], list[Histories]] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each from the family of the lowest entropy by then."""
        decision = _Decision(context, self._families(context), self._patience)
        picks: list[Pick] = []
        while len(picks) < min(count, len(context.available)):
            if picks:
                decision.request(picks[-1])
            picks.append(decision.pick())
        return proposal_of(picks) if picks else Proposal((), reason="no candidate is available")

    def _families(self, context: AcquisitionContext) -> list[_Family]:
        """Bring what is kept of every family and property up to the context."""
        pool, columns = context.pool, self._columns.of(context.pool.features)
        targets = tuple(target_property for target_property, _ in context.target_values)
        if self._kept is None or self._kept[0] is not pool or self._kept[1] != targets:
            self._kept = (pool, targets, [Histories(pool, each.measure, columns, self._growth) for each in targets])
        rng = np.random.default_rng(context.seed)
        forecasts: list[list[FamilyForecast]] = [[] for _ in pool.families]
        for (target_property, values), stds, histories in zip(
            context.target_values, context.target_uncertainties, self._kept[2], strict=True
        ):
            shared = SharedSurrogate(context, values, stds, columns)
            for code, history in enumerate(histories.follow(context, values, stds)):
                forecasts[code].append(FamilyForecast(target_property, history, shared, self._cases, rng))
        return [_Family(name, each) for name, each in zip(pool.families, forecasts, strict=True)]


@dataclass(slots=True)
class _Family:
    """A family as this decision sees it, with a forecast for each property."""

    name: str
    forecasts: list[FamilyForecast]
    in_flight: int = 0

    @property
    def size(self) -> int:
        return len(self.forecasts[0].history)

    @property
    def entropy(self) -> float | None:
        return combined_entropy(
            [each.target_property for each in self.forecasts], [each.entropy for each in self.forecasts]
        )

    @property
    def no_gain_count(self) -> int:
        """Acquisitions in a row that gained in none of the properties."""
        return min(each.history.no_gain_count for each in self.forecasts)

    def add_pending(self, indices: IndexArray) -> None:
        self.in_flight += len(indices)
        for forecast in self.forecasts:
            forecast.add_pending(indices)


class _Decision:
    """The working state of one call of `propose`."""

    def __init__(self, context: AcquisitionContext, families: Sequence[_Family], patience: int) -> None:
        self._context, self._families, self._patience = context, families, patience
        self._codes = context.pool.family_codes[context.available]
        self._left = np.bincount(self._codes, minlength=len(families))
        self._asked: dict[int, IndexArray] = {}
        # Of its own, so that what is drawn for requests in flight does not decide where nothing else does.
        self._rng = np.random.default_rng([context.seed, 1])
        pending_codes = context.pool.family_codes[context.pending]
        for code in np.unique(pending_codes):
            families[code].add_pending(context.pending[pending_codes == code])

    def pick(self) -> Pick:
        """Choose one candidate of the poorest family."""
        code, reopened = self._target()
        family, available = self._families[code], self._available(code)
        predictions = [forecast.predict(available) for forecast in family.forecasts]
        known = [prediction for prediction in predictions if prediction is not None]
        if len(known) < len(predictions):
            choice, runner_up = Choice(int(self._rng.choice(available))), None
            reason, details = "without any value there is nothing to score", dict[str, float]()
        else:
            choice, runner_up, reason, details = _scored(family, available, known)
        prefix = (
            f"all families brought no gain {self._patience} times in a row and are admitted again; " if reopened else ""
        )
        passed_over = self._passed_over(code)
        description = f"{prefix}{_state_of(family, is_poorest=not passed_over)}{passed_over}; {reason}"
        return Pick(choice, runner_up, family.name, description, details)

    def request(self, pick: Pick) -> None:
        """Let a pick count as requested before the next one."""
        code = int(self._context.pool.family_codes[pick.choice.index])
        self._left[code] -= 1
        self._asked[code] = self._asked[code][self._asked[code] != pick.choice.index]
        self._families[code].add_pending(np.array([pick.choice.index]))

    def _target(self) -> tuple[int, bool]:
        """Return the code of the family to enrich, and whether the families left out had to be admitted again."""
        with_candidates = np.flatnonzero(self._left).tolist()
        eligible = [code for code in with_candidates if self._families[code].no_gain_count < self._patience]
        return min(eligible or with_candidates, key=self._priority), not eligible

    def _passed_over(self, target: int) -> str:
        """Say which families are poorer than the target, and why none of them is it."""
        could_not_be = [
            code
            for code, family in enumerate(self._families)
            if not self._left[code] or family.no_gain_count >= self._patience
        ]
        own_rank = self._priority(target)
        poorer = sorted((rank, code) for code in could_not_be if (rank := self._priority(code)) < own_rank)
        description = []
        for _, code in poorer[:MAX_PASSED_OVER]:
            family = self._families[code]
            why = (
                f"brought no gain {family.no_gain_count} times in a row"
                if self._left[code]
                else "has no candidate left"
            )
            description.append(f"; {family.name} is poorer, but {why}")
        return "".join(description) + (f"; {more} more are" if (more := len(poorer) - len(description)) else "")

    def _priority(self, code: int) -> tuple[float, int, str]:
        family = self._families[code]
        return priority(family.entropy, family.size + family.in_flight, family.name)

    def _available(self, code: int) -> IndexArray:
        """Available candidates of a family, ascending; looked for when it is aimed at first."""
        if code not in self._asked:
            self._asked[code] = self._context.available[self._codes == code]
        return self._asked[code]


def _scored(
    family: _Family, available: IndexArray, predictions: Sequence[FamilyPrediction]
) -> tuple[Choice, Choice | None, str, dict[str, float]]:
    """Score the available candidates of a family; return the best two, why, and figures worth keeping."""
    entropy = family.entropy
    parts = list(zip(family.forecasts, predictions, strict=True))
    if entropy is None:
        scores = sum(
            each.target_property.weight / each.target_property.scale * prediction.value_std
            for each, prediction in parts
        )
    else:
        scores = sum(each.target_property.weight * each.expected_gains(prediction) for each, prediction in parts)
    choice, runner_up = best_two(available, np.asarray(scores, dtype=np.float64))
    at = int(np.searchsorted(available, choice.index))
    details = {"n_labelled": float(family.size), "n_in_flight": float(family.in_flight)}
    details |= predicted_figures(family.forecasts, predictions, at)
    if entropy is None:
        return choice, runner_up, f"largest predicted deviation {choice.score:.3g}", details
    details |= {"entropy_before": entropy, "expected_gain": choice.score or 0.0}
    return choice, runner_up, f"expected gain {choice.score:.3g} nat", details


def _state_of(family: _Family, *, is_poorest: bool) -> str:
    entropy = family.entropy
    counted = f"{family.size} value{'' if family.size == 1 else 's'}"
    if family.in_flight:
        counted += f" and {family.in_flight} in flight"
    if entropy is None:
        return f"{family.name} has no entropy ({counted})"
    rank = "has the lowest entropy" if is_poorest else "has the lowest entropy of those to ask for"
    return f"{family.name} {rank} (h = {entropy:.3f} nat, {counted})"
