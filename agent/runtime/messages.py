"""The messages that the agent writes: each with its topic, ready to be published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from agent.campaign.decide import ResultAck
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt
from agent.entropy.bands import Band
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.pool.candidates import Candidate
from agent.store.commit import JournalHead, OutboxItem
from protocols.errors import MessageError
from protocols.wire.codec import encode, topic_of
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.limits import MAX_AWAITING_APPROVAL
from protocols.wire.messages import (
    CampaignPhase,
    CampaignState,
    CandidateRequest,
    CapabilitiesRequest,
    ControlReceipt,
    FamilyBias,
    Health,
    MetricsReport,
    MetricValue,
    Quantity,
    ResultReceipt,
    Status,
    WantedProperty,
    cut,
)
from protocols.wire.molecule import Molecule
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR

OutgoingMessage = tuple[str, bytes]
"""Topic and payload."""


class MessageBuilder:
    """Writes the agent's messages for one campaign.

    Args:
        plan: The campaign.
        evaluation_deadline_s: Time that a simulator may evaluate [s].
        clock: Returns the wall-clock time, a label.
        lab_weight: The campaign's share in instruments that several campaigns ask.
        instance: Names the run folder, for `Status.instance`.
        new_id: Returns a message id that nobody has used.
        features_of: Returns what the policy knows a candidate by, where requests carry it; None where they do not.
    """

    def __init__(
        self,
        plan: CampaignPlan,
        *,
        evaluation_deadline_s: float,
        clock: Callable[[], datetime],
        lab_weight: float = 1.0,
        instance: str = "agent",
        new_id: Callable[[], str] = fresh_id,
        features_of: Callable[[str], tuple[Quantity, ...]] | None = None,
    ) -> None:
        self._plan = plan
        self._deadline_s = evaluation_deadline_s
        self._clock = clock
        self._lab_weight = lab_weight
        self._new_id = new_id
        self._features_of = features_of
        self._wanted = (
            WantedProperty(name=plan.property_name, unit=plan.unit),
            *(WantedProperty(name=each.name, unit=each.unit) for each in plan.additional_properties),
        )
        self.instance = instance
        self.recipients = frozenset(plan.recipients)
        self.shared_recipients = frozenset({ANY_SIMULATOR})

    def request(self, attempt: Attempt, candidate: Candidate) -> OutboxItem:
        """Write the request of an attempt; its message id is the attempt's, so that a repetition is the same.

        Args:
            attempt: The attempt.
            candidate: Whose it is, for what the request carries of it: structure or molecule, parameters.
        """
        to_set, asked = candidate.parameters, self._plan.measurement_of(attempt.candidate_id)
        message = CandidateRequest(
            campaign=self._plan.campaign,
            message_id=attempt.attempt_id,
            sent_at=self._clock(),
            attempt_id=attempt.attempt_id,
            candidate_id=asked.candidate_id,
            source_id=candidate.source_id or None,
            decision=attempt.decision,
            attempt=attempt.number,
            family=candidate.family,
            formula=candidate.formula,
            structure=candidate.structure,
            molecule=Molecule(smiles=candidate.smiles) if candidate.smiles else None,
            parameters=() if to_set is None else to_set.quantities(),
            labels={} if to_set is None else to_set.labels(),
            features=() if self._features_of is None else self._features_of(attempt.candidate_id),
            fidelity=asked.fidelity,
            properties=self._plan.property_names,
            wanted=self._wanted,
            replicate=attempt.replicate,
            deadline_s=self._deadline_s,
            weight=None if self._lab_weight == 1.0 else self._lab_weight,
        )
        topic = topic_of(message, recipient=attempt.recipient)
        return OutboxItem(attempt.attempt_id, topic, _encoded(message))

    def receipt(self, ack: ResultAck, head: JournalHead | None = None) -> OutgoingMessage:
        """Write the receipt of a result or a failure, with the end of the journal that it is committed in."""
        message = ResultReceipt(
            campaign=self._plan.campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            attempt_id=ack.attempt_id,
            simulator=ack.simulator,
            status=ack.status,
            detail=ack.detail,
            answers=ack.answers,
            row=None if head is None else head.row,
            digest=None if head is None else head.digest,
        )
        return topic_of(message), encode(message)

    def control_receipt(self, ack: ControlAck, at: JournalHead | None = None) -> OutgoingMessage:
        """Write the receipt of a control.

        Args:
            ack: What became of it.
            at: The row that it made, with its digest; None where it made none, or that is not known.
        """
        message = ControlReceipt(
            campaign=self._plan.campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            operator=ack.operator,
            answers=ack.answers,
            action=ack.action,
            status=ack.status,
            detail=cut(ack.detail),
            row=ack.row,
            digest=None if at is None else at.digest,
        )
        return topic_of(message), encode(message)

    def campaign_state(
        self, ledger: Ledger, since: datetime | None = None, head: JournalHead | None = None
    ) -> OutgoingMessage:
        """Write where the campaign stands.

        Args:
            ledger: The campaign.
            since: When its phase, and what it waits for, became what they are; None where that is not known.
            head: The end of the journal.
        """
        message = CampaignState(
            campaign=self._plan.campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            since=since,
            weight=self._lab_weight,
            row=None if head is None else head.row,
            digest=None if head is None else head.digest,
            **figures_of(ledger),
        )
        return topic_of(message), encode(message)

    def metrics_report(
        self,
        observation: int,
        point: BiasPoint,
        bands: Sequence[Band | None] = (),
        head: JournalHead | None = None,
    ) -> OutgoingMessage:
        """Write the metrics report of an observation.

        Args:
            observation: Its number.
            point: The metrics.
            bands: Of the entropies, where they are known.
            head: The end of the journal.
        """
        ends = [band or (None, None) for band in bands] or [(None, None)] * len(point.families)
        rows = zip(point.families, point.sizes, point.entropies, ends, strict=True)
        message = MetricsReport(
            campaign=self._plan.campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            observation=max(observation, 0),
            property=self._plan.property_name,
            unit=self._plan.unit,
            families=tuple(
                FamilyBias(family=family, size=size, entropy=entropy, entropy_low=low, entropy_high=high)
                for family, size, entropy, (low, high) in rows
            ),
            starved_family=point.starved_family,
            declared=tuple(
                MetricValue(name=metric.name, value=value, unit=metric.unit, lower_is_better=metric.lower_is_better)
                for metric, value in point.declared
            ),
            row=None if head is None else head.row,
            digest=None if head is None else head.digest,
            **{metric.name: getattr(point, metric.name) for metric in BIAS_METRICS},
        )
        return topic_of(message), encode(message)

    def capabilities_request(self) -> OutgoingMessage:
        """Write that all instruments say again what they can do."""
        message = CapabilitiesRequest(campaign=self._plan.campaign, message_id=self._new_id(), sent_at=self._clock())
        return topic_of(message), encode(message)

    def status(self, health: Health, *, incumbent: bool = False) -> OutgoingMessage:
        """Write the agent's status; also its last will."""
        message = Status(
            campaign=self._plan.campaign,
            message_id=self._new_id(),
            sent_at=self._clock(),
            client=AGENT_CLIENT,
            role="agent",
            health=health,
            instance=self.instance,
            incumbent=incumbent,
        )
        return topic_of(message), encode(message)


def figures_of(ledger: Ledger) -> dict[str, Any]:
    """Return what a campaign's state says of it, by the names of the message's fields."""
    campaign = ledger.campaign
    running = campaign.phase in {Phase.NEW, Phase.RUNNING}
    return {
        "phase": CampaignPhase.RUNNING if running else CampaignPhase(campaign.phase.value),
        "reason": cut(campaign.standing_reason),
        "budget": campaign.budget,
        "budget_unit": campaign.plan.budget_unit,
        "spent": campaign.spent,
        "in_flight": len(campaign.in_flight),
        "abandoned": int((campaign.statuses == int(CandidateStatus.ABANDONED)).sum()),
        "decision": campaign.next_decision,
        "observation": max(ledger.observation, 0),
        "awaiting_approval": tuple(campaign.awaiting_approval)[:MAX_AWAITING_APPROVAL],
    }


def _encoded(request: CandidateRequest) -> bytes:
    """Return a request as bytes; what joined the pool with a large structure may have no room for its features."""
    try:
        return encode(request)
    except MessageError:
        return encode(request.model_copy(update={"features": ()}))
