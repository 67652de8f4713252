"""The live view: fits a terminal, is quiet in a log, and never stops a run."""

import dataclasses
import math
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.gap_progress import Finding
from agent.entropy.best import best_of
from agent.entropy.bias import BiasPoint
from scenarios.run.live.families import BAR_CELLS, bar
from scenarios.run.live.state import LiveState
from scenarios.run.live.terminal import render
from scenarios.run.live.view import LiveView
from scenarios.run.live.words import progress_line

BEFORE = BiasPoint(("cubic", "trigonal"), (9, 4), (1.0, 0.2), 0.8, 0.4, 0.4, "trigonal", 0.75, 0.5)
NOW = BiasPoint(("cubic", "trigonal"), (9, 8), (1.0, 0.9), 0.1, 0.05, 0.05, "trigonal", 0.95, 1.0, 1.25)
BEST = dataclasses.replace(NOW, mean_gap=0.02)
STATE = LiveState(
    campaign="demo", policy="etal", phase="running", observation=40, budget=100, spent=40,
    elapsed_s=20.0, per_second=2.0,
    bias=NOW, before=BEFORE, best=best_of([(0, BEFORE), (20, BEST), (40, NOW)]),
    last_decision="fe2o3-1: trigonal is the poorest",
    in_flight=(("al2o3-1", "cubic", 1, 0.5), ("al2o3-2", "cubic", 2, 9.0)),
    retries=1, quarantined=3, broker="mqtt://localhost",
)  # fmt: skip


def many(families: int) -> BiasPoint:
    names = tuple(f"group {index}" for index in range(families))
    return BiasPoint(names, (5,) * families, tuple(index / 100 for index in range(families)), 3.0, 1.0, 1.5, names[0])


def shown(state: LiveState, width: int = 80, height: int = 24) -> list[str]:
    out = StringIO()
    console = Console(file=out, width=width, height=height, no_color=True, legacy_windows=False)
    console.print(render(state, height, width))
    return out.getvalue().splitlines()


def test_a_state_shows_progress_families_change_decision_and_requests() -> None:
    text = "\n".join(shown(STATE))
    for part in ("40/100", "40%", "about 30 s left", "trigonal    ◂", "+0.700", "range 0.100 (was 0.800)",
                 "mean gap 0.050  joint entropy 1.250 nat", "evenness 0.950 (was 0.750)  coverage 1.000",
                 "best mean gap 0.020 nat at observation 20, 0.050 now",
                 "fe2o3-1: trigonal is the poorest", "al2o3-2  cubic  9.0 s  attempt 2", "3 quarantined",
                 "● connected", "entropy [nat]"):  # fmt: skip
        assert part in text


def test_contradictions_are_counted_where_there_are_any() -> None:
    wide = "\n".join(shown(dataclasses.replace(STATE, contradictions=2), width=120))
    assert "2 contradicted" in wide
    assert "contradicted" not in "\n".join(shown(STATE, width=120))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (BecameEven(20, 0.04, 0.05), "best mean gap 0.020 nat at observation 20, 0.050 now; even since 20"),
        (
            GapStalled(40, 0.05, 20, 0.02, 20, 0.01),
            "best mean gap 0.020 nat at observation 20, 0.050 now; no gain since 20",
        ),
    ],
)
def test_that_it_is_even_or_gains_nothing_stands_beside_the_best(found: Finding, words: str) -> None:
    state = dataclasses.replace(STATE, found=found)
    assert words in "\n".join(shown(state))
    assert words in progress_line(state)


@pytest.mark.parametrize("families", [7, 30, 300])
def test_any_number_of_families_fits_80_by_24(families: int) -> None:
    state = dataclasses.replace(STATE, bias=many(families), last_decision="x " * 200, in_flight=STATE.in_flight * 9)
    assert len(shown(dataclasses.replace(state, waiting_for=("furnace",) * 99))) <= 23
    lines = shown(state)
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert ("richer families" in "\n".join(lines)) == (families > 8)


