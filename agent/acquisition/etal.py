"""Entropy-targeted active learning: enrich the family whose values are least diverse.

One choice:

1. Target: the poorest family (lowest h; see `bias.poverty_rank`) with available candidates that is not left out. A
   family is left out after `patience` acquisitions in a row that did not raise its own h. When that leaves none, all
   are admitted again for this decision, so that a campaign can spend its budget.
2. Surrogate: a Gaussian process on the labelled rows of the target family, grown row by row (`surrogate.growing`);
   with fewer than four of them, on all labelled rows; with none at all there is no score, and the seed decides inside
   the target family.
3. Score of each candidate of the family: the expected gain G = E[max(h(y ∪ Y) − h(y), 0)] of its value Y, noise
   included (`expected_gain`). Where the family has no h: the deviation of Y.
4. The best score is chosen; equal scores fall to the lowest index.

Requests in flight count by their predicted distribution: `cases` joint draws of what they may bring (antithetic, by
the seed of the decision) enter their family, and h and G are averages over these; the surrogate's deviation falls
around them in every case. So neither the family nor the candidate is chosen twice for the same lack. Each choice of a
batch is in flight for the choices after it.

| here | meaning |
|---|---|
| h | differential entropy of the values of a family [nat], by the campaign's measure, see `measure` |
| Y | value to come of a candidate: normal with the surrogate's mean and deviation [unit of the property] |
| G | expected gain [nat], see `expected_gain` |

What differs from the publication, whose method step by step is `etal_reference`: the true expected gain in place of a
normal approximation of it, noise, an estimator without ties and jumps, gains counted with the same window before and
after, requests in flight, families that are admitted again.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, Proposal
from agent.acquisition.bias import poverty_rank
from agent.acquisition.expected_gain import expected_gain
from agent.acquisition.family_history import MIN_FAMILY_ROWS, FamilyHistory, Histories
from agent.acquisition.selection import (
    DEFAULT_MAX_TRAINING_ROWS,
    best_two,
    check_whole_number,
    short_reason,
    training_positions,
)
from agent.surrogate.gaussian_process import FittedGP, fit
from agent.surrogate.growing import GrowthTerms, Imagined
from agent.surrogate.standardise import ColumnMemory
from protocols.errors import SettingsError

DEFAULT_PATIENCE: Final = 10
"""Acquisitions without gain after which a family is left out; the published 5 drops families that still have
something to give (DECISIONS.md)."""

DEFAULT_CASES: Final = 16
"""Joint draws of what is in flight: the mean over them errs by a quarter of one draw's deviation."""

DEFAULT_MEMORY_MIB: Final = 1_024
"""Most memory of one family's covariances [MiB]: 1,000 labelled rows and 250,000 candidates in single precision."""


