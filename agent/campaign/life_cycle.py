"""The two life cycles as tables: of a candidate, and of the campaign.

Life of a candidate (rows of TRANSITIONS below):

    available ──requested──▶ pending ──result──▶ observed
        │                     │   ▲
        │            failed / │   │ requested again
        │             expired ▼   │
        │                    waiting ──attempts used up──▶ abandoned
        └──excluded──▶ excluded  (also from pending, held and waiting)

    available ──chosen, held──▶ held ──approved──▶ waiting; vetoed: excluded; withdrawn: available again
    observed ──retracted──▶ retracted; requeued by an operator, from there, abandoned or excluded: waiting or available

    available ──deferred──▶ waiting

- waiting: an attempt failed or expired, or nobody was asked yet; the rules issue the next attempt or abandon the
  candidate. It still accepts a late result of an earlier attempt: the first valid result of any attempt wins.
- abandoned: nothing more is asked of it, and its unit of the budget is spent. A valid result that comes after all, of
  any of its attempts, is its value: what was measured is not thrown away because it came late, or came wrong first. One
  that was abandoned only because no answer came waits again when an instrument is back (`CandidateRequeued`).
- observed, excluded, retracted: closed. Later results are kept for audit only.
- held: chosen by a decision that waits for approval; nobody is asked yet, and it costs nothing until then.
- retracted: it had a value, which an operator took out of the dataset.
- What an operator requeues is requested again if a decision chose it, and else may be chosen again
  (`REQUEUED_UNCHOSEN`).
- A candidate that joins the pool with a decision is available for that decision's request.
- An observation manually closes a candidate from any open state; it may also revive one that was abandoned.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

from agent.campaign.events import (
    AttemptFailed,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    Event,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
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
    RETRACTED = 6
    HELD = 7


OPEN: Final = frozenset({CandidateStatus.PENDING, CandidateStatus.RETRY_PENDING, CandidateStatus.HELD})
"""Statuses of a candidate that has been chosen and has no outcome yet."""

WITHOUT_VALUE: Final = OPEN | {CandidateStatus.ABANDONED}
"""Statuses of a candidate that was chosen and has no value yet: its first valid result is taken, however late."""

_S = CandidateStatus
TRANSITIONS: Final[dict[type[Event], dict[CandidateStatus, CandidateStatus]]] = {
    StartSetLoaded: {_S.AVAILABLE: _S.OBSERVED},
    DecisionMade: {_S.AVAILABLE: _S.HELD},
    DecisionApproved: {_S.HELD: _S.RETRY_PENDING},
    DecisionVetoed: {_S.HELD: _S.EXCLUDED},
    DecisionWithdrawn: {_S.HELD: _S.AVAILABLE},
    RequestIssued: {_S.AVAILABLE: _S.PENDING, _S.RETRY_PENDING: _S.PENDING},
    RequestDeferred: {_S.AVAILABLE: _S.RETRY_PENDING},
    ResultAccepted: {_S.PENDING: _S.OBSERVED, _S.RETRY_PENDING: _S.OBSERVED, _S.ABANDONED: _S.OBSERVED},
    AttemptFailed: {_S.PENDING: _S.RETRY_PENDING},
    RequestExpired: {_S.PENDING: _S.RETRY_PENDING},
    CandidateAbandoned: {_S.RETRY_PENDING: _S.ABANDONED},
    CandidateRequeued: {
        _S.ABANDONED: _S.RETRY_PENDING,
        _S.RETRACTED: _S.RETRY_PENDING,
        _S.EXCLUDED: _S.RETRY_PENDING,
    },
    CandidateExcluded: {
        _S.AVAILABLE: _S.EXCLUDED,
        _S.PENDING: _S.EXCLUDED,
        _S.RETRY_PENDING: _S.EXCLUDED,
        _S.HELD: _S.EXCLUDED,
    },
    ObservationRetracted: {_S.OBSERVED: _S.RETRACTED},
    ObservationAmended: {_S.OBSERVED: _S.OBSERVED},
    ObservationAdded: {
        _S.HELD: _S.OBSERVED,
        _S.RETRACTED: _S.OBSERVED,
        _S.AVAILABLE: _S.OBSERVED,
        _S.PENDING: _S.OBSERVED,
        _S.RETRY_PENDING: _S.OBSERVED,
        _S.ABANDONED: _S.OBSERVED,
    },
}
"""Event type -> status before -> status after. What is not here cannot happen. A decision moves its candidates only
where it is held: else their requests do."""

REQUEUED_UNCHOSEN: Final = {_S.RETRACTED: _S.AVAILABLE, _S.EXCLUDED: _S.AVAILABLE}
"""The same for the requeuing of a candidate that no decision chose: there is nothing to ask again."""


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
    BudgetSet: {Phase.RUNNING: Phase.RUNNING, Phase.PAUSED: Phase.PAUSED, Phase.FINISHED: Phase.RUNNING},
}
"""Event type -> phase before -> phase after. After a policy that has nothing more to ask for, or a stop rule, the
campaign goes on running, as with a spent budget: with its retries and pauses, until what is in flight has its
outcome."""
