"""Whatever strangers send, the counters of messages have few names, and the quarantine few rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.campaign.state import Attempt
from protocols.link.transport import Delivery
from protocols.wire.codec import encode, topic_of
from protocols.wire.limits import MAX_QUARANTINE_ROWS, QUARANTINE_PREFIX_BYTES
from protocols.wire.messages import MESSAGE_TYPES
from protocols.wire.topics import PREFIX
from tests.support.campaigns import result_of, small_plan, small_pool
from tests.support.stored_campaigns import Shelf, opened

POOL = small_pool(24)
PLAN = small_plan(POOL, budget=8, parallel=2)

MOST_NAMES = 40
"""Kinds of messages times what may come of them; a dozen are ever seen."""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = opened(tmp_path / "campaign.db", POOL)
    yield Shelf(store, POOL, PLAN)
    store.close()


def strange(attempt: Attempt, rng: random.Random, number: int) -> Delivery:
    """A message of a stranger's: garbage, or a genuine one in which something was changed."""
    known = encode(result_of(attempt))
    payload = [
        rng.randbytes(rng.randrange(200)),
        known.replace(b'"candidate_result"', f'"kind-{number}"'.encode()),
        known.replace(b'"protocol":1', f'"protocol":{number}'.encode()),
        known.replace(b"{", f'{{"field-{number}":1,'.encode(), 1),
        known + b" " * 3_000,
    ][number % 5]
    topics = (
        topic_of(result_of(attempt)),
        f"{PREFIX}/{PLAN.campaign}/status/stranger-{number}",
        f"{PREFIX}/campaign-{number}/result/x",
        f"{PREFIX}/{PLAN.campaign}/channel-{number}/x",
        "x" * (number % 3_000 + 1),
    )
    return Delivery(topics[number % 7 % 5], payload, retain=False, qos=1, ack_token=None)


def test_counters_and_quarantine_stay_small_however_many_bad_messages_of_whatever_kind_come(shelf: Shelf) -> None:
    rng, counts, verdicts = random.Random(1), Counter[str](), set[str]()
    attempt = shelf.awaited[0]
    for batch in range(60):
        messages = [strange(attempt, rng, 64 * batch + place) for place in range(64)]
        transaction = shelf.transaction(*messages)
        counts.update(transaction.counts)
        verdicts |= set(transaction.verdicts)
    assert sum(counts.values()) > 3_000
    assert len(counts) < MOST_NAMES, counts
    assert len(verdicts) < MOST_NAMES + len(MESSAGE_TYPES)
    assert set(shelf.store.counts()) == set(counts)
    rows = shelf.store._connection.exec_driver_sql("SELECT prefix, topic FROM quarantine").all()
    shelf.store._connection.commit()
    assert len(rows) == MAX_QUARANTINE_ROWS
    assert max(len(row.prefix) for row in rows) == QUARANTINE_PREFIX_BYTES
    assert max(len(row.topic) for row in rows) <= QUARANTINE_PREFIX_BYTES
