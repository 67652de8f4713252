"""Which announcement of an instrument changes what the campaign believes, and is journalled."""

from __future__ import annotations

from typing import Final

from agent.campaign.events import InstrumentAnnounced
from agent.campaign.lab.abilities import Abilities
from agent.campaign.lab.assignment import wanted_of
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign
from protocols.wire.messages import Capabilities
from protocols.wire.topics import ANY_SIMULATOR

MAX_ANNOUNCED_AHEAD: Final = 64
"""How much oftener something may be announced than candidates have their outcome: whoever changes it for ever does not
fill the journal. Further ones are only counted, and what was believed before holds."""


def events_of_announcement(
    campaign: Campaign, message: Capabilities, *, signed_by: str = ""
) -> tuple[InstrumentAnnounced, ...]:
    """Return what an announcement makes: nothing where it is known, of a stranger, or could change nothing.

    Where one instrument alone is asked, only that matters which it can not do: there is nothing else to choose.
    """
    instrument, abilities, lab = message.simulator, Abilities.of(message), campaign.lab
    recipients = campaign.plan.recipients
    if instrument not in recipients or ANY_SIMULATOR in recipients or campaign.phase is Phase.FINISHED:
        return ()
    if lab.announced.get(instrument) == abilities or lab.announcements >= MAX_ANNOUNCED_AHEAD + campaign.outcomes:
        return ()
    said_before = lab.said_at.get(instrument)
    if signed_by and said_before is not None and message.sent_at <= said_before:
        return ()  # a genuine one of before, sent again by somebody else
    if len(recipients) == 1 and instrument not in lab.announced and _can_serve_all(campaign, abilities):
        return ()
    return (InstrumentAnnounced(instrument, abilities, message.sent_at, signed_by),)


def _can_serve_all(campaign: Campaign, abilities: Abilities) -> bool:
    named = {limit.name for limit in abilities.parameters}
    if campaign.pool.in_blocks:  # all are asked for alike, unless a feature is to be set
        return named.isdisjoint(campaign.pool.feature_names) and not abilities.why_not(
            wanted_of(campaign, campaign.pool.candidate_ids[0], named)
        )
    asked = (wanted_of(campaign, each.candidate_id, named) for each in campaign.pool.candidates)
    return not any(abilities.why_not(each) for each in asked)
