"""What was asked, as answers of a lab with messages of its own are held against it: a view of the campaign.

The journal is the only memory: after a restart the same attempts are known, and which of them were sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt, Campaign
from agent.pool.candidates import Pool
from agent.runtime.messages import MessageBuilder
from agent.settings import CampaignSettings
from agent.store.commit import OutboxItem
from protocols.mapping.facts import AskedAttempt, CampaignFacts
from protocols.wire.codec import decode_payload

LATEST: Final = 64
"""Attempts of one instrument that are looked at, beside those in flight: what a broker brings again is among the last
that it could not have acknowledged."""


class AskedAttempts:
    """The attempts of a campaign; implements `protocols.mapping.facts.Attempts`.

    Args:
        campaign: As far as it has come.
        messages: Writes its requests.
    """

    def __init__(self, campaign: Campaign, messages: MessageBuilder) -> None:
        self._campaign = campaign
        self._messages = messages
        self._known = 0
        self._of_candidate: defaultdict[str, list[str]] = defaultdict(list)
        self._of_instrument: defaultdict[str, list[str]] = defaultdict(list)

    def find(self, attempt_id: str) -> AskedAttempt | None:
        """Return an attempt by its id."""
        attempt = self._campaign.attempts.get(attempt_id)
        return None if attempt is None else _asked(attempt)

    def of_candidate(self, candidate_id: str) -> Sequence[AskedAttempt]:
        """Return the attempts at a candidate, oldest first."""
        self._follow()
        return [_asked(self._campaign.attempts[each]) for each in self._of_candidate.get(candidate_id, ())]

    def of_instrument(self, instrument: str) -> Sequence[AskedAttempt]:
        """Return the latest attempts of an instrument, oldest first, with all that are in flight."""
        self._follow()
        known = self._of_instrument.get(instrument, [])
        awaited = [each for each in self._campaign.in_flight if self._campaign.attempts[each].recipient == instrument]
        latest = known[-LATEST:]
        return [_asked(self._campaign.attempts[each]) for each in dict.fromkeys((*awaited, *latest))]

    def candidate_named(self, source_id: str) -> str | None:
        """Return the candidate that the campaign's table calls so."""
        return self._campaign.pool.of_source_id.get(source_id)

    def request_of(self, attempt_id: str) -> Mapping[str, Any]:
        """Return the document of an attempt's request."""
        attempt = self._campaign.attempts[attempt_id]
        item = self._messages.request(attempt, self._campaign.pool.candidate(attempt.candidate_id))
        return decode_payload(item.payload).model_dump(mode="json", exclude_none=True)

    def features_of(self, candidate_id: str) -> Mapping[str, float]:
        """Return a candidate's features by name, as the pool has them."""
        pool = self._campaign.pool
        row = pool.features[pool.index_of[candidate_id]]
        return dict(zip(pool.feature_names, map(float, row), strict=True))

    def sent(self, unconfirmed: Sequence[OutboxItem]) -> frozenset[str]:
        """Return the attempts that an earlier process sent: the broker confirmed them.

        Args:
            unconfirmed: Requests that it did not confirm.
        """
        return frozenset(self._campaign.attempts) - {each.attempt_id for each in unconfirmed}

    def _follow(self) -> None:
        """Take in the attempts that came since; a journal only grows."""
        for attempt_id in islice(self._campaign.attempts, self._known, None):
            attempt = self._campaign.attempts[attempt_id]
            self._of_candidate[attempt.candidate_id].append(attempt_id)
            self._of_instrument[attempt.recipient].append(attempt_id)
        self._known = len(self._campaign.attempts)


def facts_of(plan: CampaignPlan, settings: CampaignSettings, pool: Pool) -> CampaignFacts:
    """Return what a mapping must know of a campaign.

    Args:
        plan: Of its journal.
        settings: How patient the agent is.
        pool: The candidates.
    """
    units = {plan.property_name: plan.unit} | {each.name: each.unit for each in plan.additional_properties}
    return CampaignFacts(
        campaign=plan.campaign,
        units=units,
        parameters=pool.parameter_units,
        features=pool.feature_names,
        parallel=plan.parallel,
        request_timeout_s=settings.request_timeout_s,
    )


def _asked(attempt: Attempt) -> AskedAttempt:
    return AskedAttempt(
        attempt.attempt_id,
        attempt.candidate_id,
        attempt.recipient,
        attempt.in_flight,
        tuple(each for each in (*(known.message_id for known in attempt.results), attempt.failed_by) if each),
    )
