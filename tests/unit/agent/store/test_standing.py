"""Where a database stands: every transaction that may not be written twice changes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.campaign.events import CampaignPaused
from agent.store.commit import Commit, RecordingMark
from agent.store.standing import GENESIS_DIGEST, Standing, chain_digest
from agent.store.store import Store
from tests.support.campaigns import SENT_AT
from tests.support.stored_campaigns import opened
from tests.unit.agent.store.test_store import POOL


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(opened(tmp_path / "campaign.db", POOL)) as made:
        yield made


def standing(store: Store) -> Standing:
    with store._connection.begin():
        return Standing.of(store._connection)


def test_a_new_database_stands_at_the_beginning(store: Store) -> None:
    assert standing(store) == Standing() == Standing(0, GENESIS_DIGEST, 0, 0)


def test_events_counts_and_marks_alone_each_move_it_on_and_the_store_knows(store: Store) -> None:
    seen = [standing(store)]
    for commit in (
        Commit(events=(CampaignPaused("a test"),)),
        Commit(counts=(("late", 2),)),
        Commit(recorded=RecordingMark(7, "7" * 64)),
    ):
        store.append(commit, now=SENT_AT)
        assert standing(store) == store._standing not in seen
        seen.append(store._standing)
    assert seen[-1] == Standing(1, store.digest, 2, 7)


def test_a_digest_covers_the_one_before_and_all_of_its_row() -> None:
    row = ("0" * 64, 1, "CampaignPaused", "{}")
    others = [("1" * 64, *row[1:]), (row[0], 2, *row[2:]), (*row[:2], "CampaignResumed", row[3]), (*row[:3], "{ }")]
    assert len({chain_digest(*each) for each in (row, *others)}) == 5