def test_columns_stand_still_when_another_family_is_the_poorest_and_names_are_whole_at_80_columns() -> None:
    names = ("cubic", "a family of 23 letters!", "trigonal")

    def table(starved: str, values: tuple[float, ...]) -> list[str]:
        bias = BiasPoint(names, (9, 1_000, 8), values, 0.1, 0.05, 0.05, starved, 0.95, 1.0, 1.25)
        return shown(dataclasses.replace(STATE, bias=bias, before=bias))[3:7]

    first, second = table("cubic", (-0.9, 1.0, 1.0)), table("trigonal", (1.0, 10.123, -12.5))
    assert [line.index("◂") for line in (first[1], second[3])] == [25, 25]
    for header in ("size", "entropy [nat]", "spread vs richest", "since start"):
        assert first[0].index(header) == second[0].index(header)
    for name, line in zip(names, first[1:], strict=True):
        assert line.startswith(name)
    assert max(map(len, [*first, *second])) <= 80


@pytest.mark.parametrize("families", [2, 7, 40])
def test_a_large_terminal_shows_how_it_went_within_its_height(families: int) -> None:
    course = tuple((at, 1.0 / (1 + at)) for at in range(41))
    state = dataclasses.replace(STATE, bias=many(families), course=course, course_of="Range of entropy [nat]")
    lines = shown(state, 120, 40)
    assert len(lines) <= 39
    assert "Range of entropy [nat] by observation" in "\n".join(lines)
    assert sum("┤" in line for line in lines) >= 4
    assert "┤" not in "\n".join(shown(state)), "80 by 24 has no room"


def test_an_entropy_that_counts_what_is_in_flight_is_said_to_be_expected() -> None:
    reason = "x-1: cubic has the lowest entropy (h = 3.206 nat, 5 values and 2 in flight); expected gain 0.1 nat"
    state = dataclasses.replace(STATE, last_decision=reason)
    assert "(expected h = 3.206 nat" in " ".join("\n".join(shown(state)).split())
    assert "counts what is in flight as predicted" in "\n".join(shown(state, 120, 40))
    known = dataclasses.replace(STATE, last_decision=reason.replace(" and 2 in flight", ""))
    assert "(h = 3.206 nat" in "\n".join(shown(known, 120, 40))
    assert "predicted" not in "\n".join(shown(known, 120, 40))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"connected": False}, "time left unknown (no link)"),
        ({"waiting_for": ("furnace",)}, "time left unknown (waiting)"),
        ({"held": "the disk is full"}, "time left unknown (held)"),
        ({"per_second": None}, "time left not known yet"),
        ({"per_second": 0.2}, "about 5:00 left"),
    ],
)
def test_the_time_left_is_a_guess_and_said_to_be_unknown_where_nobody_can_guess(
    changes: dict[str, Any], words: str
) -> None:
    state = dataclasses.replace(STATE, **changes)
    assert words in "\n".join(shown(state))
    assert words in progress_line(state)
    assert "left" not in progress_line(dataclasses.replace(state, phase="finishing"))


def test_a_long_address_of_the_broker_is_whole_on_a_line_of_its_own() -> None:
    broker = "mqtt://a-long-host-name.of.some.lab.example:8883"
    lines = shown(dataclasses.replace(STATE, broker=broker, campaign="c" * 40))
    assert any(line.startswith(broker) for line in lines)


