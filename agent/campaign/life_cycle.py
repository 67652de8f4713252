"""The two life cycles as tables: of a candidate, and of the campaign.

Life of a candidate (rows of TRANSITIONS below):

    available ──requested──▶ pending ──result──▶ observed
        │                     │   ▲
        │            failed / │   │ requested again
        │             expired ▼   │
        │                    waiting ──attempts used up──▶ abandoned
        └──excluded──▶ excluded  (also from pending and waiting)

    available ──deferred──▶ waiting

- waiting: an attempt failed or expired, or nobody was asked yet; the rules issue the next attempt or abandon the
  candidate. It still accepts a late result of an earlier attempt: the first valid result of any attempt wins.
- abandoned: nothing more is asked of it, and its unit of the budget is spent. A valid result that comes after all, of
  any of its attempts, is its value: what was measured is not thrown away because it came late, or came wrong first. One
  that was abandoned only because no answer came waits again when an instrument is back (`CandidateRequeued`).
- observed, excluded: closed. Later results are kept for audit only.
- A candidate that joins the pool with a decision is available for that decision's request.
- An observation manually closes a candidate from any open state; it may also revive one that was abandoned.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from agent.campaign.events import (
    AttemptFailed,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    Event,
    ObservationAdded,
    PolicyExhausted,
    RequestDeferred,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    StopRuleFired,
)


class CandidateStatus(IntEnum):
    """Where a candidate is in its life."""

    AVAILABLE = 0
    PENDING = 1
    RETRY_PENDING = 2
    OBSERVED = 3
    ABANDONED = 4
    EXCLUDED = 5


OPEN: Final = frozenset({CandidateStatus.PENDING, CandidateStatus.RETRY_PENDING})
"""Statuses of a candidate that has been chosen and has no outcome yet."""

WITHOUT_VALUE: Final = OPEN | {CandidateStatus.ABANDONED}
"""Statuses of a candidate that was chosen and has no value yet: its first valid result is taken, however late."""

_S = CandidateStatus
TRANSITIONS: Final[dict[type[Event], dict[CandidateStatus, CandidateStatus]]] = {
    StartSetLoaded: {_S.AVAILABLE: _S.OBSERVED},
    RequestIssued: {_S.AVAILABLE: _S.PENDING, _S.RETRY_PENDING: _S.PENDING},
    RequestDeferred: {_S.AVAILABLE: _S.RETRY_PENDING},
    ResultAccepted: {_S.PENDING: _S.OBSERVED, _S.RETRY_PENDING: _S.OBSERVED, _S.ABANDONED: _S.OBSERVED},
    AttemptFailed: {_S.PENDING: _S.RETRY_PENDING},
    RequestExpired: {_S.PENDING: _S.RETRY_PENDING},
    CandidateAbandoned: {_S.RETRY_PENDING: _S.ABANDONED},
    CandidateRequeued: {_S.ABANDONED: _S.RETRY_PENDING},
    CandidateExcluded: {_S.AVAILABLE: _S.EXCLUDED, _S.PENDING: _S.EXCLUDED, _S.RETRY_PENDING: _S.EXCLUDED},
    ObservationAdded: {
        _S.AVAILABLE: _S.OBSERVED,
        _S.PENDING: _S.OBSERVED,
        _S.RETRY_PENDING: _S.OBSERVED,
        _S.ABANDONED: _S.OBSERVED,
    },
}
"""Event type -> status before -> status after. What is not here cannot happen."""


class Phase(StrEnum):
    """Where the campaign is in its life."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"


PHASES: Final[dict[type[Event], dict[Phase, Phase]]] = {
    CampaignStarted: {Phase.NEW: Phase.RUNNING},
    CampaignPaused: {Phase.RUNNING: Phase.PAUSED},
    CampaignResumed: {Phase.PAUSED: Phase.RUNNING},
    CampaignStopping: {Phase.RUNNING: Phase.STOPPING, Phase.PAUSED: Phase.STOPPING},
    PolicyExhausted: {Phase.RUNNING: Phase.RUNNING},
    StopRuleFired: {Phase.RUNNING: Phase.RUNNING},
    CampaignFinished: {Phase.RUNNING: Phase.FINISHED, Phase.STOPPING: Phase.FINISHED},
}
"""Event type -> phase before -> phase after. After a policy that has nothing more to ask for, or a stop rule, the
campaign goes on running, as with a spent budget: with its retries and pauses, until what is in flight has its
outcome."""
