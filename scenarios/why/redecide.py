"""The same question, put to the policy of today: on the same prefix of the journal, in a child process as in a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.acquisition.registry import policy_fingerprint
from agent.campaign.events import CampaignStarted, DecisionMade, Event
from agent.campaign.ledger import Ledger
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.runtime.policy_runner import make_policy_runner
from protocols.errors import EntropilotError
from protocols.settings.user_code import INSTALLED, CodeSource
from protocols.tables.blocks.sorted_ids import IdsWithAdded
from scenarios.replay.decisions import describe_score, same_score
from scenarios.why.explanation import Redecision, Verdict

LONGEST_PROPOSAL_S: Final = 600.0
"""How long a policy may take to be asked again [s]: far beyond what a campaign bears, and not for ever."""


def propose_again(
    events: Sequence[Event],
    pool: Pool,
    decision: int,
    versions: Mapping[str, str],
    code: CodeSource = INSTALLED,
) -> Redecision:
    """Ask the campaign's policy for a decision again, and compare.

    Args:
        events: The journal from its beginning.
        pool: The whole pool at the start, the one that the journal names.
        decision: Number of a decision in the journal.
        versions: Of what decides today.
        code: Where a policy of the user's own may come from.

    Raises:
        StoreError: When the journal breaks the rules of a campaign.
    """
    made = next(event for event in events if isinstance(event, DecisionMade) and event.decision == decision)
    ledger = Ledger.of_journal(pool, events[: made.based_on])
    plan, question = ledger.campaign.plan, ledger.question()
    count = len(made.candidate_ids) if question is None else question.needed.count
    notes = () if code.named_by else tuple(_other_versions(events, made, plan, versions, code))
    try:
        proposal = asyncio.run(_ask(plan, ledger.pool, ledger.context(), count, code))
    except EntropilotError as error:
        what_to_do = f"; {error.action}" if code.named_by and error.action else ""
        return Redecision(verdict=Verdict.NOT_ASKED, why=error.found + what_to_do, notes=notes)
    known = IdsWithAdded(ledger.pool.candidate_ids, [each.candidate_id for each in proposal.new_candidates])
    if any(not 0 <= choice.index < len(known) for choice in _all(proposal)):
        return Redecision(
            verdict=Verdict.NOT_ASKED, why="the policy of today proposes what is not in the pool", notes=notes
        )
    return _compared(made, known, proposal, notes)


async def _ask(
    plan: CampaignPlan, pool: PoolArrays, context: AcquisitionContext, count: int, code: CodeSource
) -> Proposal:
    """Ask the policy where a run asks it, so that the same arithmetic gives the same sums."""
    policy_runner = make_policy_runner(pool, plan.policy, plan.policy_options, code)
    try:
        async with asyncio.timeout(LONGEST_PROPOSAL_S):
            return await policy_runner.propose(context, count)
    except TimeoutError:
        raise EntropilotError(f"The policy did not answer within {LONGEST_PROPOSAL_S:g} s") from None
    finally:
        await policy_runner.close()


def _compared(made: DecisionMade, known: Sequence[str], proposal: Proposal, notes: tuple[str, ...]) -> Redecision:
    runner_up = proposal.runner_up
    again = Redecision(
        verdict=Verdict.SAME,
        candidate_ids=tuple(known[choice.index] for choice in proposal.choices),
        scores=tuple(choice.score for choice in proposal.choices),
        runner_up=None if runner_up is None else known[runner_up.index],
        runner_up_score=None if runner_up is None else runner_up.score,
    )
    if again.candidate_ids == made.candidate_ids:
        return replace(again, notes=(*notes, *_other_figures(made, again)))
    today, then = (", ".join(ids) for ids in (again.candidate_ids, made.candidate_ids))
    today = today or f"nothing ({proposal.reason})"
    return replace(again, verdict=Verdict.DIFFERS, why=f"{today} instead of {then}", notes=notes)


def _other_versions(
    events: Sequence[Event], made: DecisionMade, plan: CampaignPlan, versions: Mapping[str, str], code: CodeSource
) -> Iterator[str]:
    """Say what decides with other versions today, if the fingerprint says that it does."""
    today = policy_fingerprint(plan.policy, plan.policy_options, code)
    if today == made.fingerprint:
        return
    started = events[0]
    then = started.versions if isinstance(started, CampaignStarted) else {}
    differing = [name for name, was in then.items() if versions.get(name, was) != was]
    which = "; ".join(f"{name} {then[name]} then, {versions[name]} now" for name in differing)
    yield f"the fingerprint is {made.fingerprint} then, {today} now" + (f": {which}" if which else "")


def _other_figures(made: DecisionMade, again: Redecision) -> Iterator[str]:
    for which, then, now in zip(made.candidate_ids, made.scores, again.scores, strict=True):
        if not same_score(then, now):
            yield f"the score of {which} is {describe_score(then)} then, {describe_score(now)} now"
    if again.runner_up != made.runner_up:
        yield f"the runner-up is {made.runner_up or 'nobody'} then, {again.runner_up or 'nobody'} now"


def _all(proposal: Proposal) -> tuple[Choice, ...]:
    return proposal.choices if proposal.runner_up is None else (*proposal.choices, proposal.runner_up)
