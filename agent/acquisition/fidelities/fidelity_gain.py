"""Fidelity gain: what to ask, and by which method, so that the gaps between families close for the least cost.

A campaign may have several methods of one property: a dear one, the target, whose values make the dataset, and cheaper
ones that only tell of it. Every question, a candidate by a method, for the first time or again, has a rate: what it is
expected to bring for each unit of its cost.

| question | what it brings | see |
|---|---|---|
| a dear value | the score of `gap_gain`: how far it closes the gaps of all families, and teaches | `scores` |
| a cheap value | that of the dear value which it may recommend, paid for only then; and what it teaches | `rates` |
| a value again, where its noise is known | what it teaches | `questions` |

All values are of one process (`agent.surrogate.fidelities`): a cheap value is the dear one times a slope, and errs
smoothly and roughly; how far, the values tell. Where cheap values tell nothing their rate falls below that of the dear
ones, and what is asked for is what `gap_gain` would ask for.

The first cheap values, `pairs` of each method, are of candidates whose dear value is known: until then how the methods
go together is a guess of the prior's, and the policy would choose by it.

| input | outcome |
|---|---|
| a pool of one method without repetitions | `gap_gain` decides, to the letter |
| several properties | `gap_gain` decides, on the target's rows |
| fewer than four dear values | dear ones, drawn at random by the seed |
| the budget does not pay a dear value any more | the campaign ends: cheap values count in nothing that it reports |
| a value whose noise nobody knows | it is not asked for again: it would come back the same |
| a pool above `active_rows` | a sample of its candidates is looked at, drawn anew at every fit |

A value again is not credited with gaps: the entropy of doubtful values is raised by their noise, and a policy that
was rewarded for it would leave errors alone.

Measured against `gap_gain` on dear values alone, and beside controls, in docs/explanation/fidelities.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.fidelities.decision import Decision, Options
from agent.acquisition.fidelities.history import FidelityHistory
from agent.acquisition.fidelities.measured import Measured
from agent.acquisition.fidelities.scores import Weights
from agent.acquisition.gap_gain import DEFAULT_MODEL_SHARE, GapGain
from agent.acquisition.pooled_surrogate import LEAST_ROWS
from agent.acquisition.selection import Pick, check_number, check_whole_number, proposal_of
from agent.entropy.bias import GAP_TOLERANCE_NAT
from agent.entropy.change_table import ChangeTableMemory
from agent.pool.fidelities import Fidelities
from agent.surrogate.active_rows import MOST_ACTIVE
from agent.surrogate.standardise import ColumnMemory

DEFAULT_PAIRS: Final = 6
"""Pairs of a cheap and a dear value before a cheap one is chosen by what it promises: fewer do not tell a slope from an
offset and two kinds of error, and six cost a third of a dear value at a twentieth of its cost."""

DEFAULT_CHEAP_LESSON: Final = 0.0
"""Share of what a cheap value teaches that counts: it makes no part of the dataset, and is asked for by what it may
recommend alone. More buys more of them and leaves gaps wider (docs/explanation/fidelities.md)."""


class FidelityGain:
    """The policy "fidelity_gain".

    Args:
        model_share: λ, from 0 to 1, as of `gap_gain`.
        tolerance: τ, positive [nat], as of `gap_gain`.
        credit: κ, from 0 to 1, as of `gap_gain`.
        pairs: Cheap values that are asked for first where the dear one is known, of each method.
        cheap_lesson: Share of what a cheap value teaches the model that counts, from 0 to 1.
        active_rows: Most candidates that are scored, at least 1.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False
    uses_fidelities: ClassVar[bool] = True

    def __init__(
        self,
        *,
        model_share: float = DEFAULT_MODEL_SHARE,
        tolerance: float = GAP_TOLERANCE_NAT,
        credit: float = 0.0,
        pairs: int = DEFAULT_PAIRS,
        cheap_lesson: float = DEFAULT_CHEAP_LESSON,
        active_rows: int = MOST_ACTIVE,
    ) -> None:
        self._plain = GapGain(model_share=model_share, tolerance=tolerance, credit=credit, active_rows=active_rows)
        check_whole_number("pairs", pairs, 0)
        check_number("cheap_lesson", cheap_lesson, 0.0, 1.0)
        self._options = Options(Weights(model_share, tolerance, credit, cheap_lesson), pairs)
        self._most_active = active_rows
        self._columns, self._tables = ColumnMemory(), ChangeTableMemory()
        self._kept: tuple[PoolArrays, FidelityHistory] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` rows that the budget pays together, each with those before it in flight."""
        fidelities = context.pool.fidelities
        if fidelities is None or len(fidelities.candidate) == int(np.count_nonzero(fidelities.is_candidate)):
            return self._plain.propose(context, count)
        dear_cost = fidelities.costs[fidelities.target]
        if context.cost_left < dear_cost:
            return Proposal((), reason=_too_little(fidelities, context.cost_left))
        if len(context.target_values) > 1:
            return self._plain.propose(of_target(context, fidelities), min(count, context.cost_left // dear_cost))
        measured = Measured.of(context)
        is_dear = fidelities.method[measured.rows] == fidelities.target
        if np.count_nonzero(is_dear) < LEAST_ROWS:
            return _drawn(context, fidelities, min(count, context.cost_left // dear_cost))
        history = self._history(context.pool)
        history.follow(measured)
        decision = Decision(context, history, measured, self._tables, self._options)
        picks: list[Pick] = []
        while len(picks) < count and (pick := decision.pick()) is not None:
            picks.append(pick)
            decision.request(pick.choice.index)
        return proposal_of(picks) if picks else Proposal((), reason="nothing is left to ask for by any method")

    def _history(self, pool: PoolArrays) -> FidelityHistory:
        if self._kept is None or self._kept[0] is not pool:
            self._kept = (pool, FidelityHistory(pool, self._columns.of(pool.features), self._most_active))
        return self._kept[1]


def of_target(context: AcquisitionContext, fidelities: Fidelities) -> AcquisitionContext:
    """Return what a policy sees that knows of candidates alone: the target's rows, measured for the first time."""
    is_candidate = fidelities.is_candidate
    kept = is_candidate[context.observed]
    return replace(
        context,
        observed=context.observed[kept],
        values=context.values[kept],
        additional=context.additional[kept] if context.additional.size else context.additional,
        uncertainties=context.uncertainties[kept] if context.uncertainties.size else context.uncertainties,
        acquired=context.acquired[is_candidate[context.acquired]],
        pending=context.pending[is_candidate[context.pending]],
        available=context.available[is_candidate[context.available]],
    )


def _drawn(context: AcquisitionContext, fidelities: Fidelities, count: int) -> Proposal:
    seen = of_target(context, fidelities)
    if len(seen.available) == 0:
        return Proposal((), reason="too few dear values are known to predict from, and none can be asked for")
    drawn = UniformRandom().propose(seen, min(count, len(seen.available)))
    reason = f"{len(seen.observed)} values by {fidelities.names[-1]} are too few to predict from; {drawn.reason}"
    return Proposal(tuple(Choice(each.index) for each in drawn.choices), reason)


def _too_little(fidelities: Fidelities, cost_left: int) -> str:
    name, cost = fidelities.names[-1], fidelities.costs[-1]
    return f"{cost_left} of the budget are left, and a value by {name}, which alone counts, costs {cost}"
