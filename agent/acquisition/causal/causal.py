"""Causal: effects first, until they are known well enough, then action.

Of a closure of designs (molecules that are made of groups at places, say) two things are asked: what a level of the
queried factor *does*, averaged over everything else, and which candidate has what is wanted. The policy learns the
first, as sure as it was asked to be, and then uses all it has learned for the second:

| phase | it chooses | until |
|---|---|---|
| start | designs at random | `start` are known or requested |
| effects | the largest fall of the summed variance of all effects | their mean half-width is at most `width` |
| act | the largest probability that the property exceeds the threshold; of those that are nearly as likely, the one \
that tells most of the effects | the budget is spent |

The fall is a(i) of `causal.query_gain`, the probability Φ((m_i − threshold) / s_i), and the half-width that of the 90 %
intervals with their stated factor (`causal.belief`), with what is in flight as measured; should later values widen it
again, effects come first again. What is believed is `causal.designs`: no graph that was given, no label that was not
paid for. An earlier log of the pool enters with a bias variance of its own.

Of interventions in a system of equations (`PoolArrays.interventions`) the effects are those of one deviation of every
variable on the target; the policy learns them to the width and ends (`interventions`).

Measured on the substituted benzenes: alternating between the two, or a weighted sum of them, gets fewer hits at the
same error of the effects, or a larger error at the same hits.

| input | outcome |
|---|---|
| no values at all, and start = 0 | the prior of the model decides |
| a threshold that nothing reaches | the most likely candidate all the same, and the reason says how unlikely it is |
| `then = "stop"`, or no threshold | the campaign ends when the values (not what is in flight) reach the width |
| a pool without designs, or an estimate that it does not have | an error that says so, at the first decision |

References: see `causal.query_gain`; H. J. Kushner, J. Basic Eng. 86, 97 (1964), for the probability of exceeding.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, PoolArrays, Proposal
from agent.acquisition.causal.asked_designs import (
    DEFAULT_START,
    PHASES,
    BelievedDesigns,
    check_optional_number,
    designs_of,
    proposed,
    random_start,
)
from agent.acquisition.causal.exceeding import most_likely, said_of_exceeding
from agent.acquisition.causal.interventions import (
    InterventionMeter,
    InterventionModel,
    intervention_metrics,
    propose_interventions,
)
from agent.acquisition.causal.meters import DesignMeter, hits_metric, width_metrics
from agent.acquisition.selection import Pick, best_two, check_number, check_whole_number
from agent.causal.belief import Belief
from agent.causal.designs.design_model import AUTOMATIC, Knowledge
from agent.causal.query_gain import query_gain
from agent.metrics import Meter, Metric
from protocols.errors import SettingsError

DEFAULT_SHARE: Final = 0.15
"""Width at which effects are known well enough where none is named [deviation that the property is expected to have
over the candidates; that of the target in passive rows]: on the benzenes 0.30 D, about 30 values. Then 60 values in all
leave the effects better known than 60 random designs do, with 29 hits in place of 11 (docs/explanation/causal.md)."""

START_IN_UNIT: Final = 1
"""Random designs at the start where an estimate says how large differences are: one, by which campaigns of other seeds
differ. Chosen designs tell more from the second value on; with ten random ones first the error of the effects at 60
values is a fifth to a half larger on four beds. Where only values tell of their size (the model "features"), chosen
ones that happen to be alike mislead about it: on alloys a third of the intervals held the truth at 20 values after one
random design, and nine tenths after ten (`DEFAULT_START`)."""

ACT: Final = "act"
STOP: Final = "stop"


class Causal:
    """The policy "causal".

    Args:
        width: Mean half-width at which effects are known well enough [unit]; with 0 they come first for ever; by
            default `DEFAULT_SHARE` of the deviation that the property is expected to have over the candidates.
        then: What follows: "act" or "stop"; by default the first where there is a threshold.
        threshold: What the property should exceed [unit].
        start: How many random designs to start from; by default one where an estimate says how large differences
            are, else ten.
        estimate: Name of a label-free feature that estimates the property.
        model: "auto", "vectors" or "features", see `causal.designs.design_model`.
        trust_log: Take an earlier log at its word; for a demonstration of what that does.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self,
        *,
        width: float | None = None,
        then: str | None = None,
        threshold: float | None = None,
        start: int | None = None,
        estimate: str = "",
        model: str = AUTOMATIC,
        trust_log: bool = False,
    ) -> None:
        if width is not None:
            check_number("width", width, 0.0, np.finfo(float).max)
        check_optional_number("threshold", threshold)
        if start is not None:
            check_whole_number("start", start, 0)
        if then not in {None, ACT, STOP}:
            raise SettingsError(f"The policy option then is {then!r}", expected=f"{ACT!r} or {STOP!r}")
        if then == ACT and threshold is None:
            raise SettingsError(
                "The policy option then is 'act', and there is no threshold to act on",
                expected="the option threshold, in the unit of the property",
                action="say what the property should exceed, or let then = 'stop'",
            )
        self._width, self._threshold, self._start = width, threshold, start
        self._stops = then == STOP or threshold is None
        self._designs = BelievedDesigns("causal", estimate=estimate, model=model, trust_log=trust_log)
        self._system: tuple[PoolArrays, InterventionModel] | None = None

    def belief(self, context: AcquisitionContext) -> Belief:
        """Return what is believed of effects and candidates after all values that the context shows."""
        return self._designs.known(context).stated

    def metrics(self, unit: str, pool: PoolArrays) -> tuple[Metric, ...]:
        """Declare how well effects (and a graph) are known, and the hits where there is a threshold."""
        if pool.interventions is not None:
            return intervention_metrics(unit, self._threshold)
        return (*width_metrics(unit), *hits_metric(unit, self._threshold))

    def meter(self, pool: PoolArrays, properties: tuple[str, ...]) -> Meter:
        """Return what computes them."""
        if pool.interventions is not None:
            return InterventionMeter(InterventionModel(pool), properties, self._threshold)
        return DesignMeter(self._designs.model_of(pool), self._threshold)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each with those before it in flight."""
        if len(context.available) == 0:
            return Proposal((), reason="no candidate is available")
        count = min(count, len(context.available))
        if context.pool.interventions is not None:
            system = self._system_of(context.pool)
            share = DEFAULT_SHARE * system.target_deviation
            return propose_interventions(system, context, count, share if self._width is None else self._width)
        designs_of(context.pool, "causal")
        picks = random_start(context, count, self._start_of(context.pool))
        if len(picks) == count:
            return proposed(picks)
        known = self._designs.known(context)
        # Of the values alone: what is in flight narrows the effects, and not what is asked for.
        width = DEFAULT_SHARE * known.stated.expected_spread if self._width is None else self._width
        if self._stops and not picks and known.is_within(width):
            return Proposal((), reason=_said_at_end(known.stated, width))
        decision = _Decision(context, known)
        for pick in picks:
            decision.request(pick.choice.index)
        while len(picks) < count:
            picks.append(self._next(decision, width))
            decision.request(picks[-1].choice.index)
        return proposed(picks)

    def _start_of(self, pool: PoolArrays) -> int:
        if self._start is not None:
            return self._start
        return START_IN_UNIT if self._designs.model_of(pool).in_unit else DEFAULT_START

    def _system_of(self, pool: PoolArrays) -> InterventionModel:
        """Return the model of a pool of interventions, made once."""
        if self._system is None or self._system[0] is not pool:
            self._system = (pool, InterventionModel(pool))
        return self._system[1]

    def _next(self, decision: _Decision, width: float) -> Pick:
        if self._stops or self._threshold is None or not decision.is_within(width):
            return decision.learn()
        return decision.act(self._threshold)


class _Decision:
    """The working state of one call of `propose`.

    Args:
        context: Of the decision.
        known: What is believed after all values.
    """

    def __init__(self, context: AcquisitionContext, known: Knowledge) -> None:
        self._knowledge = known
        self._left = context.available
        for index in context.pending.tolist():
            self._knowledge = self._knowledge.after(index)

    def is_within(self, width: float) -> bool:
        """Whether the effects are known to this mean half-width, with what is in flight [unit]."""
        return self._knowledge.is_within(width)

    def request(self, index: int) -> None:
        """Let a candidate count as requested."""
        self._knowledge = self._knowledge.after(index)
        self._left = self._left[self._left != index]

    def learn(self) -> Pick:
        """Choose the candidate that tells most of the effects."""
        stated = self._knowledge.stated
        choice, runner_up = best_two(self._left, query_gain(self._knowledge.cautious)[self._left])
        widths = stated.half_widths
        least = int(np.argmax(widths))
        after = stated.after(choice.index).mean_half_width
        reason = (
            f"effects are known to ±{stated.mean_half_width:.3g} on the mean, that of {stated.query_names[least]} "
            f"least (±{widths[least]:.3g}); this narrows them most, to ±{after:.3g}"
        )
        details = self._details("effects", choice.index) | {"expected_half_width": after}
        return Pick(choice, runner_up, "", reason, details)

    def act(self, threshold: float) -> Pick:
        """Choose the candidate that most likely exceeds the threshold."""
        stated, cautious = self._knowledge.stated, self._knowledge.cautious
        choice, runner_up = most_likely(self._left, *stated.predict(), threshold, query_gain(cautious))
        details = self._details("act", choice.index) | {"probability": choice.score or 0.0}
        return Pick(choice, runner_up, "", said_of_exceeding(choice, threshold), details)

    def _details(self, phase: str, index: int) -> dict[str, float]:
        stated = self._knowledge.stated
        mean, std = stated.predict()
        bias = self._knowledge.bias_std
        return {
            "predicted_mean": float(mean[index]),
            "predicted_std": float(std[index]),
            "noise_std": float(np.sqrt(stated.noise[index])),
            "mean_half_width": stated.mean_half_width,
            "phase": PHASES[phase],
        } | ({} if bias is None else {"log_bias_std": bias})


def _said_at_end(belief: Belief, width: float) -> str:
    effects = len(belief.query_names)
    return f"all {effects} effects are known to ±{belief.mean_half_width:.3g} on the mean; ±{width:.3g} was asked for"
