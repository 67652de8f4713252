"""`causal`: learns the effects of interventions to a stated width, and then does what is worth most.

What it does depends on what the candidates are, and on nothing that was not paid for: no global graph, no value of a
candidate that was not asked for.

| the pool is | the belief | then |
|---|---|---|
| of interventions in a system (`PoolArrays.interventions`) | a committee of graphs, corrected by interventions | ends |
"""

from __future__ import annotations

from agent.acquisition.base import AcquisitionContext, PoolArrays, Proposal
from agent.acquisition.causal.interventions import (
    InterventionMeter,
    InterventionModel,
    intervention_metrics,
    propose_interventions,
)
from agent.metrics import Meter, Metric
from protocols.errors import SettingsError


class Causal:
    """Chooses the intervention that lowers the summed variance of the effects most.

    Args:
        width: Mean half-width of the effects at which nothing more is asked [unit of the property]; None: the whole
            budget is spent.
    """

    def __init__(self, *, width: float | None = None) -> None:
        if width is not None and not width > 0:
            message = f"width = {width} is not positive"
            raise ValueError(message)
        self._width = width
        self._model: InterventionModel | None = None
        self._pool: PoolArrays | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates.

        Raises:
            SettingsError: When the pool is none of interventions.
        """
        return propose_interventions(self._model_of(context.pool), context, count, self._width)

    def metrics(self, unit: str) -> tuple[Metric, ...]:
        """Declare the widths of the effects."""
        return intervention_metrics(unit)

    def meter(self, pool: PoolArrays, properties: tuple[str, ...]) -> Meter:
        """Return what computes them."""
        return InterventionMeter(InterventionModel(_required(pool)), properties)

    def _model_of(self, pool: PoolArrays) -> InterventionModel:
        """Return the model, made once for a pool."""
        if self._model is None or self._pool is not pool:
            self._model, self._pool = InterventionModel(_required(pool)), pool
        return self._model


def _required(pool: PoolArrays) -> PoolArrays:
    if pool.interventions is None:
        raise SettingsError(
            "The policy 'causal' finds nothing in this pool that it could set",
            expected="a pool of interventions, or one of designs (pool.columns.factors)",
            action="choose another policy, or describe the candidates by the factors that make them",
        )
    return pool
