"""When the policy is due, what it is asked, and what its answer becomes: a decision, or the end of all asking."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from agent.acquisition.base import Proposal
from agent.campaign.contract import proposal_breach
from agent.campaign.decide import Consequence
from agent.campaign.events import (
    MAX_REASON_LENGTH,
    DecisionMade,
    PolicyExhausted,
    RequestDeferred,
    RequestIssued,
)
from agent.campaign.follow import issue_request
from agent.campaign.lab.assignment import Assigner
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.approval import needs_approval
from agent.campaign.plan import Ordering
from agent.campaign.state import Campaign
from agent.pool.growth import NewCandidate
from protocols.errors import invariant
from protocols.tables.blocks.sorted_ids import IdsWithAdded

SEEDS_KEPT: Final = 4
"""A decision asks for its seed twice in a row: for the policy, and for the journal."""


@dataclass(frozen=True, slots=True)
class DecisionNeeded:
    """The policy is asked for `count` candidates: the campaign's own, unless another is named."""

    decision: int
    count: int
    policy: str = ""


def decision_needed(campaign: Campaign) -> DecisionNeeded | None:
    """Tell whether the policy should choose again now."""
    if campaign.phase is not Phase.RUNNING or campaign.has_ended_asking or campaign.is_held_up:
        return None
    plan = campaign.plan
    if plan.ordering is Ordering.IN_ORDER:
        oldest_open = min(campaign.open_decisions, default=campaign.next_decision)
        if oldest_open <= campaign.next_decision - plan.lag:
            return None
    count = min(plan.batch, campaign.affordable_count)
    if campaign.asking.is_limiting:
        count = min(count, _surely_together(campaign))
    elif not campaign.may_grow:
        count = min(count, campaign.choosable_count)
    if count < 1 or (plan.ordering is not Ordering.IN_ORDER and campaign.open_count + count > plan.parallel):
        return None
    return DecisionNeeded(campaign.next_decision, count, campaign.rest_policy)


def _surely_together(campaign: Campaign) -> int:
    """Return how many candidates may be chosen at once under limits: what is left suffices, whichever they are.

    What a new candidate would take nobody knows before it is made, so that a policy that makes any is asked for one;
    not while only what is kept back for others keeps it from any, for what it then says is for good.
    """
    if campaign.may_grow and campaign.asking.limits.supplies:
        return 0 if campaign.asking.kept_for and not campaign.choosable_count else 1  # what is kept back may come free
    together = campaign.asking.surely_together(campaign.pool, campaign.choosable)
    return max(together, campaign.plan.batch) if campaign.may_grow else together


