"""Folding a journal that somebody asks about: what cannot follow is a damaged run, not a fault of ours."""

from __future__ import annotations

from collections.abc import Iterable

from agent.campaign.events import Event
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from protocols.errors import InvariantViolation, StoreError


def folded(pool: Pool, events: Iterable[Event]) -> Campaign:
    """Fold events into a new campaign.

    Raises:
        StoreError: When one cannot follow the ones before.
    """
    campaign = Campaign(pool)
    for event in events:
        apply(campaign, event)
    return campaign


def apply(campaign: Campaign, event: Event) -> None:
    """Fold one event.

    Raises:
        StoreError: When it cannot follow the ones before.
    """
    try:
        campaign.apply(event)
    except (InvariantViolation, LookupError) as error:
        raise StoreError(
            f"Row {campaign.sequence + 1} of the journal cannot follow the ones before: {error}",
            expected="a journal by the rules of a campaign",
            action="`entropilot verify` tells what else is wrong; restore the run folder from a copy",
        ) from None
