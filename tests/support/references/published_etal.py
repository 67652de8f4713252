"""The published method as one would write it down: loops, 1,000 random draws a candidate, SciPy and scikit-learn.

The oracle of `etal_reference`, and what its speed is measured against. It shares nothing with the package but the
protocol of a policy. The publication's GPyTorch (100 steps of Adam from a fixed start) is scikit-learn's converged fit
here, with a constant mean, the same kernel and Gaussian noise.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from agent.acquisition.base import AcquisitionContext, Choice, Proposal

FloatArray = NDArray[np.float64]

DRAWS = 1000
PATIENCE = 5


def entropy(values: FloatArray) -> float:
    """SciPy's automatic estimate; NaN where it has none."""
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore")
        try:
            return float(stats.differential_entropy(values))
        except ValueError:  # fewer values than a window needs
            return math.nan


def drawn_entropies(values: FloatArray, mean: float, std: float, rng: np.random.Generator, draws: int) -> FloatArray:
    """Entropy of the values with one more, drawn from the prediction; one for each draw."""
    drawn = rng.normal(mean, std, size=draws)
    return np.asarray(stats.differential_entropy(np.column_stack((np.tile(values, (draws, 1)), drawn)), axis=1))


def drawn_score(values: FloatArray, mean: float, std: float, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Score one candidate as published: the improvement to expect of a normal with the moments of drawn entropies."""
    h = drawn_entropies(values, mean, std, rng, draws)
    gain, s = h.mean() - entropy(values), h.std() + 1e-9
    return float(gain * stats.norm.cdf(gain / s) + s * stats.norm.pdf(gain / s))


class Straightforward:
    """A policy: the published method, candidate by candidate."""

    def __init__(self, *, draws: int = DRAWS) -> None:
        self._draws = draws

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        pool, rng = context.pool, np.random.default_rng(context.seed)
        families = range(len(pool.families))
        value_of = dict(zip(context.observed.tolist(), context.values.tolist(), strict=True))
        members = [[i for i in value_of if pool.family_codes[i] == code] for code in families]
        h = [entropy(np.array([value_of[i] for i in rows])) for rows in members]
        left = [
            code
            for code in sorted({int(pool.family_codes[i]) for i in context.available})
            if math.isfinite(h[code]) and not self._left_out(context, code, value_of, members[code])
        ]
        if not left:
            return Proposal((), "samples run out")
        target = min(left, key=lambda code: h[code])
        if len(left) == 1 and h[target] >= max(each for each in h if math.isfinite(each)):
            return Proposal((), "no fairness improvement")
        values = np.array([value_of[i] for i in members[target]])
        model = fitted(pool.features[members[target]], values)
        best, best_score = -1, -math.inf
        for index in (int(i) for i in context.available if pool.family_codes[i] == target):
            mean, std = latent(model, pool.features[index])
            score = drawn_score(values, mean, std, rng, self._draws)
            if score > best_score:
                best, best_score = index, score
        return Proposal((Choice(best, best_score),), "by draws", target_family=pool.families[target])

    def _left_out(self, context: AcquisitionContext, code: int, value_of: dict[int, float], members: list[int]) -> bool:
        acquired = [int(i) for i in context.acquired if context.pool.family_codes[i] == code]
        known = [value_of[i] for i in members if i not in set(acquired)]
        misses = 0
        for index in acquired:
            before = entropy(np.array(known))
            known.append(value_of[index])
            misses = 0 if entropy(np.array(known)) > before else misses + 1
            if misses >= PATIENCE:
                return True
        return False


def fitted(features: FloatArray, values: FloatArray) -> GaussianProcessRegressor:
    """A Gaussian process with constant mean, scaled isotropic RBF and Gaussian noise, fitted afresh."""
    typical = math.sqrt(2.0 * float(features.var(axis=0).sum())) or 1.0
    kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(typical, (1e-2 * typical, 1e2 * typical))
    model = GaussianProcessRegressor(kernel + WhiteKernel(0.1, (1e-6, 1e1)), alpha=0.0, normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, values)


def latent(model: GaussianProcessRegressor, features: FloatArray) -> tuple[float, float]:
    """Mean and deviation of f; scikit-learn predicts that of f + noise."""
    mean, std = model.predict(features[None, :], return_std=True)
    noise = model.kernel_.k2.noise_level * float(model._y_train_std) ** 2
    return float(mean[0]), math.sqrt(max(float(std[0]) ** 2 - noise, 0.0))
