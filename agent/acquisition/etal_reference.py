"""ET-AL as it was published, step by step: the policy that others are measured against. Nothing here is improved.

One step of the published method (steps 1 to 4 of the algorithm in section II of the paper), and where it is here:

1. Target g*: the family of lowest h among those with candidates left that are not left out. A family is left out for
   good once `patience` = 5 of its acquisitions in a row have not raised its own h (`is_excluded`); every acquisition
   counts, also those at which the estimator changes its formula (10 → 11 and 1000 → 1001 values).
2. Surrogate: a Gaussian process on the labelled rows of g* alone, fitted afresh; constant mean, scaled isotropic
   squared-exponential kernel, Gaussian noise (`agent.surrogate.gaussian_process`).
3. Score of every candidate of g*: f ~ N(μ, σ²), its latent prediction without noise; mean m and deviation s of
   h(values ∪ {f}); expected improvement of N(m, s²) over h (`selection.expected_improvement`).
4. The best score is chosen; equal scores fall to the lowest index.

It ends when no family is left to aim at, or when one is left and its h is the highest of all already. Both are the
published stopping rules; the campaign then ends with that reason.

| here | meaning |
|---|---|
| h | differential entropy of a family's values, SciPy's automatic estimator [nat], see `entropy` |
| f, μ, σ | latent property of a candidate, its predicted mean and deviation [unit of the campaign] |
| m, s | mean and deviation of h once f is added [nat] |
| EI | (m − h) Φ(u) + s φ(u), u = (m − h)/s [nat] |

What differs, and why: quadrature stands for the 1,000 draws of step 3 (the same score up to their error, and the same
decision every time), and a converged fit for 100 steps of Adam.

What the publication leaves open, as its script behaves or as it must have meant: a family with fewer than five values,
or with so many equal ones that h = −∞, has no improvement to expect and is not aimed at; it does not count as left
either. Features are standardised, which the published embeddings were not: they have one scale, tables seldom do
(`standardise = false` is the publication to the message). The fit takes all rows of the family: its cost grows with
their cube.

The method is sequential. It asks for one candidate at a time, whatever `batch` is, and with `parallel` above 1 knows
nothing of what is in flight but that it is not available: eight requests may then chase the same lack, and an end is
decided on what is known by then. Observations manually count as known from the start. Uncertainties that came with
values are not looked at: the published process has one noise for all.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023), arXiv 2211.07881.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, Proposal
from agent.acquisition.selection import best_two, check_whole_number, expected_improvement, short_reason
from agent.entropy.entropy import MIN_VALUES, entropy_of_sorted, expected_entropy_with_added
from agent.surrogate.gaussian_process import FittedGP, fit
from agent.surrogate.standardise import ColumnMemory
from protocols.errors import SettingsError

PUBLISHED_PATIENCE: Final = 5
"""Acquisitions of a family in a row without a gain after which it is left out."""


class PublishedEntropyTargeted:
    """The policy "etal_reference".

    Args:
        patience: Acquisitions in a row that may fail to raise a family's entropy before it is left out, at least 1.
        standardise: Whether features are brought to one scale; the publication did not.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(self, *, patience: int = PUBLISHED_PATIENCE, standardise: bool = True) -> None:
        check_whole_number("patience", patience, 1)
        if not isinstance(standardise, bool):
            raise SettingsError(f"The policy option standardise is {standardise!r}", expected="true or false")
        self._patience = patience
        self._standardise = standardise
        self._columns = ColumnMemory()

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:  # noqa: ARG002 - one at a time, as published
        """Choose one candidate, or none when a published stopping rule holds."""
        pool = context.pool
        codes = pool.family_codes[context.observed]
        entropies = [published_entropy(np.sort(context.values[codes == code])) for code in range(len(pool.families))]
        left, reason = self._families_left(context, entropies)
        if reason:
            return Proposal((), short_reason(reason), details={"families_left": float(len(left))})
        target = min(left, key=lambda code: entropies[code])  # the first of equals, whose name is the lowest
        return self._best_of(context, target, entropies[target])

    def _families_left(self, context: AcquisitionContext, entropies: list[float]) -> tuple[list[int], str]:
        """Return the families to aim at, by ascending code, and which stopping rule holds (or nothing)."""
        pool = context.pool
        open_codes = [int(code) for code in np.unique(pool.family_codes[context.available])]
        judged = [code for code in open_codes if math.isfinite(entropies[code])]
        left = [code for code in judged if not self._is_excluded(context, code)]
        if not left:
            out, unjudged = len(judged), len(open_codes) - len(judged)
            return left, (
                f"no family with candidates is left: {out} brought no gain {self._patience} times in a row, "
                f"{unjudged} without a defined entropy"
            )
        defined = [h for h in entropies if math.isfinite(h)]
        if len(left) == 1 and entropies[left[0]] >= max(defined):
            family, h = pool.families[left[0]], entropies[left[0]]
            return left, f"{family} alone is left, and it is the richest already (h = {h:.3f} nat)"
        return left, ""

    def _best_of(self, context: AcquisitionContext, target: int, h: float) -> Proposal:
        """Steps 2 to 4 of the algorithm."""
        pool = context.pool
        of_target = pool.family_codes[context.observed] == target
        values = context.values[of_target]
        candidates = context.available[pool.family_codes[context.available] == target]
        posterior: FittedGP = fit(self._rows(context, context.observed[of_target]), values)
        mean, std = posterior.predict(self._rows(context, candidates))
        after, spread = expected_entropy_with_added(np.sort(values), mean, std)
        choice, runner_up = best_two(candidates, expected_improvement(after, spread, h))
        at = int(np.searchsorted(candidates, choice.index))
        family = pool.families[target]
        state = f"{family} has the lowest entropy (h = {h:.3f} nat, {len(values)} values)"
        reason = f"{state}; expected gain {choice.score:.3f} nat"
        details = {
            "predicted_mean": float(mean[at]),
            "predicted_std": float(std[at]),
            "lengthscale": posterior.hyperparameters.lengthscale,
            "noise_std": posterior.noise_std,
            "n_labelled": float(len(values)),
            "entropy_before": h,
            "expected_entropy_after": float(after[at]),
        }
        return Proposal((choice,), short_reason(reason), runner_up, family, details)

    def _is_excluded(self, context: AcquisitionContext, code: int) -> bool:
        acquired = context.acquired[context.pool.family_codes[context.acquired] == code]
        if len(acquired) < self._patience:
            return False
        known = context.observed[context.pool.family_codes[context.observed] == code]
        start = known[np.isin(known, acquired, invert=True)]
        value = context.values[np.searchsorted(context.observed, np.concatenate((start, acquired)))]
        return is_excluded(value[: len(start)], value[len(start) :], self._patience)

    def _rows(self, context: AcquisitionContext, indices: IndexArray) -> FloatArray:
        features = context.pool.features
        return self._columns.of(features).apply(features[indices]) if self._standardise else features[indices]


def is_excluded(start: FloatArray, acquired: FloatArray, patience: int) -> bool:
    """Tell whether `patience` acquisitions of a family in a row ever failed to raise its h.

    For good: what came in later, asked for before the family was left out, does not bring it back.

    Args:
        start: Its values that were not acquired, any order, shape (n,).
        acquired: Its acquired values in order of admission, shape (t,).
        patience: Acquisitions in a row without a gain.
    """
    sample, no_gain_count = np.sort(start), 0
    before = published_entropy(sample)
    for value in acquired:
        sample = np.insert(sample, int(np.searchsorted(sample, value)), value)
        after = published_entropy(sample)
        no_gain_count = 0 if after > before else no_gain_count + 1
        if no_gain_count == patience:
            return True
        before = after
    return False


def published_entropy(sorted_values: FloatArray) -> float:
    """Return h as SciPy has it: NaN (above and below nothing) for too few values, −inf for too many equal ones."""
    h = entropy_of_sorted(sorted_values)
    if h is not None:
        return h
    return -math.inf if len(sorted_values) >= MIN_VALUES else math.nan
