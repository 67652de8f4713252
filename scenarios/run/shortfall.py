"""Why a campaign is over with no result, or with most of its candidates abandoned: what the journal says of it.

A pure function of the journal and the settings. Whoever reads it did not watch the campaign, so every sentence names
what there was, and what can be changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from agent.campaign.events import AttemptFailed, Event, RequestExpired
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.state import RESULT_REFUSED, Campaign

MOST: Final = 0.5
"""Share of the candidates asked for above which most of them are abandoned."""


def shortfall(campaign: Campaign, events: Iterable[Event], request_timeout_s: float) -> tuple[str, ...]:
    """Return how a campaign that is over fell short, and why; nothing of one that did not, or goes on.

    Args:
        campaign: The state.
        events: Its journal.
        request_timeout_s: Time that its attempts had to answer [s].
    """
    headline = _headline(campaign)
    if not headline:
        return ()
    causes = _Causes(campaign)
    for event in events:
        causes.note(event)
    told = tuple(causes.in_words(request_timeout_s))
    return (headline, *(told or (f"it ended because {campaign.finish_reason or campaign.pause_reason}",)))


def _headline(campaign: Campaign) -> str:
    if campaign.phase is not Phase.FINISHED and not campaign.paused_itself:
        return ""
    asked, results = campaign.chosen_count, len(campaign.acquired)
    abandoned = int((campaign.statuses == CandidateStatus.ABANDONED).sum())
    if not results and not (campaign.is_stopped_by_rule and not asked):
        return f"no result: {_candidates(asked)} asked for, {abandoned} abandoned"
    if abandoned > MOST * asked:
        return f"most candidates abandoned: {abandoned} of {asked}"
    return ""


@dataclass(slots=True)
class _Causes:
    """What ended the attempts that gave no result."""

    campaign: Campaign
    expired: Counter[str] = field(default_factory=Counter)
    """Attempts without an answer at an instrument that was there, by recipient."""
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    """Reason of failures -> the first of them in the lab's words."""

    def note(self, event: Event) -> None:
        match event:
            case RequestExpired(attempt_id, _, costs_attempt) if costs_attempt:
                self.expired[self.campaign.attempts[attempt_id].recipient] += 1
            case AttemptFailed():
                self.reasons[event.reason] += 1
                self.first.setdefault(event.reason, event.detail)
            case _:
                pass

    def in_words(self, request_timeout_s: float) -> Iterator[str]:
        if self.expired:
            yield (
                f"{_attempts(self.expired.total())} had no answer within request_timeout_s = {request_timeout_s:g} s, "
                f"though the instrument was there ({', '.join(sorted(self.expired))}): set "
                "campaign.request_timeout_s to more than a measurement takes, or look what holds it up"
            )
        for reason, count in self.reasons.most_common():
            detail = f"; the first: {self.first[reason]}" if self.first[reason] else ""
            if reason == RESULT_REFUSED:
                yield (
                    f"{count} result{'s' * (count != 1)} broke the campaign's contract{detail}: correct the "
                    "instrument, or campaign.valid_range and campaign.unit"
                )
            else:
                yield f"{_attempts(count)} failed ({reason}){detail}"


def _attempts(count: int) -> str:
    return f"{count} attempt{'s' * (count != 1)}"


def _candidates(count: int) -> str:
    return f"{count} candidate{'s' * (count != 1)}"
