"""The ends of the process towards who started it: standard output and error, and Ctrl-C, from the first moment on.

- What an output's encoding lacks is replaced. Standard output that cannot be written (a full disk) is an error of its
  own; one that nobody reads any more (`| head`) ends the command without a word, as it ends others. Standard error is
  only told beside the result: where it cannot be written, the command goes on.
- The first Ctrl-C is a `KeyboardInterrupt`, wherever the program is, unless what runs has asked to be told of it (see
  `protocols.concurrency.signals`). The next one ends the process at once: whatever it was at can be taken up again.
"""

from __future__ import annotations

import _thread
import contextlib
import errno
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final, NoReturn, TextIO, cast

from protocols.errors import EntropilotError

INTERRUPTED: Final = 130
"""Exit code of what a person ended, as shells have it."""

NOBODY_READS: Final = 141
"""Exit code of what wrote to a closed pipe, as shells have it."""

ABORTED: Final = 1
"""Exit code of the command line's own library for what was interrupted."""

CANNOT_WRITE: Final = 74
"""Exit code of what could not write its result (EX_IOERR)."""

SHOW_CURSOR: Final = b"\x1b[?25h"
"""What a live view hides, and who ends at once must show again."""


class OutputError(EntropilotError):
    """Standard output cannot be written."""

    exit_code = CANNOT_WRITE


class _Output(io.TextIOWrapper):
    """Standard output whose errors say that they are of it."""

    def write(self, text: str) -> int:
        with _told():
            return super().write(text)

    def flush(self) -> None:
        with _told():
            super().flush()


class _Beside(io.TextIOWrapper):
    """Standard error: what cannot be written there is left out."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


class _Interrupts:
    """Takes SIGINT: the first as an exception, the next as the end."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            logging.lastResort = logging.NullHandler()  # libraries would print a traceback of each thing that this ends
            raise KeyboardInterrupt
        if os.isatty(2):
            os.write(2, SHOW_CURSOR)
        os._exit(INTERRUPTED)

    def unraisable(self, told: sys.UnraisableHookArgs) -> None:
        """Raise an interrupt again that came where none can be raised, such as in a finalizer; else what Python does.

        What comes after an interrupt comes of it, and is not told.
        """
        if isinstance(told.exc_value, KeyboardInterrupt):
            self.count = 0
            _thread.interrupt_main()
        elif not self.count:
            sys.__unraisablehook__(told)


@contextlib.contextmanager
def speaking() -> Iterator[None]:
    """Prepare the ends of this process, and close them in order; it only ends afterwards."""
    _open_what_is_closed()
    sys.stdout = _wrapped(sys.stdout, _Output)
    sys.stderr = _wrapped(sys.stderr, _Beside)
    interrupts = _Interrupts()
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupts)
        sys.unraisablehook = interrupts.unraisable
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except OutputError as error:
        _give_up_output(error)
    except SystemExit as end:
        if interrupts.count and end.code == ABORTED:
            raise SystemExit(INTERRUPTED) from None
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is interrupts:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        _flush_for_good()


def _flush_for_good() -> None:
    """Write what waits; what cannot be written is not tried again when Python ends, which would say so in its words."""
    try:
        sys.stdout.flush()
    except OutputError as error:
        _give_up_output(error)
    except SystemExit:
        _let_go(sys.stdout)
        raise
    finally:
        sys.stderr.flush()


def _give_up_output(error: OutputError) -> NoReturn:
    _let_go(sys.stdout)
    sys.stderr.write(f"error: {error.found}.\n  expected: {error.expected}\n  what to do: {error.action}\n")
    raise SystemExit(error.exit_code) from None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(NOBODY_READS) from None
    except OSError as error:
        raise OutputError(
            f"Standard output cannot be written ({error.strerror or error})",
            expected="a file, a pipe or a terminal with room",
            action="free space there, or let the output go elsewhere; what the command wrote into files is sound",
        ) from None


def _wrapped(stream: TextIO, kind: type[io.TextIOWrapper]) -> TextIO:
    """Return a stream of ours in the place of Python's; one that somebody has replaced already stays."""
    if type(stream) is not io.TextIOWrapper:
        return stream
    encoding, line_buffering = stream.encoding, stream.line_buffering
    ours = cast("TextIO", kind(stream.detach(), encoding=encoding, errors="replace", line_buffering=line_buffering))
    for name in ("__stdout__", "__stderr__"):
        if getattr(sys, name) is stream:  # else a library that asks for the first one has a stream without a file
            setattr(sys, name, ours)
    return ours


def _open_what_is_closed() -> None:
    """Let no file of ours become standard input, output or error: what is printed would be written into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno == errno.EBADF:
                os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w")


def _let_go(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
