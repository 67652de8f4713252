"""What the live view is made of stays small when nobody looks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agent.campaign.ledger import TrajectoryPoint
from agent.runtime.transaction import Transaction
from agent.store.commit import OutboxItem
from scenarios.run.live.pace import MOST_POINTS, WINDOW_S
from scenarios.run.watch import RunWatch


def test_a_run_without_a_live_view_forgets_what_it_sent_and_accepted(monkeypatch: Any) -> None:
    now = 0.0
    monkeypatch.setattr("scenarios.run.watch.time", SimpleNamespace(monotonic=lambda: now))
    files: Any = SimpleNamespace(
        store=SimpleNamespace(counts=dict, trajectory=lambda _metrics: iter(())),
        ledger=SimpleNamespace(point=lambda: None),
        plan=SimpleNamespace(metrics=()),
    )
    nothing: Any = SimpleNamespace()
    watch = RunWatch(nothing, files, None)
    in_flight = {"a1": None, "a2": None}
    agent: Any = SimpleNamespace(campaign=SimpleNamespace(in_flight=in_flight))
    broker: Any = SimpleNamespace(redacted_url="")
    watch.attach(agent, broker)
    point: Any = None
    for number in range(1_000):
        now = number * 0.1
        item = OutboxItem(f"b{number}", "topic", b"")
        watch.note(Transaction(outbox=[item], bias=[TrajectoryPoint(number, number, point, ())]))
    assert len(watch._sent) <= 2 * len(in_flight)
    assert len(watch._pace) <= WINDOW_S / 0.1 + 1
    assert len(watch._course.points()) <= MOST_POINTS + 1
