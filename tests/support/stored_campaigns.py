"""Campaigns that go through the agent's own steps into a store, and what its views must then say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.campaign.events import (
    AttemptFailed,
    CampaignStarted,
    CandidateExcluded,
    Event,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    dump_event,
)
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt
from agent.entropy.bias import BiasPoint, measure_bias
from agent.entropy.measure import EntropyMeasure
from agent.pool.candidates import Pool
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner, PolicyRunner
from agent.runtime.resume import begin, remember
from agent.runtime.transaction import DeadlinePassed, Input, Transaction, TransactionBuilder
from agent.store.store import Store
from agent.store.tables import BIAS_FAMILY, BIAS_POINT, OBSERVATION, OUTBOX, REQUEST
from agent.store.views import DatasetLabels
from protocols.link.transport import Delivery
from protocols.storage.database import sqlite_url
from protocols.storage.server_url import DatabaseUrl
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage, ControlAction, FailureReason
from protocols.wire.topics import ANY_SIMULATOR
from tests.support.campaigns import NOW, SENT_AT, control, failure_of, quantity, result_of, value_of

START = ("c000", "c001", "c002", "c004", "c007")


def labels_of(pool: Pool, unit: str = "eV/atom") -> DatasetLabels:
    return DatasetLabels.of(pool, unit)


def opened(where: Path | DatabaseUrl, pool: Pool) -> Store:
    """A store on a file, or at a URL."""
    url = sqlite_url(where) if isinstance(where, Path) else where
    return Store.open(url, labels=labels_of(pool), now=SENT_AT)


def delivered(message: AnyMessage | None = None, *, topic: str = "", payload: bytes = b"") -> Delivery:
    """A message as the link gives it."""
    if message is not None:
        topic, payload = topic_of(message, recipient=ANY_SIMULATOR), encode(message)
    return Delivery(topic, payload, retain=False, qos=1, ack_token=None)


class Shelf:
    """A campaign in a store, stepped manually: every step is folded and committed as the agent does it."""

    def __init__(self, store: Store, pool: Pool, plan: CampaignPlan, policy_runner: PolicyRunner | None = None) -> None:
        start = [(which, value_of(which)) for which in START if which in pool.index_of]
        begin(store, pool, plan, start, versions={"entropilot": "test"}, now=SENT_AT)
        stored = remember(store, pool)
        self.store = store
        self.pool = pool
        self.campaign = stored.campaign
        self.messages = MessageBuilder(plan, evaluation_deadline_s=60.0, clock=lambda: NOW)
        self.maker = TransactionBuilder(
            stored,
            policy_runner=policy_runner or InlinePolicyRunner(UniformRandom()),
            make_request=self.messages.request,
        )
        self.transaction()

    def transaction(self, *items: Input, confirmed: tuple[str, ...] = ()) -> Transaction:
        """Take inputs, settle, commit."""
        transaction = Transaction()
        for item in items:
            self.maker.take(transaction, item)
        self.maker.settle(transaction)
        self.store.append(transaction.commit(confirmed), now=SENT_AT)
        return transaction

    @property
    def awaited(self) -> list[Attempt]:
        return list(self.campaign.in_flight.values())

    def trouble(self, rng: np.random.Generator) -> Delivery | DeadlinePassed:
        """Something that may arrive: mostly good answers, and all that can go wrong."""
        attempts = list(self.campaign.attempts.values())
        awaited = self.awaited
        any_one = attempts[int(rng.integers(len(attempts)))]
        expected = awaited[int(rng.integers(len(awaited)))] if awaited else any_one
        somebody = self.pool.candidate_ids[int(rng.integers(len(self.pool)))]
        paused = self.campaign.phase is Phase.PAUSED
        kinds: list[tuple[float, Any]] = [
            (10, lambda: delivered(result_of(expected))),
            (1, lambda: delivered(result_of(expected, simulator="simulator-9"))),
            (2, lambda: delivered(result_of(any_one))),
            (1, lambda: delivered(result_of(expected, quantity(99.0)))),
            (1, lambda: delivered(result_of(any_one, quantity(3.25)))),
            (2, lambda: delivered(failure_of(expected))),
            (1, lambda: delivered(failure_of(expected, FailureReason.UNSUPPORTED))),
            (2, lambda: DeadlinePassed(expected.attempt_id)),
            (1, lambda: delivered(control(ControlAction.EXCLUDE_CANDIDATE, somebody))),
            (1, lambda: delivered(control(ControlAction.EXCLUDE_CANDIDATE, expected.candidate_id))),
            (1, lambda: delivered(control(ControlAction.ADD_OBSERVATION, somebody, quantity=quantity(1.25)))),
            (1, lambda: delivered(control(ControlAction.ADD_OBSERVATION, expected.candidate_id, quantity=quantity(2)))),
            (0.5, lambda: delivered(control(ControlAction.PAUSE))),
            (5 if paused else 0.2, lambda: delivered(control(ControlAction.RESUME))),
            (1, lambda: delivered(topic="entropilot/v1/demo/result/simulator-1", payload=b"\xff{")),
            (1, lambda: delivered(topic="somebody/else", payload=b"{}")),
        ]
        weights = np.array([weight for weight, _ in kinds])
        return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][1]()

    def play(self, seed: int, transactions: int = 60) -> None:
        """Commit random steps of one to three inputs each, until the campaign is finished."""
        rng = np.random.default_rng(seed)
        for _ in range(transactions):
            if self.campaign.phase is Phase.FINISHED:
                return
            confirmed = tuple(item.attempt_id for item in self.store.unconfirmed()[: int(rng.integers(3))])
            self.transaction(*(self.trouble(rng) for _ in range(int(rng.integers(1, 4)))), confirmed=confirmed)


class Deaf:
    """An acquirer that never answers: a step then makes no decision."""

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        return None

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        raise NotImplementedError

    async def close(self) -> None:
        return


def rows(store: Store, table: Any) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted."""
    with store._connection.begin():
        return sorted((tuple(row) for row in store._connection.execute(select(table))), key=repr)


