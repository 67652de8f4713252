"""A commit is written when it returns; while a database's server is away, the loop goes on and another thread waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.campaign.events import CampaignPaused
from agent.runtime.commits import Commits
from agent.store import patience as patience_module
from agent.store.commit import Commit
from agent.store.patience import Patience
from agent.store.store import Store
from protocols.errors import DatabaseAway
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.storage.database import sqlite_url
from tests.support.campaigns import SENT_AT, small_pool
from tests.support.stored_campaigns import delivered, labels_of

PAUSE = Commit(events=(CampaignPaused("a test"),))


class OnAServer(Store):
    """A store whose server is away as long as `away` says."""

    away = 0
    waiting = 0
    is_waited_for = threading.Event()

    def append_at_once(self, commit: Commit, *, now: str) -> None:
        if self.away:
            self.away -= 1
            if threading.current_thread() is not threading.main_thread():
                self.waiting += 1
                self.is_waited_for.set()
            raise DatabaseAway("The server is away")
        super().append_at_once(commit, now=now)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAServer]:
    monkeypatch.setattr(patience_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(patience_module, "LONGEST_PAUSE_S", 0.001)
    url = sqlite_url(tmp_path / "campaign.db")
    made = OnAServer.open(url, labels=labels_of(small_pool(8)), now=SENT_AT, patience=Patience(3_600))
    yield made
    made.close()


def commits(store: Store, guard: PoisonMessageGuard, told: list[str]) -> Commits:
    return Commits(store, now=lambda: SENT_AT, poison_guard=guard, on_event=lambda name, **_told: told.append(name))


def test_a_commit_waits_beside_the_loop_and_no_message_is_blamed(store: OnAServer, tmp_path: Path) -> None:
    told: list[str] = []
    guard = PoisonMessageGuard(tmp_path / "note")
    store.away = 20
    message = delivered(topic="somebody/else", payload=b"x")
    asyncio.run(commits(store, guard, told).write(PAUSE, [message]))
    assert store.waiting == 19, "all but the first try are another thread's"
    assert told == ["database_away", "database_back"]
    assert store.sequence == 1
    guard.close()
    with closing(PoisonMessageGuard(tmp_path / "note")) as next_guard:
        assert not next_guard.is_suspect(message)


def test_a_wait_that_is_cancelled_has_ended_when_the_loop_goes_on(store: OnAServer) -> None:
    told: list[str] = []
    store.away = 1_000_000_000

    async def cancelled() -> None:
        task = asyncio.ensure_future(commits(store, PoisonMessageGuard(None), told).write(PAUSE))
        await asyncio.to_thread(store.is_waited_for.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        tries = store.away
        await asyncio.sleep(0.05)
        assert store.away == tries

    asyncio.run(cancelled())
    assert (told, store.sequence) == (["database_away"], 0)
