"""The models that are trained on what a policy acquired: scikit-learn's, by name, with every choice stated.

None is tuned to a data set, so that no policy gets the model that suits it. Each is seeded where it draws, and runs on
one core (the campaigns around it take the others). Where distances or penalties matter, features are standardised on
the training rows; the kernel ridge standardises the target too, for it has no intercept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from scenarios.settings.models import ModelName

FOREST_TREES: Final = 100
"""Trees of a random forest [tree]: scikit-learn's own number; with more the score moves by less than between seeds."""

BOOSTING_TREES: Final = 100
"""Trees of a gradient boosting, of depth 3 with a learning rate of 0.1 [tree]: scikit-learn's own numbers."""

NEIGHBOURS: Final = 5
"""Neighbours, weighted by inverse distance [row]: scikit-learn's own number; no model can do with fewer rows."""

KERNEL_RIDGE_PENALTY: Final = 0.01
"""Of the standardised target's variance: what a Gaussian process would call noise. The kernel is exp(−|x − x'|²/d)."""

RIDGE_PENALTIES: Final = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Among which the ridge chooses by leave-one-out: it alone has a formula for that."""


def make_model(name: ModelName, seed: int) -> Any:
    """Return an untrained model.

    Args:
        name: One of `MODEL_NAMES`.
        seed: Of the campaign; the same seed and rows give the same model.
    """
    return _MODELS[name](seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(n_estimators=FOREST_TREES, random_state=seed % 2**32, n_jobs=1)


def _gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(n_estimators=BOOSTING_TREES, random_state=seed % 2**32)


def _kernel_ridge(_seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.preprocessing import StandardScaler

    ridge = _standardised(KernelRidge(alpha=KERNEL_RIDGE_PENALTY, kernel="rbf"))
    return TransformedTargetRegressor(ridge, transformer=StandardScaler())


def _ridge(_seed: int) -> Any:
    from sklearn.linear_model import RidgeCV

    return _standardised(RidgeCV(alphas=RIDGE_PENALTIES))


def _nearest_neighbours(_seed: int) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return _standardised(KNeighborsRegressor(n_neighbors=NEIGHBOURS, weights="distance", n_jobs=1))


def _standardised(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


_MODELS: Final[Mapping[ModelName, Callable[[int], Any]]] = {
    "random_forest": _random_forest,
    "gradient_boosting": _gradient_boosting,
    "kernel_ridge": _kernel_ridge,
    "ridge": _ridge,
    "nearest_neighbours": _nearest_neighbours,
}
