"""The rules of who is there: work goes to those who are, and nobody's absence costs a candidate or an attempt.

Pure functions of the campaign and of what the shell saw (`agent.runtime.presence`). An absence is journalled only where
another one is there to take the work: while nobody is, everything waits as it stands, and there is nothing to decide.
"""

from __future__ import annotations

from typing import Final

from agent.campaign.decide import Consequence
from agent.campaign.events import MAX_REASON_LENGTH, CandidateRequeued, InstrumentAway, InstrumentBack, RequestExpired
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign

MAX_HANDED_ON: Final = 20
"""Attempts of one candidate that may end at no cost because their recipient was away; further ones cost as any: an
instrument that comes and goes for ever, or whoever says so in its name, must not keep a candidate open for ever."""


def decide_away(campaign: Campaign, instrument: str, reason: str) -> Consequence:
    """Decide that a recipient is away: its attempts end, and go to others; without another one nothing changes.

    Args:
        campaign: The state.
        instrument: The recipient.
        reason: How that shows.
    """
    away, recipients = campaign.absence.away, campaign.plan.recipients
    others = [each for each in recipients if each != instrument and each not in away]
    if instrument not in recipients or instrument in away or not others or not has_work(campaign):
        return Consequence()
    ended = (
        RequestExpired(
            each.attempt_id,
            each.candidate_id,
            costs_attempt=campaign.absence.handed_on.get(each.candidate_id, 0) >= MAX_HANDED_ON,
        )
        for each in campaign.in_flight.values()
        if each.recipient == instrument
    )
    return Consequence((InstrumentAway(instrument, reason[:MAX_REASON_LENGTH]), *ended))


def decide_back(campaign: Campaign, instrument: str) -> Consequence:
    """Decide that a recipient is there again: it is asked again, and what nobody answered for comes back."""
    if instrument not in campaign.plan.recipients or not makes_a_difference(campaign, instrument):
        return Consequence()
    return Consequence((InstrumentBack(instrument),))


def makes_a_difference(campaign: Campaign, instrument: str) -> bool:
    """Tell whether the return of a recipient changes who is asked for what."""
    if campaign.absence.unanswered and _may_come_back(campaign):
        return True
    return instrument in campaign.absence.away and has_work(campaign)


def has_work(campaign: Campaign) -> bool:
    """Tell whether anybody will be asked, or is, so that it matters who is there."""
    asks = campaign.phase in {Phase.RUNNING, Phase.PAUSED} and not campaign.has_ended_asking
    return bool(campaign.open_decisions) or (asks and campaign.affordable_count > 0)


def requeued(campaign: Campaign) -> tuple[CandidateRequeued, ...]:
    """Return which candidates come back now: as many as there is room for beside those that are open."""
    absence = campaign.absence
    if not absence.returning or campaign.phase is not Phase.RUNNING or not _may_come_back(campaign):
        return ()
    room = max(0, campaign.plan.parallel - campaign.open_count)
    return tuple(CandidateRequeued(each, absence.why) for each in list(absence.returning)[:room])


def _may_come_back(campaign: Campaign) -> bool:
    """Tell whether what was decided once is still wanted: not where an operator or a stop rule ended all asking."""
    return campaign.phase in {Phase.RUNNING, Phase.PAUSED} and not campaign.is_stopped_by_rule
