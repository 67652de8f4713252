"""The screen of a run: all of it at 80 by 24, any moment of the past, and orders that a person confirms."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from scenarios.watch.reading.find import open_run
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.tui.orders import Order
from tests.support.samples.recorded_run import made
from tests.support.shown.terminals import LARGE, PLAIN, Terminal, play_terminal


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("recorded")).folder


def is_on(terminal: Terminal, text: str) -> bool:
    return text in "\n".join(terminal.lines())


@pytest.mark.parametrize("size", [PLAIN, LARGE, (60, 20)], ids=["80x24", "120x40", "60x20"])
def test_all_parts_are_on_the_screen_and_nothing_beyond_it(recorded: Path, size: tuple[int, int]) -> None:
    async def play(terminal: Terminal) -> None:
        await terminal.until(partial(is_on, terminal, "quit"), "no keys at the bottom")
        lines = terminal.lines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        whole = "\n".join(lines)
        for part in ("demo", "finished", "family", "decision", "#", "◀", "quit"):
            assert part in whole

    play_terminal(recorded, play, size=size)


def test_family_names_are_whole_at_80_columns(recorded: Path) -> None:
    async def play(terminal: Terminal) -> None:
        shown = terminal.shown()
        assert shown is not None
        for family in shown.campaign.families:
            named = partial(is_on, terminal, family)
            await terminal.until(named, f"{family} is cut")

    play_terminal(recorded, play)


def test_arrows_go_through_the_past_as_the_source_has_it_and_end_goes_back_to_live(recorded: Path) -> None:
    source = open_run(recorded)
    last = source.moment().last_observation or 0
    assert last > 3

    async def play(terminal: Terminal) -> None:
        def is_at(observation: int | None) -> bool:
            shown = terminal.shown()
            return shown is not None and shown.moment.observation == observation

        await terminal.press("left")
        await terminal.until(lambda: is_at(last - 1), "one back")
        await terminal.press("left", "left")
        await terminal.until(lambda: is_at(last - 3), "three back")
        shown = terminal.shown()
        assert shown is not None
        assert shown.moment == source.moment(last - 3)
        assert all(row.sequence <= shown.moment.sequence for row in shown.journal)
        assert "the past" in terminal.part("strip")
        assert f"{last - 3} of {last}" in terminal.part("slider")
        await terminal.press("right")
        await terminal.until(lambda: is_at(last - 2), "one on")
        await terminal.press("home")
        await terminal.until(lambda: is_at(0), "the start set")
        await terminal.press("greater_than_sign")
        await terminal.until(lambda: is_at(min(10, last)), "ten on")
        await terminal.press("end")
        await terminal.until(lambda: is_at(last), "live")
        shown = terminal.shown()
        assert shown is not None
        assert shown.moment.is_latest
        assert "the past" not in terminal.part("strip")

    play_terminal(recorded, play)
    source.close()


def test_an_order_is_sent_only_after_enter_and_shown_as_sent_then_as_carried_out(recorded: Path) -> None:
    given: list[Order] = []
    seen: list[str] = []

    async def play(terminal: Terminal) -> None:
        def give(order: Order) -> ControlAnswer:
            given.append(order)
            seen.append(terminal.part("orders"))
            return order.answered("accepted", row=1234, operator="ann")

        terminal.screen()._give = give
        await terminal.press("p", "x", "escape")
        await terminal.press("p", *"cold")
        assert "Nothing more is asked for" in terminal.text()
        assert given == []
        await terminal.press("enter")
        await terminal.until(lambda: "journal row 1234" in terminal.part("orders"), "it is not carried out")
        assert [(each.verb, each.about, each.reason) for each in given] == [("pause", "", "cold")]
        assert "sent, no answer yet" in seen[0]
        assert "carried out, journal row 1234" in terminal.part("orders")

    play_terminal(recorded, play, give=lambda order: order.answered("not_sent"))


@pytest.mark.parametrize(("status", "words"), [("refused", "refused"), ("no_answer", "no answer")])
def test_a_refusal_stays_with_its_reason(recorded: Path, status: str, words: str) -> None:
    async def play(terminal: Terminal) -> None:
        await terminal.press("s", "enter")
        await terminal.until(lambda: words in terminal.part("orders"), "no answer is shown")
        await terminal.press("left")
        assert "because [so]" in terminal.part("orders")

    play_terminal(recorded, play, give=lambda order: order.answered(status, "because [so]"))


def test_where_nobody_may_give_orders_it_says_why(recorded: Path) -> None:
    async def play(terminal: Terminal) -> None:
        await terminal.press("r")
        await terminal.until(lambda: "it was opened with --read-only" in terminal.part("orders"), "it is not said")
        await terminal.press("a")
        await terminal.until(lambda: "no decision waits for approval" in terminal.part("orders"), "it is not said")

    play_terminal(recorded, play, why_not="it was opened with --read-only")


def test_the_keys_are_told_and_q_leaves(recorded: Path) -> None:
    async def play(terminal: Terminal) -> None:
        await terminal.press("question_mark")
        await terminal.until(lambda: "approve, veto" in terminal.text(), "no keys")
        await terminal.press("escape", "q")
        await terminal.until(lambda: not terminal.app.is_running, "it does not end")

    play_terminal(recorded, play)


def test_looking_leaves_the_folder_as_it_was(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(recorded, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def play(terminal: Terminal) -> None:
        await terminal.press("left", "home", "end")

    play_terminal(folder, play)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
