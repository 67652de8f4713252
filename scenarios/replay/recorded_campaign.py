"""What a followed campaign leaves to be asked about: its start, its answers, its trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.campaign.event_descriptions import observations_of
from agent.campaign.events import (
    CampaignStarted,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    DecisionMade,
    DecisionVetoed,
    Event,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    ResultAccepted,
    StartSetLoaded,
)
from agent.entropy.bias import BiasPoint
from agent.pool.growth import NewCandidate
from agent.runtime.transaction import Transaction
from scenarios.run.offline import Measured


@dataclass(slots=True)
class RecordedCampaign:
    """Collects from the transactions of a `Follower`; a campaign that begins again in its recording is collected again.

    Attributes:
        start: Candidate id -> values of the start set.
        answers: Candidate id -> values of those that were measured, or added manually; as they were corrected, and
            without what was retracted.
        uncertainties: Candidate id -> standard uncertainties that came with any of these, 0 where none did.
        asked: Candidates that were asked for, in order.
        excluded: Candidates that an operator ruled out.
        joined: Candidates that an operator added to the pool.
        points: Observation and bias; observation 0 is the start set.
        asked_at: How many candidates had had an outcome at each point; one may be abandoned first, and answered later.
    """

    start: dict[str, tuple[float, ...]] = field(default_factory=dict)
    answers: dict[str, tuple[float, ...]] = field(default_factory=dict)
    uncertainties: dict[str, tuple[float, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    joined: list[NewCandidate] = field(default_factory=list)
    points: list[tuple[int, BiasPoint]] = field(default_factory=list)
    asked_at: list[int] = field(default_factory=list)
    spent: list[int] = field(default_factory=list)
    """What had been spent of the budget by each of `points`."""
    properties: tuple[str, ...] = ()
    """Names of the properties that are balanced, as the campaign's plan has them."""
    _outcomes: set[str] = field(default_factory=set)
    _chosen: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def note(self, transaction: Transaction, _time_s: float) -> None:
        """Take in what was folded."""
        for event in transaction.events:
            self._note(event)
        for bias in transaction.bias:
            self.points.append((len(self.points), bias.point))
            self.spent.append(bias.spent)
            self.asked_at.append(len(self._outcomes))

    def measured(self, name: str, values: Sequence[float]) -> Measured:
        """Return values of a candidate with the uncertainties that came with them."""
        return Measured(values, self.uncertainties.get(name, (0.0,) * len(values)))

    def _note(self, event: Event) -> None:
        match event:
            case CampaignStarted():
                self._begin_again(event.plan.property_names)
            case StartSetLoaded():
                self.start = {each.candidate_id: (each.value, *each.additional) for each in observations_of(event)}
                self.uncertainties |= dict(zip(event.candidate_ids, event.uncertainties, strict=False))
            case DecisionMade():
                self.asked.extend(event.candidate_ids)
                self._chosen[event.decision] = event.candidate_ids
            case ResultAccepted() | ObservationAdded():
                self._answered(event)
            case CandidateExcluded():
                self.excluded.append(event.candidate_id)
            case CandidatesAdded():
                self.joined.extend(event.candidates)
            case CandidateAbandoned():
                self._outcomes.add(event.candidate_id)
            case _:
                self._note_order(event)

    def _note_order(self, event: Event) -> None:
        """Take in what operators took back or corrected."""
        match event:
            case DecisionVetoed():
                self.excluded.extend(self._chosen[event.decision])
            case CandidateRequeued() if event.candidate_id in self.excluded:
                self.excluded.remove(event.candidate_id)
            case ObservationRetracted():
                self.start.pop(event.candidate_id, None)
                self.answers.pop(event.candidate_id, None)
            case ObservationAmended():
                known = self.start if event.candidate_id in self.start else self.answers
                known[event.candidate_id] = (event.value, *event.additional)
                self.uncertainties[event.candidate_id] = event.uncertainties
            case _:
                pass

    def _begin_again(self, properties: tuple[str, ...]) -> None:
        for collected in (self.start, self.answers, self.uncertainties):
            collected.clear()
        for listed in (self.asked, self.excluded, self.joined, self.points, self.asked_at, self.spent):
            listed.clear()
        self._outcomes.clear()
        self._chosen.clear()
        self.properties = properties

    def _answered(self, event: ResultAccepted | ObservationAdded) -> None:
        for each in observations_of(event, self.properties[1:]):
            self.answers[each.candidate_id] = (each.value, *each.additional)
        self.uncertainties[event.candidate_id] = event.uncertainties_of(self.properties)
        if isinstance(event, ResultAccepted):
            self._outcomes.add(event.candidate_id)
