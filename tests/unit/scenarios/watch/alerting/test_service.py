"""Tests of the loop that looks and tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from scenarios.observe.alerts.delivery import NotTold
from scenarios.observe.alerts.occurrences import Alert
from scenarios.observe.alerts.settings import AlertSettings, Destination
from scenarios.observe.figures import RunFigures
from scenarios.watch.alerting.service import AlertService, read_memory

RUNNING = RunFigures("mine", "running", "mine")
PAUSED = replace(RUNNING, phase="paused", is_paused_by_itself=True)
SETTINGS = AlertSettings(every_s=0.1, to=(Destination(name="mail", command=("mail",)),))
PATIENCE_S = 60.0


class Bench:
    """A service whose runs and destination the test plays."""

    def __init__(self, memory: Path | None = None) -> None:
        self.memory = memory
        self.runs: list[RunFigures] = [RUNNING]
        self.told: list[str] = []
        self.tries = 0
        self.fails: Exception | None = None
        self.events: list[dict[str, Any]] = []
        self.is_told = threading.Event()

    def service(self, look: Callable[[], Iterable[RunFigures]] | None = None, **options: Any) -> AlertService:
        return AlertService(
            SETTINGS, look or (lambda: self.runs), memory=self.memory, tell_one=self.tell,
            on_event=lambda name, **told: self.events.append({"event": name, **told}), **options,
        )  # fmt: skip

    def tell(self, alert: Alert, _to: Destination) -> None:
        self.tries += 1
        if self.fails is not None:
            raise self.fails
        self.told.append(alert.kind)
        self.is_told.set()

    def named(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == name]


def test_a_look_tells_what_is_new_and_the_next_one_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "memory.json")
    for runs in ([RUNNING], [PAUSED], [PAUSED]):
        bench.runs = runs
        bench.service().run_once()
    assert bench.told == ["paused_itself"]
    assert [each["to"] for each in bench.named("told")] == ["mail"]


@pytest.mark.parametrize("fault", [NotTold("it is away"), RuntimeError("a fault of ours")])
def test_what_was_not_told_is_told_by_the_next_process(tmp_path: Path, fault: Exception) -> None:
    bench = Bench(tmp_path / "memory.json")
    bench.runs, bench.fails = [PAUSED], fault
    bench.service().run_once()
    (failure,) = bench.named("not_told")
    assert str(fault) in failure["reason"]
    assert failure["again"]
    bench.fails = None
    bench.service().run_once()
    assert (bench.told, bench.tries) == (["paused_itself"], 2)


def test_a_dry_run_shows_and_tells_nobody_and_keeps_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "memory.json")
    bench.runs = [PAUSED]
    bench.service(is_dry=True).run_once()
    assert len(bench.named("alert")) == 1
    assert bench.tries == 0
    assert not (tmp_path / "memory.json").exists()


def test_the_loop_goes_on_over_failures_until_it_is_asked_to_end() -> None:
    bench = Bench()
    looks = iter([StoreError("the folder is away"), StoreError("still")])

    def look() -> Iterable[RunFigures]:
        if (error := next(looks, None)) is not None:
            raise error
        return [PAUSED]

    service = bench.service(look)
    thread = threading.Thread(target=service.run)
    thread.start()
    assert bench.is_told.wait(PATIENCE_S)
    service.request_shutdown()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(bench.named("cannot_look")) == 2
    assert bench.told == ["paused_itself"]


def test_one_that_is_silent_keeps_neither_the_next_look_nor_the_end() -> None:
    bench, release, looked = Bench(), threading.Event(), threading.Event()
    bench.tell = lambda _alert, _to: release.wait(PATIENCE_S)  # type: ignore[method-assign,assignment]
    count = iter(range(1_000))

    def look() -> Iterable[RunFigures]:
        if next(count) == 3:
            looked.set()
        return [PAUSED]

    service = bench.service(look)
    thread = threading.Thread(target=service.run)
    thread.start()
    assert looked.wait(PATIENCE_S)
    service.request_shutdown()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    release.set()


def test_a_memory_that_is_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "memory.json"
    other.write_text("[]")
    with pytest.raises(StoreError, match="no memory of alerts"):
        read_memory(other)


def test_a_memory_that_cannot_be_written_is_told_and_alerts_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "nowhere" / "memory.json")
    bench.runs = [PAUSED]
    bench.service().run_once()
    assert bench.told == ["paused_itself"]
    assert bench.named("cannot_remember")
