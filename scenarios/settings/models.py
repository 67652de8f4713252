"""Names of the models that are trained on what a policy acquired."""

from __future__ import annotations

from typing import Final, Literal, get_args

ModelName = Literal["random_forest", "gradient_boosting", "kernel_ridge", "ridge", "nearest_neighbours"]


MODEL_NAMES: Final[tuple[ModelName, ...]] = get_args(ModelName)
