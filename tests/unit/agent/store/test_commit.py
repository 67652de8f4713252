"""What one transaction writes."""

from __future__ import annotations

import pytest

from agent.campaign.events import CampaignPaused
from agent.store.commit import Commit, OutboxItem, QuarantinedMessage, RecordingMark


@pytest.mark.parametrize(
    "commit",
    [
        Commit(events=(CampaignPaused("a test"),)),
        Commit(outbox=(OutboxItem("a", "t", b""),)),
        Commit(confirmed=("a",)),
        Commit(quarantined=(QuarantinedMessage("t", b"", "invalid", ""),)),
        Commit(counts=(("late", 1),)),
        Commit(recorded=RecordingMark(0, "")),
    ],
)
def test_a_commit_with_anything_to_write_is_not_empty(commit: Commit) -> None:
    assert not commit.is_empty


def test_a_commit_without_anything_to_write_is_empty() -> None:
    assert Commit().is_empty
