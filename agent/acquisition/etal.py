"""Entropy-targeted active learning: enrich the family whose values are least diverse.

One choice:

1. Target: the poorest family (lowest h; see `bias.poverty_rank`) with available candidates that is not left out. A
   family is left out after `patience` acquisitions in a row that did not raise its own h. When that leaves none, all
   are admitted again for this decision, so that a campaign can spend its budget.
2. Surrogate: a Gaussian process on the labelled rows of the target family; with fewer than four of them, on all
   labelled rows; with none at all there is no score, and the seed decides inside the target family.
3. Score of each candidate of the family: expected improvement of a normal with the mean and the deviation of
   h(after adding f), f being the latent posterior, over the present h. Where h is undefined: the deviation of f.
4. The best score is chosen; equal scores fall to the lowest index.

Requests in flight count as fantasies: each enters its family with its predicted mean, in h and in the surrogate, so
that neither the family nor the candidate is chosen twice for the same lack. So does each choice of this proposal.
(Predicted means are less spread than the values to come, so the aim moves on rather later than it would with them.)

| here | meaning |
|---|---|
| h | differential entropy of the values of a family, fantasies included [nat], see `entropy` |
| f | latent property of a candidate: mean and deviation [unit of the campaign] |
| EI | expected improvement [nat], see `selection.expected_improvement` |

Where it departs from the publication: quadrature in place of 1,000 draws, a converged fit in place of 100 Adam
steps, fantasies, and a step at which the automatic estimator changes its formula (10 → 11 and 1000 → 1001 values) is
not counted as a miss, as the two estimates do not compare.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, Proposal
from agent.acquisition.bias import consecutive_misses, poverty_rank
from agent.acquisition.entropy import entropy_of_sorted, expected_entropy_with_added
from agent.acquisition.selection import (
    DEFAULT_MAX_TRAINING_ROWS,
    best_two,
    check_whole_number,
    expected_improvement,
    short_reason,
    training_positions,
)
from agent.surrogate.gaussian_process import FittedGP, fit
from agent.surrogate.standardise import ColumnMemory, Standardisation

DEFAULT_PATIENCE: Final = 5
"""Acquisitions in a row without a gain after which a family is left out, as published."""

MIN_FAMILY_ROWS: Final = 4
"""Fewest labelled rows of a family that tell three hyper-parameters anything."""


class EntropyTargeted:
    """The policy "etal".

    Args:
        patience: Acquisitions in a row that may fail to raise a family's entropy before it is left out, at least 1.
        max_training_rows: Most labelled rows of one fit, at least 4.

    Raises:
        SettingsError: On an option out of its range.
    """

    cheap: ClassVar[bool] = False

    def __init__(self, *, patience: int = DEFAULT_PATIENCE, max_training_rows: int = DEFAULT_MAX_TRAINING_ROWS) -> None:
        check_whole_number("patience", patience, 1)
        check_whole_number("max_training_rows", max_training_rows, MIN_FAMILY_ROWS)
        self._patience = patience
        self._max_training_rows = max_training_rows
        self._columns = ColumnMemory()

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each from the family that is poorest by then."""
        world = _World(context, self._columns.of(context.pool.features), self._patience, self._max_training_rows)
        picks = [world.pick()]
        while len(picks) < min(count, len(context.available)):
            world.take(picks[-1])
            picks.append(world.pick())
        first, last = picks[0], picks[-1]
        return Proposal(
            choices=tuple(pick.choice for pick in picks),
            reason=short_reason(first.reason + (f" (first of {len(picks)})" if len(picks) > 1 else "")),
            runner_up=last.runner_up,
            target_family=first.family.name,
            details=first.details,
        )


@dataclass(slots=True)
class _Family:
    """A family as this decision sees it; grows by its fantasies."""

    code: int
    name: str
    sample: FloatArray  # observed and fantasies, ascending
    in_flight: int  # requested or chosen just now, with a fantasy or without
    available: IndexArray
    posterior: FittedGP | None = None

    @property
    def entropy(self) -> float | None:
        return entropy_of_sorted(self.sample)

    def enter(self, fantasy: float) -> None:
        """Add a predicted value, unless it would only leave a defined entropy undefined.

        A surrogate that has learnt nothing predicts its mean for all, and so many ties would make a family with
        requests in flight look like one without an entropy, which comes first.
        """
        enlarged = np.insert(self.sample, int(np.searchsorted(self.sample, fantasy)), fantasy)
        if self.entropy is None or entropy_of_sorted(enlarged) is not None:
            self.sample = enlarged


@dataclass(frozen=True, slots=True)
class _Pick:
    choice: Choice
    runner_up: Choice | None
    family: _Family
    reason: str
    details: dict[str, float]


