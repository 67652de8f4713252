"""The figures of a run that other programs see, read from its source: what `/metrics` tells and alerts look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.errors import EntropilotError
from scenarios.observe.figures import InstrumentFigures, RunFigures
from scenarios.watch.agent_log import timings_in
from scenarios.watch.reading.source import Source
from scenarios.watch.state.lab import Instrument
from scenarios.watch.state.moment import InFlightShown, Moment
from scenarios.watch.state.runs import RunCard

MEAN_GAP: Final = "mean_gap"
ENTROPY_RANGE: Final = "entropy_range"

QUARANTINED: Final = "quarantined: "
"""How the agent's counter of messages begins that were put aside; the reason follows."""

ANSWERS: Final = ("candidate_result: ", "candidate_failure: ")
"""How its counters of answers begin; what became of them follows."""

THERE: Final[Mapping[str, bool | None]] = {"interrupted": False, "finished": None, "unreadable": None}
"""Phase -> whether the agent is at work; of one that is over nobody expects it. In any other phase it is."""

UNREADABLE: Final = "unreadable"


def figures_of(source: Source, now: datetime | None = None) -> RunFigures:
    """Return the figures of a run as it stands; of one that cannot be read, why.

    Args:
        source: Where it is read.
        now: The time, for how long something lasts; by default the clock's.
    """
    card = source.card()
    if card.problem:
        return RunFigures(card.key, UNREADABLE, card.name, problem=card.problem)
    try:
        return _figures(source, card, now or datetime.now(UTC))
    except EntropilotError as error:  # it went between two looks
        return RunFigures(card.key, UNREADABLE, card.name, problem=str(error))


def _figures(source: Source, card: RunCard, now: datetime) -> RunFigures:
    campaign, moment, counts = source.campaign(), source.moment(), source.trust().counts
    folder = getattr(source, "folder", None)  # a broker's campaign has none
    deciding, committing = timings_in(folder) if isinstance(folder, Path) else (None, None)
    phase = card.phase if card.phase in THERE else moment.phase
    return RunFigures(
        run=card.key,
        campaign=card.name,
        phase=phase,
        property=campaign.property,
        policy=campaign.policy,
        reason=moment.reason,
        is_paused_by_itself=phase == "paused" and _paused_itself(source),
        is_agent_there=THERE.get(phase, True),
        journal_row=moment.last_sequence,
        observation=moment.last_observation,
        decisions=None if moment.decision is None else moment.decision.decision + 1,
        spent=moment.spent,
        budget=moment.budget,
        budget_unit=campaign.budget_unit,
        in_flight=moment.in_flight_count,
        oldest_in_flight_s=_oldest_s(moment.in_flight, now),
        abandoned=moment.abandoned,
        awaiting_approval=len(moment.awaiting_approval),
        results=_answers(counts),
        quarantined={
            name.removeprefix(QUARANTINED): count for name, count in counts.items() if name.startswith(QUARANTINED)
        },
        retries=moment.counts.retries,
        entropies={each.family: each.entropy for each in moment.families},
        sizes={each.family: each.size for each in moment.families},
        entropy_range=moment.metrics.get(ENTROPY_RANGE),
        mean_gap=moment.metrics.get(MEAN_GAP),
        best_mean_gap=_best(moment),
        last_event_at_s=_seconds(card.last_event_at),
        deciding=deciding,
        committing=committing,
        instruments=tuple(_instrument(each) for each in source.instruments()),
    )


def _paused_itself(source: Source) -> bool:
    """Tell whether the last pause was nobody's order."""
    last = source.journal(kind="CampaignPaused", tail=True, limit=1).rows
    return bool(last) and not last[-1].message_id


def _answers(counts: Mapping[str, int]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for name, count in counts.items():
        for beginning in ANSWERS:
            if name.startswith(beginning):
                found[name.removeprefix(beginning)] += count
    return found


def _best(moment: Moment) -> float | None:
    return next((each.value for each in moment.best if each.metric == MEAN_GAP), None)


def _oldest_s(in_flight: Sequence[InFlightShown], now: datetime) -> float | None:
    asked = [seconds for each in in_flight if (seconds := _seconds(each.asked_at)) is not None]
    return max(0.0, now.timestamp() - min(asked)) if asked else None


def _seconds(time: str | None) -> float | None:
    try:
        return None if time is None else datetime.fromisoformat(time).timestamp()
    except ValueError:  # a label that is no time
        return None


def _instrument(each: Instrument) -> InstrumentFigures:
    return InstrumentFigures(
        id=each.id,
        is_online=None if each.health == "unknown" else each.health == "there",
        in_flight=each.in_flight,
        oldest_s=each.oldest_s,
        silent_s=each.silent_s,
        accepted=each.accepted,
        failed=each.failed,
        expired=each.expired,
    )