@lru_cache(maxsize=SEEDS_KEPT)
def decision_seed(campaign_seed: int, decision: int) -> int:
    """Return the seed of a decision: a hash of (campaign seed, decision number), 63 bits."""
    digest = hashlib.sha256(f"entropilot/{campaign_seed}/{decision}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def decide_proposal(campaign: Campaign, asked: DecisionNeeded, based_on: int, proposal: Proposal) -> Consequence:
    """Turn what the policy proposed into a decision and its requests, or into the end of all asking.

    A proposal is dropped when another one is wanted by now (an operator has taken candidates out, so that fewer are
    left than were asked for, say), when a candidate in it was taken or excluded meanwhile or a limit is against it by
    now, when a value was corrected, or when it has new ones and an operator has added others; the question is then
    asked again on the state of now. So is one without a choice when anything at all has happened since it was asked
    for: it is for good, and what has come in may have been what the policy lacked.

    Args:
        campaign: The state.
        asked: What the policy was asked.
        based_on: Number of the last event that it knew of.
        proposal: What it answered.

    Raises:
        InvariantViolation: When the policy broke its contract.
    """
    if decision_needed(campaign) != asked:
        return Consequence()
    indices_are_others = proposal.new_candidates and based_on < campaign.grown_at
    if indices_are_others or based_on < campaign.corrected_at:  # or it knew a value that is not so
        return Consequence()
    if not proposal.choices:
        return _exhausted_policy(campaign, asked, based_on, proposal)
    plan, pool, policy = campaign.plan, campaign.pool, asked.policy or campaign.plan.policy
    breach = proposal_breach(campaign, asked.count, proposal)
    invariant(not breach, f"policy {policy!r} {breach}")
    added = tuple(each.plain() for each in proposal.new_candidates)
    named = IdsWithAdded(pool.candidate_ids, [each.candidate_id for each in added])
    indices = [choice.index for choice in proposal.choices]
    in_pool = [index for index in indices if index < len(pool)]
    statuses = campaign.statuses
    taken = [named[index] for index in in_pool if statuses.item(index) != CandidateStatus.AVAILABLE]
    joining = {index: each for index, each in enumerate(added, len(pool)) if index in indices}
    if campaign.asking.is_limiting:
        taken += _against_limits(campaign, in_pool, joining.values())
    candidate_ids = tuple(named[index] for index in indices)
    cost, left = sum(map(plan.cost_of, candidate_ids)), campaign.cost_left
    if taken or cost > left:
        found = (
            f"candidate {taken[0]!r}, which was not available" if taken else f"what costs {cost}, and {left} was left"
        )
        invariant(  # else it would be asked the same for ever
            based_on != campaign.sequence, f"policy {policy!r} proposed {found} when it was asked"
        )
        return Consequence()
    runner_up = proposal.runner_up
    new = [added[index - len(pool)] for index in indices if index >= len(pool)]
    known = [pool.candidates[index] for index in in_pool]
    made = DecisionMade(
        decision=asked.decision,
        seed=decision_seed(plan.seed, asked.decision),
        based_on=based_on,
        policy=policy,
        fingerprint=plan.fingerprint,
        candidate_ids=candidate_ids,
        scores=tuple(_finite(choice.score) for choice in proposal.choices),
        reason=proposal.reason[:MAX_REASON_LENGTH],
        runner_up=None if runner_up is None else named[runner_up.index],
        runner_up_score=None if runner_up is None else _finite(runner_up.score),
        target_family=proposal.target_family,
        details=_finite_details(proposal),
        added=added,
        held=needs_approval(plan.approval, asked.decision, known, new),
    )
    if made.held:
        return Consequence((made,))
    return Consequence((made, *_requests(campaign, made, {each.candidate_id: each for each in joining.values()})))


def _requests(
    campaign: Campaign, made: DecisionMade, joining: Mapping[str, NewCandidate]
) -> Iterator[RequestIssued | RequestDeferred]:
    """Yield the request of each candidate of a decision, or why it waits."""
    assigner = Assigner(campaign)
    for place, which in enumerate(made.candidate_ids):
        new = joining.get(which)
        found = assigner.assign(which, made.decision, 1, turn=campaign.chosen_count + place, new=new)
        if found.recipient:
            yield issue_request(campaign, which, made.decision, found.recipient, attempt=1, new=new)
        else:
            yield RequestDeferred(which, made.decision, found.why[:MAX_REASON_LENGTH])


def _against_limits(campaign: Campaign, in_pool: Iterable[int], new: Iterable[NewCandidate]) -> Iterator[str]:
    """Yield the ids of those chosen that may not be asked for."""
    asking, pool = campaign.asking, campaign.pool
    may_ask, on_new = asking.may_ask(pool), asking.on_new()
    yield from (pool.candidate_ids[index] for index in in_pool if not may_ask.item(index))
    yield from (each.candidate_id for each in new if on_new.why_not(each, pool.feature_names))


def _exhausted_policy(campaign: Campaign, asked: DecisionNeeded, based_on: int, proposal: Proposal) -> Consequence:
    """Return the end of all asking, if nothing has happened since the policy was asked."""
    plan, policy = campaign.plan, asked.policy or campaign.plan.policy
    invariant(bool(proposal.reason), f"policy {policy!r} proposed no candidate of {asked.count}, without a reason")
    if based_on != campaign.sequence:
        return Consequence()
    ended = PolicyExhausted(
        decision=asked.decision,
        seed=decision_seed(plan.seed, asked.decision),
        based_on=based_on,
        policy=policy,
        fingerprint=plan.fingerprint,
        reason=proposal.reason[:MAX_REASON_LENGTH],
        details=_finite_details(proposal),
    )
    return Consequence((ended,))


def _finite_details(proposal: Proposal) -> dict[str, float]:
    return {name: value for name, value in proposal.details.items() if math.isfinite(value)}


def _finite(score: float | None) -> float | None:
    return score if score is not None and math.isfinite(score) else None
