"""One property of a family as one decision sees it: what its values are, and what those in flight may make of them.

Requests in flight count by their predicted distribution: `cases` joint draws of what they may bring, antithetic and by
the seed of the decision, enter the sample of the family, in each case its own; h and expected gains are averages over
the cases, taken together, and the surrogate's deviation falls around the requests in every case.

| here | meaning | shape |
|---|---|---|
| s | cases; one while nothing is in flight | |
| e | errors of what is in flight, by case (see `surrogate.pending_conditioned.PendingConditioned`) | (s, requests) |
| a | candidates that are available | |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.family_history import FamilyHistory
from agent.acquisition.shared_surrogate import SharedSurrogate
from agent.entropy.expected_gain import mean_expected_gain
from agent.entropy.target_properties import TargetProperty
from agent.surrogate.pending_conditioned import PendingConditioned


@dataclass(frozen=True, slots=True)
class FamilyPrediction:
    """Of a property of the available candidates of a family.

    Attributes:
        means: Of the latent property in each case, shape (s, a) [unit of the property].
        std: Of the latent property, the same in all cases, shape (a,) [unit of the property].
        noise_std: Deviation of the noise [unit of the property].
        lengthscale: Of the surrogate [standardised feature].
    """

    means: FloatArray
    std: FloatArray
    noise_std: float
    lengthscale: float

    @property
    def value_std(self) -> FloatArray:
        """Deviation of the value to come, noise included, shape (a,) [unit of the property]."""
        total: FloatArray = np.hypot(self.std, self.noise_std)
        return total


class FamilyForecast:
    """One property of a family.

    Args:
        target_property: The property.
        history: What is known of it in this family.
        shared: The surrogate of all families, for one with too few rows.
        cases: How many cases there are once something is in flight; even.
        rng: The decision's.
    """

    def __init__(
        self,
        target_property: TargetProperty,
        history: FamilyHistory,
        shared: SharedSurrogate,
        cases: int,
        rng: np.random.Generator,
    ) -> None:
        self.target_property, self.history = target_property, history
        self._shared, self._cases, self._rng = shared, cases, rng
        self._samples = history.sample[None]
        self._entropy: float | None = None
        self._is_measured = False
        self._errors = np.empty((cases, 0))
        self._pending: list[int] = []
        self._conditioned: PendingConditioned | None = None

    @property
    def samples(self) -> FloatArray:
        """The values of the family in each case, those in flight among them, ascending, shape (s, k)."""
        return self._samples

    @property
    def entropy(self) -> float | None:
        """Mean standardised entropy over the cases [nat]; None where it is undefined."""
        if not self._is_measured:
            known = self.target_property.entropies(self._samples)
            known = known[~np.isnan(known)]
            self._entropy = float(known.mean()) if len(known) else None
            self._is_measured = True
        return self._entropy

    def add_pending(self, indices: IndexArray) -> None:
        """Count requests in flight, and draw what they may bring; what was drawn for earlier ones stays."""
        process = self.history.surrogate()
        if process is not None:
            if self._conditioned is None:
                self._conditioned = PendingConditioned(process)
            self._conditioned.extend(self.history.standardised(indices))
        self._pending += indices.tolist()
        half = self._rng.normal(size=(self._cases // 2, len(indices)))
        self._errors = np.concatenate((self._errors, np.concatenate((half, -half))), axis=1)
        values = self._values_in_flight()
        if values is not None:
            known = np.broadcast_to(self.history.sample, (len(values), len(self.history)))
            self._samples = np.sort(np.concatenate((known, values), axis=1), axis=1)
            self._is_measured = False

    def predict(self, available: IndexArray) -> FamilyPrediction | None:
        """Predict the property of available candidates of the family; None while nothing is known at all."""
        process = self.history.surrogate()
        if process is None:
            return self._predicted_by_all(available)
        at = self.history.places[available]
        if self._conditioned is None:
            mean, std = process.predict()
            return FamilyPrediction(mean[None, at], std[at], process.noise_std, process.lengthscale)
        means, std = self._conditioned.predict(self._errors)
        return FamilyPrediction(means[:, at], std[at], process.noise_std, process.lengthscale)

    def expected_gains(self, prediction: FamilyPrediction) -> FloatArray:
        """Return the mean expected gain over the cases, shape (a,) [nat]."""
        std = prediction.value_std
        means = np.broadcast_to(prediction.means, (len(self._samples), len(std)))
        return mean_expected_gain(self.target_property.measure.added_each(self._samples), self._samples, means, std)

    def _values_in_flight(self) -> FloatArray | None:
        if self._conditioned is not None:
            return self._conditioned.values(self._errors)
        process = self._shared.process
        if process is None:
            return None
        mean, std = process.predict(self._shared.rows(np.array(self._pending)))
        values: FloatArray = mean + np.hypot(std, process.noise_std) * self._errors
        return values

    def _predicted_by_all(self, available: IndexArray) -> FamilyPrediction | None:
        process = self._shared.process
        if process is None:
            return None
        conditioned = process.with_fantasies(self._shared.rows(np.array(self._pending, dtype=np.int64)))
        mean, std = self._shared.predict(conditioned, available)
        return FamilyPrediction(mean[None], std, process.noise_std, process.hyperparameters.lengthscale)


def predicted_figures(
    forecasts: Sequence[FamilyForecast], predictions: Sequence[FamilyPrediction], at: int
) -> dict[str, float]:
    """Return what is predicted of one candidate, as decisions keep it; of several properties each with its name.

    Args:
        forecasts: Of each property.
        predictions: Of each property.
        at: Place of the candidate among those that are predicted.
    """
    figures: dict[str, float] = {}
    for forecast, prediction in zip(forecasts, predictions, strict=True):
        suffix = f" of {forecast.target_property.name}" if len(forecasts) > 1 else ""
        figures |= {
            f"predicted_mean{suffix}": float(prediction.means[:, at].mean()),
            f"predicted_std{suffix}": float(prediction.std[at]),
            f"noise_std{suffix}": prediction.noise_std,
            f"lengthscale{suffix}": prediction.lengthscale,
        }
    return figures
