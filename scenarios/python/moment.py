"""A run as it stood after any of its observations: families, what was in flight, the last decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from agent.campaign.events import DecisionMade, Event
from agent.campaign.ledger import Ledger
from agent.entropy.bias import BIAS_METRICS, BiasPoint
from agent.pool.candidates import Pool
from protocols.errors import StoreError
from scenarios.python.shown import as_html, as_text


@dataclass(frozen=True, slots=True)
class Moment:
    """A run as it stood when an observation had just come; 0 is the start set.

    Attributes:
        observation: Number of the observation.
        journal_row: Number of the journal's row that brought it.
        phase: Of the campaign.
        spent: Candidates that had their outcome.
        budget: Candidates that might be requested.
        bias: All metrics.
        families: Size and entropy [nat] by family.
        in_flight: What was asked and not answered, a row an attempt.
        decision: The last decision made by then; None before the first.
    """

    observation: int
    journal_row: int
    phase: str
    spent: int
    budget: int
    bias: BiasPoint
    families: pd.DataFrame
    in_flight: pd.DataFrame
    decision: DecisionMade | None

    def _words(self) -> str:
        told = [f"observation {self.observation}: {self.phase}, {self.spent} of {self.budget} spent"]
        figures = ((metric, getattr(self.bias, metric.name)) for metric in BIAS_METRICS)
        told += [f"{metric.name} {value:.4g} {metric.unit}".rstrip() for metric, value in figures if value is not None]
        if self.decision is not None:
            told.append(f"decision {self.decision.decision}: {self.decision.reason}")
        told.append(f"{len(self.in_flight)} in flight")
        return "\n".join(told)

    def __repr__(self) -> str:
        return f"{as_text(self._words())}\n{self.families}"

    def _repr_html_(self) -> str:
        return as_html(self._words()) + str(self.families.to_html())


def moment_at(events: Iterable[Event], pool: Pool, observation: int, label: str) -> Moment:
    """Return a run as it stood after an observation.

    Args:
        events: Its journal.
        pool: Its candidates, or those that it has touched.
        observation: Which, from 0; a negative one counts from the last.
        label: What the run is called, for errors.

    Raises:
        StoreError: When there is no such observation.
    """
    told = list(events)
    wanted = observation if observation >= 0 else _last(told, pool) + 1 + observation
    ledger, decision = Ledger(pool), None
    for event in told:
        change = ledger.fold_journalled(event)
        decision = event if isinstance(event, DecisionMade) else decision
        if change.metrics is not None and change.metrics.observation == wanted:
            return _moment(ledger, change.sequence, change.metrics.point, decision)
    raise StoreError(
        f"{label} has no observation {observation}", expected=f"a number from 0 to {max(ledger.observation, 0)}"
    )


def _last(events: Iterable[Event], pool: Pool) -> int:
    return Ledger.of_journal(pool, events).observation


def _moment(ledger: Ledger, row: int, point: BiasPoint, decision: DecisionMade | None) -> Moment:
    campaign = ledger.campaign
    families = pd.DataFrame({"size": point.sizes, "entropy": point.entropies}, index=list(point.families))
    columns = ["attempt", "candidate", "decision", "number", "recipient"]
    attempts = [
        (each.attempt_id, each.candidate_id, each.decision, each.number, each.recipient)
        for each in campaign.in_flight.values()
    ]
    return Moment(
        observation=ledger.observation,
        journal_row=row,
        phase=campaign.phase.value,
        spent=campaign.spent,
        budget=campaign.budget,
        bias=point,
        families=families.rename_axis("family").astype({"entropy": "float64"}),
        in_flight=pd.DataFrame(attempts, columns=columns).set_index("attempt"),
        decision=decision,
    )
