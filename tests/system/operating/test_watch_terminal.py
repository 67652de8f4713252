"""A person at `watch --tui` operates a campaign that is at work: each key's order is carried out, and shown so then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.control.place import place_of_run
from scenarios.watch.tui.orders import to_place
from tests.support.commands import Workbench
from tests.support.shown.terminals import Terminal, play_terminal
from tests.system.operating.bench import assert_sound, at_work, connected

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def payloads(bench: Workbench, kind: str) -> list[dict[str, object]]:
    return [json.loads(row[0]) for row in bench.rows(f"SELECT payload FROM journal WHERE kind = '{kind}'")]


def test_approve_veto_pause_resume_and_stop_by_keys(bench: Workbench) -> None:
    running = at_work(bench)
    connected(bench)
    folder = bench.runs / "lab"

    async def play(terminal: Terminal) -> None:
        async def order(key: str, reason: str, words: str) -> None:
            await terminal.press(key, *reason, "enter")
            done = f"{words}  carried out, journal row"
            await terminal.until(lambda: done in terminal.part("orders"), f"{words} is not carried out")

        def waits_for() -> tuple[int, ...]:
            shown = terminal.shown()
            return () if shown is None else shown.moment.awaiting_approval

        await terminal.until(lambda: len(waits_for()) > 1, "no decision waits")
        first = waits_for()[0]
        await order("a", "good", f"approve {first}")
        await terminal.until(lambda: first not in waits_for(), "it still waits")
        second = waits_for()[0]
        await order("v", "odd", f"veto {second}")
        await order("p", "cold", "pause")
        await terminal.until(lambda: "paused" in terminal.part("strip"), "it is not paused")
        await order("r", "warm", "resume")
        await order("s", "done", "stop")
        assert [each["reason"] for each in payloads(bench, "DecisionApproved")] == ["good"]
        assert [each["reason"] for each in payloads(bench, "DecisionVetoed")] == ["odd"]
        assert [each["reason"] for each in payloads(bench, "CampaignPaused")] == ["cold"]
        assert all(each["operator"] == "ann" for each in payloads(bench, "CampaignPaused"))

    give = to_place(lambda: place_of_run(str(folder), bench.runs, "ann", None))
    play_terminal(folder, play, give=give, size=(100, 30))
    assert running.finish().code == 0
    assert_sound(bench)
