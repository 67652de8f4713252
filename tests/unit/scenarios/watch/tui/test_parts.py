"""The parts as text: what strangers called things steers no terminal, and widths are kept."""

from __future__ import annotations

import dataclasses
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from scenarios.watch.reading.find import open_run
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.tui import parts
from scenarios.watch.tui.reading import RunLook, Shown
from tests.support.samples.recorded_run import made

NASTY = "\x1b]0;owned\x07[bold]\u202ex"


def text_of(content: Any, width: int = 80) -> str:
    out = StringIO()
    Console(file=out, width=width, no_color=True, legacy_windows=False).print(content)
    return out.getvalue()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    look = RunLook(open_run(made(tmp_path_factory.mktemp("run")).folder))
    found = look.look(None)
    look.close()
    assert found is not None
    return found


def test_names_of_strangers_are_shown_and_not_obeyed(shown: Shown) -> None:
    family = shown.moment.families[0].model_copy(update={"family": NASTY})
    moment = shown.moment.model_copy(
        update={"families": (family,), "reason": NASTY, "is_latest": False, "starved_family": NASTY}
    )
    campaign = shown.campaign.model_copy(update={"name": NASTY, "policy": NASTY})
    row = shown.journal[0].model_copy(update={"words": NASTY, "operator": NASTY})
    other = dataclasses.replace(shown, campaign=campaign, moment=moment)
    for content in (parts.strip_text(other), parts.families_part(campaign, moment, 60), parts.journal_text([row])):
        text = text_of(content)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[bold]" in text


@pytest.mark.parametrize("width", [30, 46, 60, 90])
def test_families_fit_the_width_they_are_given(shown: Shown, width: int) -> None:
    lines = text_of(parts.families_part(shown.campaign, shown.moment, width), width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(shown.moment.families) + 1
    assert ("spread" in lines[0]) == (width >= 46)


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(1, 200))
def test_the_slider_is_one_line_with_one_place(shown: Shown, at: int, more: int, width: int) -> None:
    moment = shown.moment.model_copy(update={"observation": at, "last_observation": at + more})
    line = parts.slider_text(moment, width).plain
    assert line.count("●") == 1
    assert "\n" not in line
    assert len(line) <= max(width, 60)


def test_the_chart_marks_a_moment_of_the_past(shown: Shown) -> None:
    shown = dataclasses.replace(shown, course=((0, 1.0), (1, 0.5), (2, 0.4), (3, 0.3)))
    past = dataclasses.replace(shown, moment=shown.moment.model_copy(update={"observation": 2, "is_latest": False}))
    assert "│" in parts.chart_text(past, 79, 8).plain
    assert "│" not in parts.chart_text(shown, 79, 8).plain
    assert parts.chart_text(dataclasses.replace(shown, course=()), 79, 8).plain == ""


def test_an_order_says_its_row_or_its_reason() -> None:
    answer = ControlAnswer(message_id="m", action="pause", words="pause", status="accepted", row=7)
    assert "carried out, journal row 7" in parts.order_text(answer).plain
    refused = answer.model_copy(update={"status": "refused", "row": None, "detail": NASTY})
    assert "refused: " in parts.order_text(refused).plain
    assert "\x1b" not in parts.order_text(refused).plain
