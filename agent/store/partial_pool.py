"""What a run has touched of its pool: all that is left of it where the scenario cannot be made again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from agent.campaign.event_descriptions import additions_of
from agent.campaign.events import (
    CampaignStarted,
    DecisionMade,
    Event,
    ObservationRetracted,
    RequestIssued,
    StartSetLoaded,
)
from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.errors import StoreError
from protocols.wire.limits import MAX_FAMILIES


@dataclass(frozen=True)
class ReferencedPool(Pool):
    """The candidates that a journal names; it goes by the digest of the whole pool, which the journal names too.

    Every family has a stand-in, for the trajectory counts the empty ones too. There are no features. What joined the
    pool later is not in it, for the journal tells it whole.

    Attributes:
        whole: Digest of the whole pool.
        unplaced: Candidates whose family nobody has written down: requested, and not observed yet.
    """

    is_whole: ClassVar[bool] = False
    whole: str = ""
    unplaced: frozenset[str] = frozenset()

    @cached_property
    def digest(self) -> str:
        """The digest of the whole pool."""
        return self.whole


def partial_pool(
    events: Sequence[Event],
    families: Mapping[str, str],
    every: Iterable[str],
    source_ids: Mapping[str, str],
    stand_ins: int = 1,
) -> ReferencedPool:
    """Make the pool of the candidates that the events name.

    Args:
        events: A journal from its beginning.
        families: Candidate id -> family, of those that were observed.
        every: The families of the whole pool.
        source_ids: Candidate id -> its id as the pool's table writes it, of those that were observed and have one.
        stand_ins: How many candidates stand for all that the events do not name of a family.

    Raises:
        StoreError: When there are more families than a pool may have.
    """
    plan = events[0].plan if events and isinstance(events[0], CampaignStarted) else None

    def of(row_id: str) -> str:
        """Return the candidate that a row measures: what is measured besides joins the pool when the plan is folded."""
        return row_id if plan is None else plan.measurement_of(row_id).candidate_id

    retracted = [each for each in events if isinstance(each, ObservationRetracted)]
    families = {of(each.candidate_id): each.family for each in retracted} | {of(i): f for i, f in families.items()}
    source_ids = {of(each.candidate_id): each.source_id for each in retracted if each.source_id} | {
        of(row_id): source_id for row_id, source_id in source_ids.items()
    }
    names = sorted({*every, *families.values()})
    if len(names) > MAX_FAMILIES:  # said before all of them have stand-ins
        raise StoreError(
            f"The dataset of this database has {len(names)} families",
            expected=f"at most {MAX_FAMILIES}, as every pool has",
            action="restore the run folder from a copy",
        )
    lost = min(names, default="?")
    named = set(map(of, itertools.chain.from_iterable(_candidates_of(event) for event in events)))
    named -= {each.candidate_id for event in events for each in additions_of(event)}  # they join when they are folded
    called = {**source_ids} | {
        of(each.candidate_id): each.source_id for each in events if isinstance(each, RequestIssued)
    }
    candidates = [
        Candidate(which, families.get(which, lost), source_id=called.get(which, "")) for which in sorted(named)
    ]
    standing = itertools.product(names, range(stand_ins))
    candidates += [Candidate(f"\0{number}{family}", family) for family, number in standing]  # no real id begins so
    made = make_pool(candidates, np.zeros((len(candidates), 1)), ("none",))
    whole = "" if plan is None else plan.pool_digest
    unplaced = frozenset(named - families.keys())
    return ReferencedPool(made.candidates, made.features, made.feature_names, whole=whole, unplaced=unplaced)


def _candidates_of(event: Event) -> tuple[str, ...]:
    if isinstance(event, StartSetLoaded):
        return event.candidate_ids
    if isinstance(event, DecisionMade) and event.runner_up is not None:
        return (*event.candidate_ids, event.runner_up)
    which = getattr(event, "candidate_id", None)
    return getattr(event, "candidate_ids", ()) if which is None else (which,)
