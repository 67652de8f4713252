"""One line for a watching person, whatever strangers wrote into it; nothing where nobody watches."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.text import Text

from scenarios.broker.url import broker_at
from scenarios.display.console import status_line
from scenarios.play.playback import LiveRequest
from scenarios.play.players import PlaybackStatus
from scenarios.play.report import playing
from scenarios.record.record import ListenerCounts, RecordRequest
from scenarios.record.report import listening

MARKUP = "lab/[/bold]/[link"
"""A topic that a stranger may choose, and that no markup is."""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("terminal")
def test_what_is_shown_is_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with status_line("first [/x]", quiet=False) as show:
        show(Text(MARKUP))
    assert MARKUP in capsys.readouterr().err


def test_nothing_is_shown_of_what_is_quick_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with status_line("first", quiet=False) as show:
        show(Text("second"))
    assert capsys.readouterr().err == ""


def test_a_log_gets_the_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.display.progress.QUICK_S", 0.0)
    with status_line("first", quiet=False) as show:
        for number in range(50):
            show(Text(f"{MARKUP} {number}"))
    assert capsys.readouterr().err == f"{MARKUP} 0\n"


@pytest.mark.usefixtures("terminal")
def test_a_recorder_shows_any_topic(capsys: pytest.CaptureFixture[str]) -> None:
    request = RecordRequest(broker_at("mqtt://127.0.0.1:1883"), ("#",), Path("x.jsonl"))
    heard = ListenerCounts(connected=True)
    heard.note(MARKUP)
    with listening(request, quiet=False) as told:
        told(heard)
    assert "listening to mqtt://127.0.0.1:1883" in capsys.readouterr().err


@pytest.mark.usefixtures("terminal")
def test_who_is_not_connected_yet_says_that_it_connects(capsys: pytest.CaptureFixture[str]) -> None:
    broker = broker_at("mqtt://127.0.0.1:1883")
    with listening(RecordRequest(broker, ("#",), Path("x.jsonl")), quiet=False) as heard:
        heard(ListenerCounts())
    with playing(LiveRequest(Path("x.jsonl"), broker), quiet=False) as played:
        played(PlaybackStatus())
    shown = capsys.readouterr().err
    assert shown.count("connecting to mqtt://127.0.0.1:1883") >= 2
    assert "listening" not in shown
    assert "playing" not in shown
