"""What is believed of a closure of designs while its values come in.

`DesignModel` is a fold over the values in canonical order: the start set in pool order, then the acquisitions in order
of admission. Its hyper-parameters are fitted when there are `FIT_EVERY` more values, to the values until then and from
fixed starts; each value after that is conditioned on by an update of rank one. Nothing else is carried on, so that a
model that lived through all of it and one that is asked for the first time believe the same, to the bit.

Which model it is follows from label-free figures alone (`choose_model`), or is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.belief import Belief
from agent.causal.designs.closure import Closure, closure_of
from agent.causal.designs.closure_model import ClosureModel, ClosurePrior, conditioned
from agent.causal.designs.confounded_log import TRUSTED, bias_variance, cells_of, with_log
from agent.causal.designs.effects import effect_queries
from agent.causal.designs.feature_model import FeatureModel
from agent.causal.designs.vector_estimate import vector_estimate
from agent.causal.designs.vector_model import VectorModel
from agent.pool.designs import Designs
from agent.pool.earlier_log import EarlierLog
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, listed

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

AUTOMATIC: Final = "auto"
MODELS: Final = (AUTOMATIC, VectorModel.name, FeatureModel.name)
"""What a model may be named."""

FIT_EVERY: Final = (5, 10)
"""New values after which hyper-parameters are fitted again: while there are fewer than `MANY`, and from then on."""

MANY: Final = 40
"""Values from which ten more move hyper-parameters little."""

MOST_CANDIDATES: Final = 4000
"""Largest closure: two covariance matrices of 128 MB each; of 3,000 candidates a decision takes a third of a second,
and a fit two."""

LEAST_EXPLAINED: Final = 0.3
"""Share of the estimate that vector addition must explain: of noise it explains up to 0.06 at 12 groups, and of an
estimate that is half noise still 0.4."""

LEFT_OF_ADDING: Final = 0.9
"""What vector addition leaves unexplained must be less than this part of what adding groups at places leaves. On the
benzenes and eight random halves of their groups it is 0.14 to 0.68 for two estimates of the dipole moment, and 1.16 and
more for energies and gaps."""

NEGATIVE: Final = -1e-6
"""Smallest estimate that still is a length [largest estimate]."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What is believed, twice.

    Attributes:
        stated: What is said of effects and candidates.
        cautious: What candidates are chosen by, see `blocks`; it differs in the covariance alone.
        bias_std: Deviation of the bias that the earlier log was given [unit]; None without a log.
        has_scale: Whether the values, or an estimate, say how large differences are; until then a width means nothing.
    """

    stated: Belief
    cautious: Belief
    bias_std: float | None = None
    has_scale: bool = True

    def is_within(self, width: float) -> bool:
        """Whether the effects are known to this mean half-width [unit]."""
        return self.has_scale and self.stated.mean_half_width <= width

    def after(self, candidate: int) -> Knowledge:
        """Return what is believed once a candidate is measured, whatever its value."""
        return replace(self, stated=self.stated.after(candidate), cautious=self.cautious.after(candidate))


class DesignModel:
    """See the top of this file.

    Args:
        designs: Of the closure.
        features: Label-free features of its candidates, shape (n, d).
        feature_names: Length d, or none.
        estimate: Name of the feature that estimates the property; empty where there is none.
        model: One of `MODELS`.
        log: Earlier values.
        trust_log: Take them at their word, for a demonstration.

    Raises:
        SettingsError: On a closure that is too large, an unknown estimate, or a model that it does not allow.
    """

    def __init__(
        self,
        designs: Designs,
        features: FloatArray,
        feature_names: tuple[str, ...],
        *,
        estimate: str = "",
        model: str = AUTOMATIC,
        log: EarlierLog | None = None,
        trust_log: bool = False,
    ) -> None:
        n = len(features)
        if n > MOST_CANDIDATES:
            raise SettingsError(
                f"The closure of designs has {n} candidates",
                expected=f"at most {MOST_CANDIDATES}",
                action="leave out levels or places, or choose another policy",
            )
        self.designs = designs
        self._cells = None if log is None else cells_of(log, designs, n)
        unit = None if self._cells is None else float(np.sqrt(self._cells.spread))
        closure = closure_of(designs)
        self._model = choose_model(closure, features, feature_names, estimate=estimate, model=model, unit=unit)
        self._queries, self._names = effect_queries(designs, n)
        self._trust_log = trust_log
        self._rows: IndexArray = np.empty(0, dtype=np.int64)
        self._values, self._noise = np.empty(0), np.empty(0)
        self._fitted = -1
        self._knowledge: Knowledge | None = None

    @property
    def name(self) -> str:
        """Which model it is."""
        return self._model.name

    @property
    def in_unit(self) -> bool:
        """Whether it is known before any value how large differences of the property are."""
        return self._model.in_unit

    def follow(self, rows: IndexArray, values: FloatArray, noise: FloatArray, started: int) -> Knowledge:
        """Return what is believed after these values.

        Args:
            rows: Candidates with a value in canonical order, shape (k,).
            values: Shape (k,) [unit].
            noise: Variances that came with them, 0 where none did, shape (k,) [unit²].
            started: How many of them belong to the start set.

        Raises:
            SurrogateError: When a covariance matrix has no Cholesky factor.
        """
        fitted = _last_fit(len(rows), started, in_unit=self._model.in_unit)
        known = len(self._rows)
        is_continued = (
            self._knowledge is not None
            and fitted == self._fitted
            and np.array_equal(rows[:known], self._rows)
            and np.array_equal(values[:known], self._values)
            and np.array_equal(noise[:known], self._noise)
        )
        if self._knowledge is None or not is_continued:
            known = fitted
            self._prior = self._model.fit(rows[:known], values[:known], noise[:known])
            self._knowledge = self._begun(self._prior, rows[:known], values[:known], noise[:known])
        nugget = self._prior.nugget
        knowledge = self._knowledge
        for row, value, variance in zip(rows[known:], values[known:], noise[known:], strict=True):
            knowledge = Knowledge(
                knowledge.stated.learned(int(row), float(value), nugget + float(variance)),
                knowledge.cautious.learned(int(row), float(value), nugget + float(variance)),
            )
        self._rows, self._values, self._noise, self._fitted = rows, values, noise, fitted
        self._knowledge = knowledge
        expected_noise = np.full(len(self._queries.T), nugget + (float(noise.mean()) if len(noise) else 0.0))
        return self._informed(
            Knowledge(
                replace(knowledge.stated, noise=expected_noise),
                replace(knowledge.cautious, noise=expected_noise),
                has_scale=self._prior.has_scale,
            )
        )

    def _begun(self, prior: ClosurePrior, rows: IndexArray, values: FloatArray, noise: FloatArray) -> Knowledge:
        known = prior.nugget + noise
        every = np.full(len(prior.mean), prior.nugget)
        stated, cautious = (
            Belief(*conditioned(prior.mean, covariance, rows, values, known), every, self._queries, self._names)
            for covariance in (prior.covariance, prior.cautious)
        )
        return Knowledge(stated, cautious)

    def _informed(self, knowledge: Knowledge) -> Knowledge:
        """Add what the earlier log says."""
        if self._cells is None:
            return knowledge
        cells = self._cells
        variance = TRUSTED * cells.spread if self._trust_log else bias_variance(knowledge.stated, cells)
        return Knowledge(
            with_log(knowledge.stated, cells, variance),
            with_log(knowledge.cautious, cells, variance),
            float(np.sqrt(variance)),
            knowledge.has_scale,
        )


def choose_model(
    closure: Closure,
    features: FloatArray,
    feature_names: tuple[str, ...],
    *,
    estimate: str,
    model: str,
    unit: float | None = None,
) -> ClosureModel:
    """Return the model that is named, or the one that label-free figures speak for.

    That is "vectors" where an estimate of the property is at hand that is a length, of which vector addition explains
    enough, and more than groups at places that add; else "features".

    Raises:
        SettingsError: On an unknown estimate, one that does not vary, or "vectors" without what it needs.
    """
    sites = closure.groups.shape[1]
    if model == VectorModel.name and (not estimate or sites < 2):  # noqa: PLR2004 - a sum has two terms
        missing = "no estimate of the property" if not estimate else "one site alone, with nothing to add to"
        raise SettingsError(
            f"The model {VectorModel.name!r} has {missing}",
            expected="a label-free feature that estimates the property, and factors that may be exchanged",
            action=f"name the feature by the option estimate, or choose the model {FeatureModel.name!r}",
        )
    t = _estimate_in(features, feature_names, estimate)
    if model == FeatureModel.name or t is None or sites < 2:  # noqa: PLR2004 - as above
        return FeatureModel(closure, features, unit)
    found = vector_estimate(closure, t)
    speaks_for_vectors = (
        bool(t.min() >= NEGATIVE * t.max())
        and found.explained >= LEAST_EXPLAINED
        and 1.0 - found.explained < LEFT_OF_ADDING * (1.0 - found.explained_by_adding)
    )
    if model == VectorModel.name or speaks_for_vectors:
        return VectorModel(closure, found, float(t.std()))
    return FeatureModel(closure, features, unit)


def _estimate_in(features: FloatArray, names: tuple[str, ...], estimate: str) -> FloatArray | None:
    """Return the column of the estimate; None where none is named."""
    if not estimate:
        return None
    if estimate not in names:
        raise SettingsError(
            f"The pool has no feature {estimate!r} to estimate the property by",
            expected=f"one of {listed(names)}" if names else "features with names",
            action=did_you_mean(estimate, names)
            or "name a label-free feature of the pool by the option estimate, or none",
        )
    t: FloatArray = np.asarray(features[:, names.index(estimate)], dtype=np.float64)
    if t.max() <= t.min():
        raise SettingsError(
            f"The feature {estimate!r} is {t[0]:g} for every candidate, and estimates nothing",
            expected="a feature that varies",
            action="name another one by the option estimate, or none",
        )
    return t


def _last_fit(rows: int, started: int, *, in_unit: bool) -> int:
    """To how many values hyper-parameters are fitted when there are so many, the start set's among them.

    A model that takes its unit from the values is fitted to each of the first: a prior in another unit would not give
    way to them.
    """
    step = FIT_EVERY[0] if rows < MANY else FIT_EVERY[1]
    first = 0 if in_unit else min(rows, FIT_EVERY[0])
    return max(rows // step * step, min(started, rows), first)
