"""What strangers wrote is shown to a person as it stands: taken for no markup, and it never steers the terminal."""

from __future__ import annotations

import json

import pytest
from rich.console import RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from protocols.errors import StoreError
from scenarios.display.console import (
    REPLACEMENT,
    PlainConsole,
    print_json,
    progress_on_stderr,
    reported_errors,
    show,
    tell,
    visible,
)
from scenarios.run.standalone import _log_on_stderr
from scenarios.verify.part import CheckedPart
from scenarios.verify.verify import verification_table

MARKUP = "see [wiki] [/wiki/furnace] :warning: [bold]now[/]"
TITLE = "\x1b]0;owned\x07"
"""Sets the title of a terminal's window."""

SAFE_TITLE = f"{REPLACEMENT}]0;owned"
STEERING = ["\x1b", "\x00", "\r", "\x7f", "\x9b", "\x9d", "\u202e", "\ud800"]


def table_of(text: str) -> Table:
    table = Table(text, title=text)
    table.add_row(text)
    return table


@pytest.mark.parametrize("content", [MARKUP, Text(MARKUP), table_of(MARKUP)], ids=["string", "text", "table"])
def test_what_is_shown_is_never_taken_for_markup(content: RenderableType, capsys: pytest.CaptureFixture[str]) -> None:
    show(content)
    assert MARKUP in capsys.readouterr().out


@pytest.mark.parametrize("content", [TITLE, Text(TITLE), table_of(TITLE)], ids=["string", "text", "table"])
def test_what_is_shown_never_steers_the_terminal(content: RenderableType, capsys: pytest.CaptureFixture[str]) -> None:
    show(content)
    told = capsys.readouterr().out
    assert SAFE_TITLE in told
    assert "\x1b" not in told


@pytest.mark.parametrize("character", STEERING)
def test_every_character_that_could_do_so_is_replaced_and_lines_and_tabs_stay(character: str) -> None:
    assert visible(f"a{character}b\tc\nü–→") == f"a{REPLACEMENT}b\tc\nü–→"


def test_the_terminal_is_still_steered_by_what_draws_in_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with Live(Text("one"), console=PlainConsole(stderr=True, force_terminal=True), auto_refresh=False) as live:
        live.update(Text("two", "bold"), refresh=True)
    told = capsys.readouterr().err
    assert "\x1b[?25l" in told
    assert REPLACEMENT not in told


def test_errors_tracebacks_and_notes_do_not_steer_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reported_errors(debug=True):
        raise StoreError(f"Found {TITLE}{MARKUP}", expected=TITLE, action=TITLE)
    tell(f"note: {TITLE}{MARKUP}", "yellow")
    told = capsys.readouterr().err
    said = ("error: Found ", "  expected: ", "  what to do: ", "note: ")
    assert all(f"\n{each}{SAFE_TITLE}" in told for each in said)
    assert told.count(MARKUP) == 3
    assert "\x1b" not in told


def test_the_log_of_a_part_alone_does_not_either(capsys: pytest.CaptureFixture[str]) -> None:
    _log_on_stderr().info("heard", topic=TITLE, further=[TITLE])
    told = capsys.readouterr().err
    assert f"{SAFE_TITLE}{REPLACEMENT}" in told
    assert "\x1b" not in told


def test_json_means_the_same_and_does_not_either(capsys: pytest.CaptureFixture[str]) -> None:
    content = {"reason": "".join(STEERING) + MARKUP + "ü"}
    print_json(json.dumps(content, ensure_ascii=False, indent=2))
    told = capsys.readouterr().out
    assert not set(STEERING) & set(told)
    assert json.loads(told) == content


def test_parts_that_were_checked_are_named_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    show(verification_table((CheckedPart("tables/[/x].csv", 1),)))
    assert "tables/[/x].csv" in capsys.readouterr().out


def long_table() -> Table:
    table = Table()
    table.add_column("path", no_wrap=True, overflow="ellipsis")
    table.add_row(Text("/a/long/path/" * 12))
    return table


def test_a_pipe_gets_whole_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show(long_table())
    show(Text("words " * 60))
    out = capsys.readouterr().out
    assert "/a/long/path/" * 12 in out
    assert "words " * 59 in out


def test_a_pipe_whose_width_is_said_keeps_to_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show(long_table())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_a_log_gets_progress_now_and_then_and_none_when_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.display.progress.QUICK_S", 0.0)
    for quiet in (False, True):
        with progress_on_stderr(quiet=quiet) as progress:
            for done in range(50):
                progress("campaigns [x]", done, 50)
    assert capsys.readouterr().err == "campaigns [x] 0/50, 0 s\n"