def assert_views_equal_fold(store: Store, pool: Pool, unit: str = "eV/atom") -> None:
    """Check dataset, requests and bias trajectory against what the journal says, by rules written out here again."""
    events = list(enumerate(store.journal(), 1))
    labels = labels_of(pool, unit)
    observations, requests = _folded(events, labels)
    assert rows(store, OBSERVATION) == sorted(observations, key=repr)
    assert rows(store, REQUEST) == sorted((tuple(row.values()) for row in requests.values()), key=repr)
    known = set(requests)
    assert {row[0] for row in rows(store, OUTBOX)} <= known
    points = list(_measured(events, pool))
    assert list(store.trajectory()) == [(transaction, point) for transaction, (_, point) in enumerate(points)]
    assert [row[:2] for row in sorted(rows(store, BIAS_POINT))] == [(s, number) for s, (number, _) in enumerate(points)]
    corrected = {number for number, event in events if isinstance(event, ObservationAmended)}
    for transaction, family in ((row[0], row[1]) for row in rows(store, BIAS_FAMILY)):
        if points[transaction][0] in corrected:
            continue  # a family of a single value has no entropy before and after
        assert transaction == 0 or _entry(points[transaction][1], family) != _entry(points[transaction - 1][1], family)


def _folded(  # noqa: C901 - one case for every event that a view shows
    events: list[tuple[int, Event]], labels: DatasetLabels
) -> tuple[list[tuple[Any, ...]], dict[str, dict[str, Any]]]:
    observations: list[tuple[Any, ...]] = []
    requests: dict[str, dict[str, Any]] = {}

    def observe(
        number: int,
        which: str,
        value: float,
        source: str,
        attempt_id: str | None = None,
        *,
        known: float | None = None,
        details: str = "",
    ) -> None:
        source_id, family = labels.source_ids.get(which, ""), labels.families[which]
        told = (which, number, family, value, labels.unit, source, attempt_id, source_id, known, details)
        observations.append((*told, "", 0))  # by the lab's usual method, for the first time

    def close(number: int, outcome: str, *, attempt_id: str = "", open_of: str = "") -> None:
        for row in requests.values():
            if row["attempt_id"] == attempt_id or (row["candidate_id"] == open_of and not row["outcome"]):
                row |= {"outcome": outcome, "closed_sequence": number}

    for number, event in events:
        match event:
            case StartSetLoaded():
                for place, (which, value) in enumerate(zip(event.candidate_ids, event.values, strict=True)):
                    known = event.uncertainties[place][0] if event.uncertainties else 0.0
                    observe(number, which, value, "start set", known=known or None)
            case RequestIssued():
                requests[event.attempt_id] = {
                    "attempt_id": event.attempt_id, "candidate_id": event.candidate_id, "decision": event.decision,
                    "attempt": event.attempt, "recipient": event.recipient, "sequence": number, "outcome": "",
                    "closed_sequence": None, "source_id": labels.source_ids.get(event.candidate_id, ""),
                    "family": labels.families[event.candidate_id],
                }  # fmt: skip
            case ResultAccepted():
                observe(
                    number, event.candidate_id, event.value, event.simulator, event.attempt_id,
                    known=event.standard_deviation, details=_details(event),
                )  # fmt: skip
                close(number, "observed", attempt_id=event.attempt_id)
                close(number, "overtaken by another attempt", open_of=event.candidate_id)
            case ObservationAdded():
                observe(number, event.candidate_id, event.value, "manual", known=event.standard_deviation)
                close(number, "observed manually", open_of=event.candidate_id)
            case AttemptFailed():
                close(number, f"failed: {event.reason}", attempt_id=event.attempt_id)
            case RequestExpired():
                outcome = "expired" if event.costs_attempt else "instrument away"
                close(number, outcome, attempt_id=event.attempt_id)
            case CandidateExcluded():
                close(number, "excluded", open_of=event.candidate_id)
            case ObservationRetracted():
                observations[:] = [row for row in observations if row[0] != event.candidate_id]
            case ObservationAmended():
                (old,) = [row for row in observations if row[0] == event.candidate_id]
                corrected = (event.value, *old[4:8], event.uncertainties[0] or None, *old[9:])
                observations[observations.index(old)] = (old[0], number, old[2], *corrected)
            case _:
                pass
    return observations, requests