class _World:
    """The working state of one call of `propose`."""

    def __init__(
        self, context: AcquisitionContext, columns: Standardisation, patience: int, max_training_rows: int
    ) -> None:
        self._context = context
        self._columns = columns
        self._patience = patience
        self._max_training_rows = max_training_rows
        self._observed_codes = context.pool.family_codes[context.observed]
        self._observed_sizes = np.bincount(self._observed_codes, minlength=len(context.pool.families))
        self._shared_fit: FittedGP | None = None
        self._rng = np.random.default_rng(context.seed)
        self._families = [self._family(code) for code in range(len(context.pool.families))]
        self._left_out = {f.code for f in self._families if len(f.available) and self._is_left_out(f.code)}
        for code in np.unique(context.pool.family_codes[context.pending]):
            pending = context.pending[context.pool.family_codes[context.pending] == code]
            self._imagine(self._families[int(code)], pending)

    def pick(self) -> _Pick:
        """Choose one candidate of the poorest family."""
        family, reopened = self._target()
        entropy = family.entropy
        posterior = self._posterior(family)
        if posterior is None:
            choice, runner_up = Choice(int(self._rng.choice(family.available))), None
            reason = "without any value there is nothing to score"
            details: dict[str, float] = {}
        else:
            choice, runner_up, reason, details = self._score(family, posterior, entropy)
        prefix = f"all families missed {self._patience} times in a row and are admitted again; " if reopened else ""
        return _Pick(choice, runner_up, family, f"{prefix}{self._state_of(family, entropy)}; {reason}", details)

    def take(self, pick: _Pick) -> None:
        """Let a pick count as requested before the next one."""
        family = pick.family
        family.available = family.available[family.available != pick.choice.index]
        self._imagine(family, np.array([pick.choice.index]))

    def _target(self) -> tuple[_Family, bool]:
        """Return the family to enrich, and whether the families left out had to be admitted again."""
        with_candidates = [f for f in self._families if len(f.available)]
        eligible = [f for f in with_candidates if f.code not in self._left_out]
        poorest = min(
            eligible or with_candidates,
            key=lambda f: poverty_rank(f.entropy, int(self._observed_sizes[f.code]) + f.in_flight, f.name),
        )
        return poorest, not eligible

    def _score(
        self, family: _Family, posterior: FittedGP, entropy: float | None
    ) -> tuple[Choice, Choice | None, str, dict[str, float]]:
        mean, std = posterior.predict(self._rows(family.available))
        after: FloatArray | None = None
        if entropy is None:
            scores = std
        else:
            after, spread = expected_entropy_with_added(family.sample, mean, std)
            scores = expected_improvement(after, spread, entropy)
        choice, runner_up = best_two(family.available, scores)
        at = int(np.searchsorted(family.available, choice.index))
        details = {
            "predicted_mean": float(mean[at]),
            "predicted_std": float(std[at]),
            "lengthscale": posterior.hyperparameters.lengthscale,
            "noise_std": posterior.noise_std,
            "n_labelled": float(self._observed_sizes[family.code]),
        }
        if entropy is None or after is None:
            return choice, runner_up, f"largest predicted deviation {std[at]:.3g}", details
        details |= {"entropy_before": entropy, "expected_entropy_after": float(after[at])}
        return choice, runner_up, f"expected gain {scores[at]:.3f} nat", details

    def _state_of(self, family: _Family, entropy: float | None) -> str:
        size = int(self._observed_sizes[family.code])
        counted = f"{size} value{'' if size == 1 else 's'}"
        if family.in_flight:
            counted += f" and {family.in_flight} in flight"
        if entropy is None:
            return f"{family.name} has no defined entropy ({counted})"
        return f"{family.name} is poorest (h = {entropy:.3f} nat, {counted})"

    def _family(self, code: int) -> _Family:
        context = self._context
        return _Family(
            code=code,
            name=context.pool.families[code],
            sample=np.sort(context.values[self._observed_codes == code]),
            in_flight=0,
            available=context.available[context.pool.family_codes[context.available] == code],
        )

    def _is_left_out(self, code: int) -> bool:
        context = self._context
        acquired = context.acquired[context.pool.family_codes[context.acquired] == code]
        acquired_positions = np.searchsorted(context.observed, acquired)
        of_family = np.flatnonzero(self._observed_codes == code)
        start_positions = np.setdiff1d(of_family, acquired_positions, assume_unique=True)
        in_order = context.values[np.concatenate((start_positions, acquired_positions))]
        return consecutive_misses(in_order, len(acquired), self._patience) >= self._patience

    def _imagine(self, family: _Family, indices: IndexArray) -> None:
        """Let requested candidates enter their family with their predicted means."""
        family.in_flight += len(indices)
        posterior = self._posterior(family)
        if posterior is None:
            return
        rows = self._rows(indices)
        mean, _ = posterior.predict(rows)
        for value in mean:
            family.enter(float(value))
        family.posterior = posterior.with_fantasies(rows)

    def _posterior(self, family: _Family) -> FittedGP | None:
        """Return the surrogate of a family, fantasies included; None when nothing is labelled."""
        if family.posterior is None and len(self._context.observed):
            if self._observed_sizes[family.code] >= MIN_FAMILY_ROWS:
                family.posterior = self._fit(np.flatnonzero(self._observed_codes == family.code))
            else:
                if self._shared_fit is None:
                    self._shared_fit = self._fit(np.arange(len(self._context.observed)))
                family.posterior = self._shared_fit
        return family.posterior

    def _fit(self, positions: IndexArray) -> FittedGP:
        rows = self._context.observed[positions]
        chosen = training_positions(rows, self._context.acquired, self._max_training_rows)
        return fit(self._rows(rows[chosen]), self._context.values[positions[chosen]])

    def _rows(self, indices: IndexArray) -> FloatArray:
        return self._columns.apply(self._context.pool.features[indices])
