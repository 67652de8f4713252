"""Small campaigns to play with: a pool, a plan, a lab that answers as told, and the journal that results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.campaign import decide, follow, proposals
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.decide import Consequence, ResultAck
from agent.campaign.events import CampaignStarted, Event, MeasuredQuantity, StartSetLoaded
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import CampaignPlan, Ordering
from agent.campaign.results_seen import content_of
from agent.campaign.state import Attempt, Campaign
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.designs import make_designs
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    Control,
    ControlAction,
    FailureReason,
    Quantity,
    RawFile,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SENT_AT = NOW.isoformat()
PROPERTY = "formation_energy"
UNIT = "eV/atom"
_numbers = count(1)
T = TypeVar("T")


def small_pool(size: int = 12, families: int = 3) -> Pool:
    """A pool of `size` candidates c000, c001, … whose families take turns."""
    candidates = [Candidate(f"c{i:03d}", f"family-{i % families}", f"X{i}") for i in range(size)]
    features = np.random.default_rng(size).normal(size=(size, 3))
    return make_pool(candidates, features, ("f0", "f1", "f2"))


def with_source_ids(pool: Pool) -> Pool:
    """The same pool as a table makes it that has ids of its own: `C 1/α` for c001."""
    called = [replace(each, source_id=f"C {place}/α") for place, each in enumerate(pool.candidates)]
    return replace(pool, candidates=tuple(called))


def small_closure(places: int = 5, families: int = 3, groups: int = 4) -> Pool:
    """A small pool that is a closure of designs: every group at every place makes a candidate."""
    pool = small_pool(groups * places, families)
    columns = {
        "group": [f"g{number % groups}" for number in range(len(pool))],
        "place": [f"p{number // groups:02d}" for number in range(len(pool))],
    }
    formulas = [candidate.formula for candidate in pool.candidates]
    return replace(pool, designs=make_designs(columns, range(len(pool)), formulas, queried="group", reference="g0"))


def small_plan(pool: Pool, **changes: Any) -> CampaignPlan:
    """A plan for a pool, with the named fields changed."""
    fields: dict[str, Any] = {
        "campaign": "demo",
        "uid": "0a1b2c3d",
        "property_name": PROPERTY,
        "unit": UNIT,
        "valid_range": (-10.0, 10.0),
        "budget": 6,
        "parallel": 1,
        "batch": 1,
        "ordering": Ordering.IN_ORDER,
        "max_attempts": 3,
        "give_up_after": 10,
        "seed": 7,
        "policy": "random",
        "policy_options": {},
        "fingerprint": "f" * 12,
        "recipients": ("simulator-1",),
        "pool_digest": pool.digest,
    }
    return CampaignPlan(**(fields | changes))


def value_of(candidate_id: str) -> float:
    """The true property of a candidate, between -5 and 5: a hash, so that no two are equal."""
    return int.from_bytes(hashlib.sha256(candidate_id.encode()).digest()[:6], "big") / 2**48 * 10 - 5


def first_available(context: AcquisitionContext, wanted: int) -> Proposal:
    """Propose the first available candidates: a policy whose choice a test can foretell."""
    return Proposal(tuple(Choice(int(index), 1.0) for index in context.available[:wanted]), "the first ones")


def content_after(decisions: int) -> Callable[[AcquisitionContext, int], Proposal]:
    """A policy that proposes the first ones, and after so many decisions has nothing more to ask for."""

    def propose(context: AcquisitionContext, wanted: int) -> Proposal:
        if context.decision >= decisions:
            return Proposal((), f"{decisions} are enough", details={"enough": float(decisions)})
        return first_available(context, wanted)

    return propose


def _envelope() -> dict[str, Any]:
    return {"campaign": "demo", "message_id": f"m{next(_numbers)}", "sent_at": NOW}


def quantity(value: float, *, name: str = PROPERTY, unit: str = UNIT) -> Quantity:
    return Quantity(name=name, value=value, unit=unit)


def result_of(attempt: Attempt, *quantities: Quantity, simulator: str | None = None) -> CandidateResult:
    """The result of an attempt: the true value, unless told otherwise."""
    return CandidateResult(
        **_envelope(),
        attempt_id=attempt.attempt_id,
        candidate_id=attempt.candidate_id,
        simulator=simulator or attempt.recipient,
        quantities=quantities or (quantity(value_of(attempt.candidate_id)),),
        duration_s=0.5,
    )


def with_all_that_came(result: CandidateResult) -> CandidateResult:
    """The same result with all that a lab may tell beside its value."""
    (main,) = result.quantities
    beside = Quantity(name="volume", value=11.5, unit="Å^3", standard_deviation=0.5)
    told = {
        "quantities": (main, beside),
        "replicates": (main.value - 0.125, main.value + 0.125),
        "conditions": (Quantity(name="temperature", value=353.5, unit="K"),),
        "remarks": {"batch": "A/材", "stirred_rpm": 400.0},
        "files": (RawFile(name="a.csv", uri="file:///raw/a.csv", sha256="0" * 64, size_bytes=12),),
    }
    return result.model_copy(update=told)


def said_in(message: CandidateResult) -> str:
    """The digest by which a campaign knows what a result says."""
    rows = (MeasuredQuantity(q.name, q.value, q.unit, q.standard_deviation) for q in message.quantities)
    return content_of(rows)


def failure_of(attempt: Attempt, reason: FailureReason = FailureReason.CRASHED) -> CandidateFailure:
    return CandidateFailure(
        **_envelope(),
        attempt_id=attempt.attempt_id,
        candidate_id=attempt.candidate_id,
        simulator=attempt.recipient,
        reason=reason,
        detail="the lamp broke",
    )


def control(action: ControlAction, candidate_id: str | None = None, **fields: Any) -> Control:
    return Control(**(_envelope() | {"action": action, "candidate_id": candidate_id} | fields))


@dataclass
class Play:
    """A campaign that is played manually: every outcome is folded and journalled."""

    pool: Pool
    plan: CampaignPlan
    start: Sequence[str] = ()
    propose: Callable[[AcquisitionContext, int], Proposal] = first_available
    campaign: Campaign = field(init=False)
    arrays: PoolArrays = field(init=False)
    journal: list[Event] = field(default_factory=list)
    contexts: list[AcquisitionContext] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.campaign = Campaign(self.pool)
        self.arrays = pool_arrays(self.pool)
        self.fold(CampaignStarted(self.plan, {"entropilot": "test"}))
        self.fold(StartSetLoaded(tuple(self.start), tuple(value_of(which) for which in self.start)))

    def fold(self, *events: Event) -> None:
        for event in events:
            self.campaign.apply(event)
            self.journal.append(event)

    def take(self, outcome: Consequence) -> ResultAck | None:
        """Fold an outcome, then what follows by itself."""
        self.fold(*outcome.events)
        self.settle()
        return outcome.ack if isinstance(outcome.ack, ResultAck) else None

    def settle(self) -> None:
        """Fold what follows, and decide as long as a decision is needed."""
        while True:
            if follows := follow.react(self.campaign):
                self.fold(*follows)
                continue
            needed = proposals.decision_needed(self.campaign)
            if needed is None:
                return
            context = make_context(self.campaign, self.arrays)
            self.contexts.append(context)
            proposal = self.propose(context, needed.count)
            self.fold(*proposals.decide_proposal(self.campaign, needed, self.campaign.sequence, proposal).events)

    @property
    def awaited(self) -> list[Attempt]:
        """The attempts in flight, oldest first."""
        return list(self.campaign.in_flight.values())

    def answer(self, attempt: Attempt) -> ResultAck | None:
        return self.take(decide.decide_result(self.campaign, result_of(attempt)))

    def fail(self, attempt: Attempt, reason: FailureReason = FailureReason.CRASHED) -> ResultAck | None:
        return self.take(decide.decide_failure(self.campaign, failure_of(attempt, reason)))

    def expire(self, attempt: Attempt) -> None:
        self.take(decide.decide_expiry(self.campaign, attempt.attempt_id))

    def steer(self, action: ControlAction, candidate_id: str | None = None, **fields: Any) -> ControlAck:
        """Give an order; return what its sender hears."""
        outcome = decide.decide_control(self.campaign, control(action, candidate_id, **fields))
        self.take(outcome)
        assert isinstance(outcome.ack, ControlAck)
        return outcome.ack

    def of_kind(self, kind: type[T]) -> list[T]:
        """The journalled events of one kind."""
        return [event for event in self.journal if isinstance(event, kind)]


def refold(pool: Pool, journal: Iterable[Event]) -> Campaign:
    """Fold a journal into a new campaign."""
    campaign = Campaign(pool)
    for event in journal:
        campaign.apply(event)
    return campaign


def state_of(campaign: Campaign) -> dict[str, Any]:
    """All that a campaign knows, as plain values that compare with ==."""
    state: dict[str, Any] = {}
    for name, value in vars(campaign).items():
        if name == "pool":
            continue
        if name in {"_acquired", "_acquired_decisions"}:  # beyond the count they hold nothing
            state[name] = value[: campaign._acquired_count].tolist()
        elif isinstance(value, np.ndarray):
            flat = [None if np.isnan(item) else item for item in value.ravel().tolist()]  # NaN equals NaN here
            state[name] = [value.shape, *flat]
        elif isinstance(value, dict):
            state[name] = list(value.items())  # their order is part of the state
        else:
            state[name] = value
    return state
