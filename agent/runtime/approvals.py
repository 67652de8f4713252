"""How long decisions have waited for approval: monotonic seconds, kept in memory, started again with every start.

A clock that runs out approves nothing: the campaign then decides nothing else until a person has spoken. So nobody's
absence, and no restart, lets a decision through.
"""

from __future__ import annotations

from agent.campaign.state import Campaign
from agent.runtime.transaction import ApprovalMissing


class Approvals:
    """Watches the decisions of one campaign that wait.

    Args:
        campaign: The state; only read.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._timeout_s = campaign.plan.approval.timeout_s
        self._since: dict[int, float] = {}

    def wait_s(self, now: float) -> float | None:
        """Return the time until the next decision has waited for too long [s]; None where none will.

        Args:
            now: Monotonic time [s].
        """
        due = self._due_s(now)
        return max(0.0, min(due.values()) - now) if due else None

    def overdue(self, now: float) -> list[ApprovalMissing]:
        """Return the decisions that have waited for too long, oldest first.

        Args:
            now: Monotonic time [s].
        """
        return [
            ApprovalMissing(decision, self._timeout_s or 0.0)
            for decision, due_s in self._due_s(now).items()
            if now >= due_s
        ]

    def _due_s(self, now: float) -> dict[int, float]:
        """Return when each decision that waits has waited for too long, unless the journal knows it already."""
        if self._timeout_s is None:
            return {}
        waiting = [each for each, is_overdue in self._campaign.awaiting_approval.items() if not is_overdue]
        self._since = {each: self._since.get(each, now) for each in waiting}
        return {each: since + self._timeout_s for each, since in self._since.items()}
