"""What was believed of effects when a decision was made, and how closely its choice was to make them known.

Asked of the meter that the campaign's policy declares (`agent.metrics.EffectMeter`), of the values that the decision
knew: whatever the policy is, and without its help.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import make_meter
from agent.campaign.events import DecisionMade
from agent.campaign.ledger import Ledger
from agent.metrics import Effect, EffectMeter, HitMeter, Meter
from protocols.errors import EntropilotError
from protocols.settings.user_code import INSTALLED, CodeSource
from scenarios.why.explanation import EffectAtDecision, EffectsAtDecision


def effects_at_decision(ledger: Ledger, made: DecisionMade, code: CodeSource | None) -> EffectsAtDecision | None:
    """Return what was believed; None where the policy is after no effects, or nothing can be computed here.

    Args:
        ledger: Folded up to the last row that the decision knew.
        made: The decision.
        code: Where a policy of the user's own may come from; None where none may be run.
    """
    context, index_of = ledger.context(), ledger.campaign.pool.index_of
    meter = _meter(ledger, context, code)
    if not isinstance(meter, EffectMeter):
        return None
    pending = context.pending.tolist()
    chosen = [index_of[which] for which in made.candidate_ids]
    then, flown, after = (meter.effects(measured) for measured in ((), pending, [*pending, *chosen]))
    rivals = [] if made.runner_up is None else [*pending, *chosen[:-1], index_of[made.runner_up]]
    return EffectsAtDecision(
        effects=tuple(
            EffectAtDecision(each.name, each.mean, each.half_width, expected.half_width)
            for each, expected in zip(then, after, strict=True)
        ),
        mean_half_width=_mean(then),
        with_in_flight=_mean(flown),
        expected=_mean(after),
        expected_with_runner_up=_mean(meter.effects(rivals)) if rivals else None,
        threshold=meter.threshold if isinstance(meter, HitMeter) else None,
    )


def _meter(ledger: Ledger, context: AcquisitionContext, code: CodeSource | None) -> Meter | None:
    """Return the meter of the campaign after the values that the decision knew; None where it cannot be had."""
    plan = ledger.campaign.plan
    name, options = plan.metered_by
    if not plan.metrics or not ledger.campaign.pool.is_whole or (code is None and name not in BUILT_IN):
        return None
    try:
        meter = make_meter(name, options, ledger.pool, plan.property_names, code or INSTALLED)
    except EntropilotError:
        return None  # the user's code is gone or has changed; asking the policy again says so
    columns = np.column_stack([values for _, values in context.target_values])
    for index, values in zip(context.observed.tolist(), columns.tolist(), strict=True):
        meter.add(index, *values)
    return meter


def _mean(effects: Sequence[Effect]) -> float:
    return float(np.mean([each.half_width for each in effects]))
