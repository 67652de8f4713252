"""Watches a run: what happened so far, as the live view shows it, and how fast it goes."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from agent.campaign.event_descriptions import in_words
from agent.campaign.events import DecisionMade, PolicyExhausted, StopRuleFired
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign
from agent.entropy.bias import BiasPoint
from agent.loop import Agent
from agent.opening import CampaignFiles
from agent.runtime.transaction import Transaction
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.signature import UNPROVEN
from scenarios.display.labels import titled
from scenarios.run.live.pace import Course, Pace
from scenarios.run.live.state import LiveState
from scenarios.run.live.view import LiveView
from scenarios.run.request import RunRequest

LOOK_EVERY_S: Final = 0.1
"""How often the live view asks how things are."""


MOST_NAMED: Final = 3
"""Most decisions that wait for approval whose numbers are shown."""


class RunWatch:
    """Collects what the live view shows."""

    def __init__(self, request: RunRequest, files: CampaignFiles, view: LiveView | None) -> None:
        self._request = request
        self._files = files
        self._view = view
        self._began = time.monotonic()
        self._pace, self._course = Pace(), Course()
        self._counts = files.store.counts()
        self._last_decision = ""
        self._sent: dict[str, float] = {}
        self._bias = files.ledger.point()
        self._before: BiasPoint | None = None
        for observation, point in files.store.trajectory(files.plan.metrics):
            self._before = self._before or point
            self._course.note(observation, _leading(point)[1])
            if view is None:  # nobody looks at how it went
                break
        self._agent: Agent
        self._broker = ""

    def attach(self, agent: Agent, broker: BrokerSettings) -> None:
        """Watch this agent, on this broker; once, before the first look."""
        self._agent = agent
        self._broker = broker.redacted_url

    def note(self, transaction: Transaction) -> None:
        """Take in a committed transaction."""
        now = time.monotonic()
        for disposition, by in transaction.counts.items():
            self._counts[disposition] = self._counts.get(disposition, 0) + by
        for event in transaction.events:
            if isinstance(event, DecisionMade):
                self._last_decision = f"{', '.join(map(self._name, event.candidate_ids))}: {event.reason}"
            elif isinstance(event, PolicyExhausted):
                self._last_decision = f"nothing more to ask for: {event.reason}"
            elif isinstance(event, StopRuleFired):
                self._last_decision = in_words(event)
        for item in transaction.outbox:
            self._sent[item.attempt_id] = now
        if transaction.bias:
            self._bias = transaction.bias[-1].point
            self._pace.note(now, transaction.bias[-1].observation)
            for each in transaction.bias:
                self._course.note(each.observation, _leading(each.point)[1])
        self._forget()

    async def look(self) -> None:
        """Show how things are until cancelled."""
        while self._view is not None:
            self._view.show(self.state())
            await asyncio.sleep(LOOK_EVERY_S)

    def state(self) -> LiveState:
        """Return how things are now."""
        campaign = self._agent.campaign
        now = time.monotonic()
        phases: dict[Phase, Any] = {Phase.PAUSED: "paused", Phase.STOPPING: "finishing", Phase.FINISHED: "finishing"}
        return LiveState(
            campaign=campaign.plan.campaign,
            policy=campaign.rest_policy or campaign.plan.policy,
            phase="paused"
            if self._agent.disk.reason
            else phases.get(campaign.phase, "finishing" if campaign.has_ended_asking else "running"),
            observation=campaign.observations,
            budget=campaign.budget,
            spent=campaign.spent,
            elapsed_s=now - self._began,
            per_second=self._pace.per_second(now),
            bias=self._bias,
            before=self._before,
            best=self._files.ledger.best.figures(),
            found=self._files.ledger.progress.current,
            last_decision=self._last_decision,
            in_flight=tuple(
                (
                    self._name(a.candidate_id),
                    self._family(a.candidate_id),
                    a.number,
                    now - self._sent.get(a.attempt_id, self._began),
                )
                for a in list(campaign.in_flight.values())
            ),
            retries=campaign.retries,
            quarantined=sum(by for disposition, by in self._counts.items() if disposition.startswith("quarantined")),
            unproven=sum(self._counts.get(f"quarantined: {reason}", 0) for reason in UNPROVEN),
            duplicates=self._counts.get("candidate_result: duplicate", 0),
            contradictions=self._counts.get("candidate_result: contradicts", 0),
            broker=self._broker,
            connected=self._agent.connected,
            link_trouble=self._agent.link_trouble,
            waiting_for=(*self._agent.waiting_for, *_approvals(campaign)),
            held=self._agent.disk.reason or self._agent.admission.pace.reason,
            course=self._course.points(),
            course_of=_leading(self._bias)[0],
        )

    def _name(self, candidate_id: str) -> str:
        return self._agent.campaign.pool.candidate(candidate_id).name

    def _family(self, candidate_id: str) -> str:
        return self._agent.campaign.pool.candidate(candidate_id).family

    def _forget(self) -> None:
        """Drop what is no longer shown, whether anybody looks or not: a run of weeks must not fill the memory."""
        in_flight = self._agent.campaign.in_flight
        if len(self._sent) > 2 * len(in_flight):
            self._sent = {attempt: at for attempt, at in self._sent.items() if attempt in in_flight}


def _approvals(campaign: Campaign) -> tuple[str, ...]:
    """Return which approvals are waited for, as people read it."""
    return tuple(f"approval of decision {number}" for number in list(campaign.awaiting_approval)[:MOST_NAMED])


def _leading(point: BiasPoint | None) -> tuple[str, float | None]:
    """Return the figure whose course is shown, and what it is: the range, or the first that the policy declares."""
    if point is None or not point.figures:
        return "", None
    metric, value = point.figures[0]
    return titled(metric.label, metric.unit), value
