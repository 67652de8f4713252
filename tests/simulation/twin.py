"""The undisturbed twin of a run: the same campaign with a lab that answers at once, without a link or a disk."""

from __future__ import annotations

from dataclasses import replace

from agent.campaign.events import CampaignStarted, DecisionApproved, DecisionMade, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.store.commit import OutboxItem
from protocols.wire.messages import FailureReason
from tests.simulation.terms import Terms
from tests.support.campaigns import failure_of, result_of, value_of
from tests.support.stored_campaigns import delivered


def undisturbed(terms: Terms) -> list[list[str]]:
    """Return the candidates of every decision when nothing goes wrong."""
    ledger = Ledger(terms.pool)
    campaign = ledger.campaign
    maker = TransactionBuilder(
        ledger,
        policy_runner=InlinePolicyRunner(terms.policy),
        make_request=lambda attempt, _candidate: OutboxItem(attempt.attempt_id, "", b""),
    )
    step = Transaction()
    maker.fold(step, CampaignStarted(terms.plan, {}))
    maker.fold(step, StartSetLoaded(terms.start, tuple(map(value_of, terms.start))))
    while campaign.phase is not Phase.FINISHED:
        maker.settle(step)
        for decision in list(campaign.awaiting_approval):
            maker.fold(step, DecisionApproved(decision, "nobody minds", f"approval-{decision}"))
        maker.settle(step)
        for awaited in list(campaign.in_flight.values()):
            attempt = replace(awaited, candidate_id=terms.plan.measurement_of(awaited.candidate_id).candidate_id)
            simulator = "simulator-1" if attempt.recipient == "any" else attempt.recipient
            if terms.lab.is_hopeless(attempt.candidate_id):
                failure = failure_of(attempt, FailureReason.UNSUPPORTED).model_copy(update={"simulator": simulator})
                maker.take(step, replace(delivered(failure), signed_by=simulator))
            else:
                result = terms.lab.answered(result_of(attempt, simulator=simulator))
                maker.take(step, replace(delivered(result), signed_by=simulator))
        if campaign.phase is Phase.PAUSED:  # it gave up on a row of hopeless candidates; whoever runs it goes on
            campaign.phase, campaign.abandoned_in_a_row = Phase.RUNNING, 0
    return [list(event.candidate_ids) for event in step.events if isinstance(event, DecisionMade)]