class EntropyTargeted:
    """The policy "etal".

    Args:
        patience: Acquisitions in a row that may fail to raise a family's entropy before it is left out, at least 1.
        lengthscales: "each" feature its own, or "one" for all (faster, and coarser: DECISIONS.md).
        cases: Joint draws of what is in flight, an even number of at least 2.
        max_fit_rows: Most labelled rows that hyper-parameters are fitted on, at least 4.
        max_training_rows: Most labelled rows of the surrogate, at least 4.
        memory_mib: Most memory of one family's covariances [MiB]; what needs more is computed anew at every decision.

    Raises:
        SettingsError: On an option out of its range.
    """

    cheap: ClassVar[bool] = False

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
        self._terms = GrowthTerms(lengthscales == "each", max_fit_rows, max_training_rows, memory_mib << 20)
        self._columns = ColumnMemory()
        self._histories: Histories | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each from the family that is poorest by then."""
        picks: list[_Pick] = []
        decision = _Decision(context, self._followed(context), self._columns, self._patience, self._cases)
        while len(picks) < min(count, len(context.available)):
            picks.append(decision.pick())
            decision.request(picks[-1])
        if not picks:
            return Proposal((), reason="no candidate is available")
        first, last = picks[0], picks[-1]
        return Proposal(
            choices=tuple(pick.choice for pick in picks),
            reason=short_reason(first.reason + (f" (first of {len(picks)})" if len(picks) > 1 else "")),
            runner_up=last.runner_up,
            target_family=first.family.name,
            details=first.details,
        )

    def _followed(self, context: AcquisitionContext) -> list[FamilyHistory]:
        known = self._histories
        if known is None or known.pool is not context.pool or known.measure != context.measure:
            columns = self._columns.of(context.pool.features)
            self._histories = known = Histories(context, columns, self._terms)
        return known.follow(context)


@dataclass(slots=True)
class _Family:
    """A family as this decision sees it.

    Attributes:
        cases: What its sample may be when the requests in flight have been answered; one case without any.
        errors: Of these requests, by case (see `growing.Imagined`), shape (s, p).
        flight: Pool indices of these requests.
        imagined: The surrogate with them; None without any, or without a surrogate of its own.
    """

    code: int
    name: str
    history: FamilyHistory
    available: IndexArray
    cases: list[FloatArray]
    errors: FloatArray
    flight: list[int] = field(default_factory=list)
    imagined: Imagined | None = None

    @property
    def entropy(self) -> float | None:
        """Mean over the cases."""
        found = [self.history.measure.entropy(sample) for sample in self.cases]
        known = [h for h in found if h is not None]
        return float(np.mean(known)) if known else None


@dataclass(frozen=True, slots=True)
class _Pick:
    choice: Choice
    runner_up: Choice | None
    family: _Family
    reason: str
    details: dict[str, float]


class _Decision:
    """The working state of one call of `propose`."""

    def __init__(
        self,
        context: AcquisitionContext,
        histories: Sequence[FamilyHistory],
        columns: ColumnMemory,
        patience: int,
        cases: int,
    ) -> None:
        self._context, self._columns, self._patience, self._cases = context, columns, patience, cases
        self._rng = np.random.default_rng(context.seed)
        self._shared: FittedGP | None = None
        pool = context.pool
        codes = pool.family_codes[context.available]
        self._families = [
            _Family(code, pool.families[code], history, context.available[codes == code], [history.sample], _NOTHING)
            for code, history in enumerate(histories)
        ]
        pending_codes = pool.family_codes[context.pending]
        for code in np.unique(pending_codes):
            for index in context.pending[pending_codes == code]:
                self._let_fly(self._families[code], int(index))
            self._draw_cases(self._families[code])

    def pick(self) -> _Pick:
        """Choose one candidate of the poorest family."""
        family, reopened = self._target()
        prediction = self._predict(family)
        if prediction is None:
            choice, runner_up = Choice(int(self._rng.choice(family.available))), None
            reason, details = "without any value there is nothing to score", dict[str, float]()
        else:
            choice, runner_up, reason, details = self._score(family, *prediction)
        prefix = f"all families missed {self._patience} times in a row and are admitted again; " if reopened else ""
        return _Pick(choice, runner_up, family, f"{prefix}{_state_of(family)}; {reason}", details)

    def request(self, pick: _Pick) -> None:
        """Let a pick count as requested before the next one."""
        family = pick.family
        family.available = family.available[family.available != pick.choice.index]
        self._let_fly(family, pick.choice.index)
        self._draw_cases(family)

    def _target(self) -> tuple[_Family, bool]:
        """Return the family to enrich, and whether the families left out had to be admitted again."""
        with_candidates = [family for family in self._families if len(family.available)]
        eligible = [family for family in with_candidates if family.history.misses < self._patience]
        poorest = min(
            eligible or with_candidates,
            key=lambda f: poverty_rank(f.entropy, len(f.history) + len(f.flight), f.name),
        )
        return poorest, not eligible

    def _score(
        self, family: _Family, means: FloatArray, std: FloatArray, noise_std: float, lengthscale: float
    ) -> tuple[Choice, Choice | None, str, dict[str, float]]:
        """Score the available candidates; `means` has a row for each case, shape (s, a)."""
        total_std = np.hypot(std, noise_std)
        entropy = family.entropy
        scores = total_std
        if entropy is not None:
            scores = np.zeros(len(std))
            for sample, mean in zip(family.cases, means, strict=True):
                added = family.history.measure.added(sample)
                if added is not None:
                    scores += expected_gain(added, sample, mean, total_std) / len(family.cases)
        choice, runner_up = best_two(family.available, scores)
        at = int(np.searchsorted(family.available, choice.index))
        details = {
            "predicted_mean": float(means[:, at].mean()),
            "predicted_std": float(std[at]),
            "lengthscale": lengthscale,
            "noise_std": noise_std,
            "n_labelled": float(len(family.history)),
            "n_in_flight": float(len(family.flight)),
        }
        if entropy is None:
            return choice, runner_up, f"largest predicted deviation {total_std[at]:.3g}", details
        details |= {"entropy_before": entropy, "expected_gain": float(scores[at])}
        return choice, runner_up, f"expected gain {scores[at]:.3g} nat", details

    def _predict(self, family: _Family) -> tuple[FloatArray, FloatArray, float, float] | None:
        """Means (s, a) and deviations (a,) of the available candidates, deviation of the noise, lengthscale."""
        process = family.history.surrogate()
        if process is None:
            return self._predict_from_all(family)
        at = np.searchsorted(family.history.members, family.available)
        if family.imagined is None:
            mean, std = process.predict()
            return (
                np.broadcast_to(mean[at], (len(family.cases), len(at))),
                std[at],
                process.noise_std,
                process.lengthscale,
            )
        means, std = family.imagined.predict(family.errors)
        return means[:, at], std[at], process.noise_std, process.lengthscale

    def _predict_from_all(self, family: _Family) -> tuple[FloatArray, FloatArray, float, float] | None:
        """The same from the labelled rows of all families; None when there are none."""
        process = self._shared_process()
        if process is None:
            return None
        flown = process.with_fantasies(self._rows(np.array(family.flight, dtype=np.int64)))
        mean, std = flown.predict(self._rows(family.available))
        means = np.broadcast_to(mean, (len(family.cases), len(mean)))
        return means, std, process.noise_std, process.hyperparameters.lengthscale

    def _shared_process(self) -> FittedGP | None:
        context = self._context
        if self._shared is None and len(context.observed):
            chosen = training_positions(context.observed, context.acquired, DEFAULT_MAX_TRAINING_ROWS)
            self._shared = fit(self._rows(context.observed[chosen]), context.values[chosen])
        return self._shared

    def _let_fly(self, family: _Family, index: int) -> None:
        """Count a request in flight."""
        family.flight.append(index)
        process = family.history.surrogate()
        if process is None:
            return
        if family.imagined is None:
            family.imagined = Imagined(process)
        family.imagined.append(family.history.standardised(np.array([index]))[0])

    def _draw_cases(self, family: _Family) -> None:
        """Draw what the requests in flight may bring; what was drawn before for one of them stays."""
        known = family.errors if len(family.errors) else np.empty((self._cases, 0))
        half = self._rng.normal(size=(self._cases // 2, len(family.flight) - known.shape[1]))
        family.errors = np.concatenate((known, np.concatenate((half, -half))), axis=1)
        if family.imagined is not None:
            values = family.imagined.values(family.errors)
        elif (process := self._shared_process()) is not None:
            mean, std = process.predict(self._rows(np.array(family.flight)))
            values = mean + np.hypot(std, process.noise_std) * family.errors
        else:
            return
        family.cases = [np.sort(np.concatenate((family.history.sample, case))) for case in values]

    def _rows(self, indices: IndexArray) -> FloatArray:
        features = self._context.pool.features
        return self._columns.of(features).apply(features[indices])


_NOTHING: Final = np.empty((0, 0))


def _state_of(family: _Family) -> str:
    size, entropy = len(family.history), family.entropy
    counted = f"{size} value{'' if size == 1 else 's'}"
    if len(family.flight):
        counted += f" and {len(family.flight)} in flight"
    if entropy is None:
        return f"{family.name} has no entropy ({counted})"
    return f"{family.name} is poorest (h = {entropy:.3f} nat, {counted})"
