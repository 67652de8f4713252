"""One decision, explained from the journal alone: a pure function of (events, pool, number of the decision)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.acquisition.base import AcquisitionContext
from agent.campaign.events import DecisionMade, Event
from agent.campaign.ledger import Ledger
from agent.pool.candidates import Pool
from agent.store.partial_pool import ReferencedPool
from protocols.errors import StoreError
from protocols.settings.user_code import CodeSource
from scenarios.why.believed_effects import effects_at_decision
from scenarios.why.explanation import ChosenCandidate, Explanation, Prediction, Redecision, Verdict
from scenarios.why.outcomes import outcomes_of
from scenarios.why.phrases import describe_candidate, describe_details, prediction_in
from scenarios.why.state_at_decision import state_at_decision

NOT_YET = Redecision(verdict=Verdict.NOT_ASKED)


def explain(events: Sequence[Event], pool: Pool, decision: int, code: CodeSource | None = None) -> Explanation:
    """Explain a decision; what it knew is the context that its policy got.

    Args:
        events: The journal from its beginning, which may end anywhere.
        pool: The campaign's pool at the start, or what the run has touched of it.
        decision: Number of a decision in the journal (see `decision_named.find_decision`).
        code: Where a policy of the user's own may come from; None where none may be run.

    Raises:
        StoreError: When the journal breaks the rules of a campaign.
    """
    made, row, decisions = _found(events, decision)
    ledger = Ledger.of_journal(pool, events[: made.based_on])
    context, plan = ledger.context(), ledger.campaign.plan
    budget = ledger.campaign.budget
    then = state_at_decision(ledger.campaign, context)
    effects = effects_at_decision(ledger, made, code)
    outcomes = outcomes_of(ledger, events[made.based_on :], made.candidate_ids, then.known)
    pool = ledger.campaign.pool  # with all that has joined it
    chosen = tuple(
        ChosenCandidate(describe_candidate(pool, which), score, outcomes[which])
        for which, score in zip(made.candidate_ids, made.scores, strict=True)
    )
    shown = made.target_family or chosen[0].candidate.family
    prediction = prediction_in(made.details)
    return Explanation(
        campaign=plan.campaign,
        property_name=plan.property_name,
        unit=plan.unit,
        decision=decision,
        decisions=decisions,
        row=row,
        based_on=made.based_on,
        budget=budget,
        then=then,
        policy=made.policy,
        policy_options=plan.policy_options if made.policy == plan.policy else {},
        reason=made.reason,
        seed=made.seed,
        fingerprint=made.fingerprint,
        target_family=made.target_family,
        chosen=chosen,
        runner_up=None if made.runner_up is None else describe_candidate(pool, made.runner_up),
        runner_up_score=made.runner_up_score,
        margin=_margin(made),
        details=describe_details(made.details, plan.unit),
        prediction=prediction,
        effects=effects,
        deviations=_deviations(chosen[0].outcome.value, prediction),
        shown_family=shown,
        shown_values=_known_values(context, shown),
        whole_pool=not isinstance(pool, ReferencedPool),
        again=NOT_YET,
    )


def _found(events: Sequence[Event], decision: int) -> tuple[DecisionMade, int, int]:
    """Return a decision, its row in the journal, and how many decisions there are."""
    made = [(event, row) for row, event in enumerate(events, 1) if isinstance(event, DecisionMade)]
    if not 0 <= decision < len(made) or made[decision][0].decision != decision:
        raise StoreError(f"The journal holds no decision {decision}", expected=f"one of {len(made)}")
    return *made[decision], len(made)


def _margin(made: DecisionMade) -> float | None:
    """By how much the runner-up lost: with several choices, to the last of them."""
    last = made.scores[-1]
    return None if last is None or made.runner_up_score is None else last - made.runner_up_score


def _deviations(value: float | None, prediction: Prediction) -> float | None:
    if value is None or prediction.mean is None or not prediction.std:
        return None
    return (value - prediction.mean) / prediction.std


def _known_values(context: AcquisitionContext, family: str | None) -> tuple[float, ...]:
    """Return the known values of a family, or of all, ascending."""
    pool = context.pool
    of = np.ones(len(context.observed), dtype=bool)
    if family in pool.families:
        of = pool.family_codes[context.observed] == pool.families.index(family)
    return tuple(np.sort(context.values[of]).tolist())
