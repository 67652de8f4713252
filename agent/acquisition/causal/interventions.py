"""Which intervention to carry out next in a system of equations: the one that lowers the variance of the effects most.

    j* = argmax_j Σ_k (sd_k C_kj)² h² / (s² + h² C_jj),    h = the value that x_j is set to

(`agent.causal.query_gain`, over the belief of `agent.causal.structural`). Repeats of one intervention tell the same in
expectation, so of the best the one is taken that was carried out least often: both signs come in turn, and a target
that bends is not taken for a slope. What is in flight counts as known; a batch is chosen one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.acquisition.base import AcquisitionContext, Choice, FloatArray, IndexArray, PoolArrays, Proposal
from agent.acquisition.causal.meters import effects_of, hits_metric, width_metrics, widths_of
from agent.acquisition.selection import SCORE_TOLERANCE, Pick, best_two, proposal_of
from agent.causal.belief import Belief
from agent.causal.graph.bootstrap import GraphSamples
from agent.causal.graph.stability import edge_stability
from agent.causal.query_gain import query_gain
from agent.causal.structural.committee import Committee
from agent.causal.structural.effects import belief_of
from agent.metrics import Effect, Metric
from agent.pool.interventions import Interventions
from protocols.errors import SettingsError

BoolArray = NDArray[np.bool_]

RECOMPUTED_EVERY: Final = 10
"""Observations after which the meter asks the whole committee again [observation]; between them the belief is updated
by the value alone, a tenth of the time and the same within a few per cent."""

EDGE_STABILITY: Final = Metric(
    "edge_stability", "stability of the graph's edges", "edge stability", "", lower_is_better=False
)
"""How far the committee agrees on the edges (`causal.graph.stability`); of the graphs that were asked last."""


class InterventionModel:
    """What is made once of a pool of interventions, and believed of its effects since.

    Args:
        pool: With interventions.

    Raises:
        SettingsError: When there are too few passive rows to tell causes by.
    """

    def __init__(self, pool: PoolArrays) -> None:
        assert pool.interventions is not None  # noqa: S101 - for the type checker; whoever asks has looked
        self.interventions = pool.interventions
        d, passive = len(self.interventions.variables), self.interventions.passive
        if len(passive) <= d:
            raise SettingsError(
                f"There are {len(passive)} passive rows of {d} variables",
                expected="more rows than variables: the order of causes is found in them",
                action="measure more rows without an intervention",
            )
        self._committee = Committee(self.interventions.variables, passive, self.interventions.target)

    @property
    def possible_edges(self) -> BoolArray:
        """Whether variable j may act on variable i, shape (d, d)."""
        return self._committee.possible

    def graphs(self, observed: IndexArray, rows: FloatArray) -> GraphSamples:
        """Return the graphs that the committee believes in.

        Args:
            observed: Pool indices of the interventions that were carried out, shape (k,).
            rows: What they showed, shape (k, d).
        """
        return self._committee.graphs(rows, self.interventions.variable[observed])

    @property
    def target_deviation(self) -> float:
        """Deviation of the target over the passive rows [its unit]."""
        return float(self.interventions.passive[:, self.interventions.target].std())

    def belief(self, observed: IndexArray, rows: FloatArray) -> tuple[Belief, float]:
        """Return the belief over the effects, and by what variance the passive rows mislead about them."""
        return belief_of(self.interventions, self.graphs(observed, rows), observed, rows)


def rows_in(context: AcquisitionContext, interventions: Interventions) -> FloatArray:
    """Return what the observed interventions showed, all variables in their order, shape (k, d).

    Raises:
        SettingsError: When the campaign does not measure one of them.
    """
    known = {each.name: values for each, values in context.target_values} if len(context.targets) > 1 else {}
    _require_measured(interventions.variables, tuple(known))
    return np.column_stack([known[name] for name in interventions.variables])


def propose_interventions(model: InterventionModel, context: AcquisitionContext, count: int, width: float) -> Proposal:
    """Choose up to `count` interventions, or none when all effects are known closely enough.

    Args:
        model: Of the pool.
        context: What is known.
        count: How many.
        width: Mean half-width of the effects of one deviation at which nothing more is asked [unit of the target];
            with 0 that never comes.
    """
    interventions = model.interventions
    belief, off = model.belief(context.observed, rows_in(context, interventions))
    details = {"mean_half_width": belief.mean_half_width, "passive_rows_mislead_by": float(np.sqrt(off))}
    if len(context.observed) and belief.mean_half_width <= width:
        return Proposal((), f"the effects are known to ± {belief.mean_half_width:.3g}, {width:.3g} was asked for")
    for index in context.pending:
        belief = belief.after(int(index))
    done = np.concatenate((context.observed, context.pending))
    free = np.ones(len(context.available), dtype=bool)
    picks: list[Pick] = []
    for _ in range(count):
        left = context.available[free]
        gains = query_gain(belief)[left]
        repeats = _carried_out(interventions, done)[left]
        best, runner_up = best_two(left, gains)
        alike = left[gains >= gains.max() - SCORE_TOLERANCE * abs(gains.max())]
        least = repeats[np.isin(left, alike)]
        index = int(alike[int(np.argmin(least))])
        choice = Choice(index, best.score)
        picks.append(Pick(choice, runner_up, "", _reason(interventions, belief, index), details))
        free[int(np.searchsorted(context.available, index))] = False
        done = np.append(done, index)
        belief = belief.after(index)
    proposal = proposal_of(picks)
    return replace(proposal, target_family=None)


def intervention_metrics(unit: str, threshold: float | None) -> tuple[Metric, ...]:
    """Return the metrics of a pool of interventions: of effects, of the graph, and of hits where there is a threshold.

    Args:
        unit: Of the target.
        threshold: What it should exceed [unit].
    """
    return (*width_metrics(unit), EDGE_STABILITY, *hits_metric(unit, threshold))


class InterventionMeter:
    """Computes the metrics of a pool of interventions after every observation.

    Args:
        model: Of the pool.
        properties: Of the campaign, in its order.
        threshold: What the target should exceed [its unit]; None where nothing is sought.

    Raises:
        SettingsError: When the campaign does not measure one of the variables.
    """

    def __init__(self, model: InterventionModel, properties: tuple[str, ...], threshold: float | None) -> None:
        self.threshold: Final = threshold
        variables = model.interventions.variables
        _require_measured(variables, properties)
        self._model = model
        self._places = [properties.index(name) for name in variables]
        self._observed: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._belief, self._stability = self._asked()

    def add(self, index: int, *values: float) -> None:
        """Take in what an intervention showed, in the order of the campaign's properties."""
        interventions = self._model.interventions
        row = tuple(values[place] for place in self._places)
        self._observed.append(index)
        self._rows.append(row)
        if len(self._observed) % RECOMPUTED_EVERY == 0:
            self._belief, self._stability = self._asked()
        else:
            shown = row[interventions.target] - float(interventions.passive[:, interventions.target].mean())
            self._belief = self._belief.learned(index, shown, float(self._belief.noise[index]))

    def effects(self, after: Sequence[int] = ()) -> tuple[Effect, ...]:
        """Return the effect of one standard deviation of every variable."""
        return effects_of(self._belief, after)

    def values(self) -> tuple[float | None, ...]:
        """Return the metrics of `intervention_metrics`."""
        values = (*widths_of(self._belief), self._stability)
        if self.threshold is None:
            return values
        return (*values, float(sum(row[self._model.interventions.target] > self.threshold for row in self._rows)))

    def _asked(self) -> tuple[Belief, float | None]:
        """Return what the committee believes of all that was observed, and how far it agrees."""
        model, observed = self._model, np.array(self._observed, dtype=np.int64)
        rows = np.array(self._rows, dtype=np.float64).reshape(len(observed), len(model.interventions.variables))
        graphs = model.graphs(observed, rows)
        belief, _ = belief_of(model.interventions, graphs, observed, rows)
        return belief, edge_stability(graphs.weights, model.possible_edges)


def _require_measured(variables: tuple[str, ...], measured: tuple[str, ...]) -> None:
    if lacking := [name for name in variables if name not in measured]:
        raise SettingsError(
            f"The campaign does not measure {', '.join(lacking)}",
            expected="every variable: an equation is learned from all that stands in it",
            action="add them to campaign.additional_properties",
        )


def _carried_out(interventions: Interventions, done: IndexArray) -> IndexArray:
    """Return how often the intervention of every candidate was carried out or asked for, shape (n,)."""
    pairs = list(zip(interventions.variable.tolist(), interventions.value.tolist(), strict=True))
    counts = Counter(pairs[index] for index in done.tolist())
    return np.array([counts[pair] for pair in pairs], dtype=np.int64)


def _reason(interventions: Interventions, belief: Belief, index: int) -> str:
    j = int(interventions.variable[index])
    name, target = interventions.variables[j], interventions.variables[interventions.target]
    place = belief.query_names.index(name)
    return (
        f"do({name} = {interventions.value[index]:.3g}): its effect on {target} is believed "
        f"{belief.query_means[place]:.2f} ± {belief.half_widths[place]:.2f} a deviation"
    )