def test_the_bar_is_the_spread_relative_to_the_richest() -> None:
    assert bar(1.0, 1.0) == "█" * BAR_CELLS
    assert bar(1.0 - math.log(2), 1.0) == "█" * (BAR_CELLS // 2)
    assert bar(-50.0, 1.0) == ""
    assert bar(None, 1.0) == ""


ODD_FIGURES = st.fixed_dictionaries(
    {
        "budget": st.integers(-1, 10),
        "spent": st.integers(-1, 20),
        "elapsed_s": st.floats(),
        "per_second": st.none() | st.floats(),
    }
)


@given(figures=ODD_FIGURES, entropies=st.lists(st.none() | st.floats(), max_size=4), text=st.text(max_size=30))
def test_no_state_raises(figures: dict[str, Any], entropies: list[float | None], text: str) -> None:
    names = tuple(f"{text}{index}" for index in range(len(entropies)))
    odd = figures["per_second"]
    bias = BiasPoint(names, (1,) * len(names), tuple(entropies), odd, odd, None, text or None)
    requests = ((text, text, 1, figures["elapsed_s"]),)
    state = dataclasses.replace(STATE, **figures, bias=bias, campaign=text, last_decision=text, in_flight=requests)
    assert shown(state)
    assert progress_line(state)


def test_control_characters_and_markup_of_names_are_shown_not_obeyed() -> None:
    state = dataclasses.replace(STATE, last_decision="\x1b[2Jfe[red]2\no3", campaign="[bold]demo")
    text = "\n".join(shown(state))
    assert "\x1b" not in text
    assert "[2Jfe[red]2 o3" in text
    assert "[bold]demo" in text


def test_a_log_gets_a_line_at_ten_per_cent_five_seconds_a_change_and_the_end() -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=80)) as view:
        for spent in range(21):
            view.show(dataclasses.replace(STATE, spent=spent, elapsed_s=0.1 * spent))
        view.show(dataclasses.replace(STATE, spent=20, elapsed_s=7.1))
        view.show(dataclasses.replace(STATE, spent=21, elapsed_s=7.2, phase="paused"))
        view.show(dataclasses.replace(STATE, spent=22, elapsed_s=7.3, phase="paused"))
    lines = out.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["0/100", "10/100", "20/100", "20/100", "21/100", "22/100"]


def test_a_terminal_gets_the_view_in_place() -> None:
    out = StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, legacy_windows=False, _environ={})
    with LiveView(console) as view:
        view.show(STATE)
    assert "trigonal" in out.getvalue()
    assert "\x1b[?25h" in out.getvalue()  # the cursor is given back


def test_a_connection_lost_is_said() -> None:
    lost = dataclasses.replace(STATE, connected=False)
    assert "not connected" in "\n".join(shown(lost))
    assert "broker not reached" in progress_line(lost)


def test_why_a_connection_is_lost_is_said_where_it_is_known() -> None:
    lost = dataclasses.replace(STATE, connected=False, link_trouble="it takes connections and does not answer")
    assert "it takes connections and does not answer" in "\n".join(shown(lost))
    assert "broker not reached: it takes connections and does not answer" in progress_line(lost)
    assert "does not answer" not in progress_line(dataclasses.replace(lost, connected=True))


def test_whom_it_waits_for_is_said_as_soon_as_that_changes() -> None:
    waiting = dataclasses.replace(STATE, waiting_for=("furnace", "any"))
    assert "waiting for furnace, an instrument" in "\n".join(shown(waiting))
    assert "waiting for furnace, an instrument" in progress_line(waiting)
    assert "waiting" not in progress_line(STATE)
    out = StringIO()
    with LiveView(Console(file=out, width=400)) as view:
        for state in (STATE, STATE, waiting, waiting):
            view.show(state)
    assert len(out.getvalue().splitlines()) == 2


def test_before_the_first_observation_it_says_so() -> None:
    assert "no observations yet" in "\n".join(shown(dataclasses.replace(STATE, bias=None, before=None)))


def test_messages_that_are_not_rightly_signed_are_told_where_there_are_any() -> None:
    assert "rightly signed" not in progress_line(STATE)
    refused = dataclasses.replace(STATE, unproven=2)
    assert "3 quarantined; 2 of them not rightly signed" in progress_line(refused)
    assert any("2 not rightly signed" in line for line in shown(refused, width=120))
