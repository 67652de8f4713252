"""Standard output and error fail in their own names, and Ctrl-C is an exception once and the end afterwards."""

from __future__ import annotations

import io
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from scenarios.display.terminal import (
    ABORTED,
    CANNOT_WRITE,
    INTERRUPTED,
    NOBODY_READS,
    OutputError,
    _Beside,
    _Interrupts,
    _Output,
    speaking,
)


class Failing(io.RawIOBase):
    """A file that cannot be written."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, _content: object) -> int:
        raise OSError(self._number, "it fails")


def output(number: int, kind: type[io.TextIOWrapper]) -> io.TextIOWrapper:
    return kind(io.BufferedWriter(Failing(number)), encoding="ascii", errors="replace", write_through=True)


def forget(stream: io.TextIOWrapper) -> None:
    """Let go of what was never written: its end would try again."""
    cast("io.BufferedWriter", stream.detach()).detach()


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what a process that only ends leaves as it is."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    for name in ("stdout", "stderr", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))


@pytest.mark.parametrize("number", [28, 5, 9])
def test_an_output_that_cannot_be_written_says_so(number: int) -> None:
    stream = output(number, _Output)
    with pytest.raises(OutputError, match="Standard output cannot be written") as failure:
        stream.write("x" * 10_000_000)
    assert failure.value.exit_code == CANNOT_WRITE
    forget(stream)


def test_a_pipe_that_nobody_reads_ends_the_process() -> None:
    stream = output(32, _Output)
    with pytest.raises(SystemExit) as end:
        stream.write("x" * 10_000_000)
    assert end.value.code == NOBODY_READS
    forget(stream)


def test_what_cannot_be_told_beside_the_result_is_left_out() -> None:
    stream = output(28, _Beside)
    assert stream.write("x" * 10_000_000) == 10_000_000
    stream.flush()
    forget(stream)


def test_the_first_interrupt_is_an_exception_and_the_next_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr("os._exit", ends.append)
    interrupts = _Interrupts()
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)
    interrupts(signal.SIGINT, None)
    assert ends == [INTERRUPTED]


def test_what_libraries_say_of_what_an_interrupt_ended_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    library = logging.getLogger("a library")
    monkeypatch.setattr(library, "propagate", False)  # it finds no handler, as in our processes
    library.error("heard")
    with pytest.raises(KeyboardInterrupt):
        _Interrupts()(signal.SIGINT, None)
    library.error("Exception closing connection", exc_info=KeyboardInterrupt())
    assert capfd.readouterr().err == "heard\n"


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def _abort() -> None:
    """As the library of the command line takes an interrupt."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        sys.exit(ABORTED)


@pytest.mark.parametrize("work", [_interrupt, _abort])
def test_what_a_person_ended_has_the_code_of_that_and_the_process_only_ends_then(
    work: Callable[[], None],
) -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(SystemExit) as end, speaking():
            work()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
    assert end.value.code == INTERRUPTED


def test_who_ignores_interrupts_goes_on_ignoring_them() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with speaking():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_output_of_another_encoding_replaces_what_that_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", (tmp_path / "out").open("w", encoding="cp1252"))
    with speaking():
        sys.stdout.write("1 → 2 ü")
    sys.stdout.close()
    assert (tmp_path / "out").read_bytes() == b"1 ? 2 \xfc"