def _details(event: ResultAccepted) -> str:
    told = json.loads(dump_event(event)[1])
    shown = {} if len(event.quantities) == 1 else {"quantities": told["quantities"]}
    shown |= {name: told[name] for name in ("replicates", "conditions", "remarks", "files") if told[name]}
    return json.dumps(shown, ensure_ascii=False) if shown else ""


def _measured(events: list[tuple[int, Event]], pool: Pool) -> Iterator[tuple[int, BiasPoint]]:
    """The bias after every observation, each measured from nothing."""
    known: dict[str, float] = {}
    measure = EntropyMeasure()
    for number, event in events:
        if isinstance(event, CampaignStarted):
            measure = EntropyMeasure(event.plan.estimator, event.plan.resolution)
        if isinstance(event, StartSetLoaded):
            known |= dict(zip(event.candidate_ids, event.values, strict=True))
        elif isinstance(event, ResultAccepted | ObservationAdded | ObservationAmended):
            known[event.candidate_id] = event.value
        elif isinstance(event, ObservationRetracted):
            del known[event.candidate_id]
        else:
            continue
        codes = np.array([int(pool.family_codes[pool.index_of[which]]) for which in known], dtype=np.int64)
        yield number, measure_bias(pool.families, codes, np.array(list(known.values())), measure)


def _entry(point: BiasPoint, family: str) -> tuple[int, float | None]:
    at = point.families.index(family)
    return point.sizes[at], point.entropies[at]
