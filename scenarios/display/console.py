"""How the commands speak: errors in three parts, progress on standard error, results on standard output.

All that a person sees passes through `PlainConsole` or `visible`: recordings, tables, scenarios and messages hold what
strangers wrote, and none of it may be taken for markup or steer the terminal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import EntropilotError, StoreError
from scenarios.display.progress import NowAndThen, ProgressCall, lines_now_and_then
from scenarios.display.system_limits import lack_of, require_enough_files
from scenarios.display.terminal import INTERRUPTED

OUR_FAULT: Final = 70
"""Exit code of a fault of ours (EX_SOFTWARE)."""

DISK_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""Numbers of the system's errors that a disk makes, on a file that is open already and so is not named."""

FULL_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Those of a disk, or of what we may use of it, that is full."""

NOT_FOR_A_TERMINAL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that could steer a terminal (all control characters but tab and the end of a line), turn the direction of
a line, or not be written at all (half a surrogate pair)."""

NOT_ASCII: Final = re.compile("[^\x00-\x7f]")

REPLACEMENT: Final = "\ufffd"
"""What stands for each of them."""


def visible(text: str) -> str:
    """Return a text with what is not for a terminal replaced."""
    return NOT_FOR_A_TERMINAL.sub(REPLACEMENT, text)


PIPED_CELLS: Final = 1_000
"""Width of what is no terminal [cell]: programs and files have no edge, and a path that is cut cannot be opened."""


class PlainConsole(Console):
    """A console that takes no text for markup, emoji or control sequences; styles come from `rich.text.Text` alone.

    Where it writes to a pipe or a file nothing is cut or wrapped, unless COLUMNS says how wide that is.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)
        if not (self.is_terminal or self.is_jupyter or "width" in options or os.environ.get("COLUMNS")):
            self.width = PIPED_CELLS

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as usual; only rich's own control codes stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def tell(text: str, style: str = "") -> None:
    """Say something beside the result, on standard error."""
    PlainConsole(stderr=True, soft_wrap=True).print(Text(text, style=style))


def show(content: RenderableType) -> None:
    """Print to standard output, for a person."""
    PlainConsole(file=sys.stdout).print(content)


def show_notes(notes: Iterable[str]) -> None:
    """Say on standard error what a person should know beside the result; empty notes are none."""
    for note in filter(None, notes):
        tell(f"note: {note}", "yellow")


@contextlib.contextmanager
def reported_errors(*, debug: bool) -> Iterator[None]:
    """Turn errors into one clear message and an exit code; with `debug` the traceback comes first."""
    try:
        require_enough_files()
        yield
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BaseExceptionGroup as group:
        raise SystemExit(_report(first_failure(group), debug=debug)) from None
    except Exception as error:  # noqa: BLE001 - the last place that an error can be told
        if _has_left(error):
            raise SystemExit(INTERRUPTED) from None
        raise SystemExit(_report(error, debug=debug)) from None


def _has_left(error: Exception) -> bool:
    """Whether a person left a question with Ctrl-C or the end of their input, which is no fault."""
    from typer import Abort  # where nothing failed, nobody waits for it

    return isinstance(error, Abort)


@contextlib.contextmanager
def progress_on_stderr(*, quiet: bool) -> Iterator[ProgressCall]:
    """Show a progress bar for what takes time before a run; a line now and then where nobody watches.

    Args:
        quiet: Whether nothing is shown.
    """
    console = PlainConsole(stderr=True)
    if quiet:
        yield lambda _what, _done, _total: None
        return
    if not console.is_terminal:
        yield lines_now_and_then(lambda line: console.print(line, soft_wrap=True))
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    tasks = {}
    with bar:

        def call(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield call


@contextlib.contextmanager
def status_line(first: str, *, quiet: bool) -> Iterator[Callable[[Text], None]]:
    """Show one line in place on standard error while a person watches, else what it says now and then.

    What is shown is never taken for markup.

    Args:
        first: What stands there at first.
        quiet: Whether nothing is shown.
    """
    console = PlainConsole(stderr=True)
    if quiet:
        yield lambda _line: None
        return
    if not console.is_terminal:
        since = NowAndThen()
        yield lambda line: console.print(line, soft_wrap=True) if since.is_time() else None
        return
    with console.status(Text(first)) as status:
        yield status.update


def _report(error: BaseException, *, debug: bool) -> int:
    if debug:
        sys.stderr.write(visible("".join(traceback.format_exception(error))))
    console = PlainConsole(stderr=True, soft_wrap=True)
    if isinstance(error, EntropilotError):
        console.print(Text.assemble(("error: ", "bold red"), error.found.rstrip(".") + "."))
        if error.expected:
            console.print(Text.assemble(("  expected: ", "bold"), error.expected))
        if error.action:
            console.print(Text.assemble(("  what to do: ", "bold"), error.action))
        return error.exit_code
    if (lack := lack_of(error)) is not None:
        return _report(lack, debug=False)
    if isinstance(error, OSError) and (error.filename or error.errno in DISK_ERRORS):
        return _report(_of_a_file(error), debug=False)
    hint = "" if debug else " Run it again with --debug for the traceback, and please report it."
    console.print(
        Text.assemble(("error: ", "bold red"), f"a fault of Entropilot: {type(error).__name__}: {error}.{hint}")
    )
    console.print("  Nothing that was committed is lost; --resume takes a run up.")
    return OUR_FAULT


def _of_a_file(error: OSError) -> StoreError:
    """Return the system's error on a file as one that a person can act on."""
    if error.errno in FULL_ERRORS:
        return StoreError(
            f"The disk is full: {error.filename or 'a file'} cannot be written ({error.strerror})",
            expected="room on the disk of that file",
            action="free space there, then run it again (with --resume if it had begun); what was committed is kept",
        )
    where = f"{error.filename}: " if error.filename else ""
    return StoreError(
        f"The system refuses a file: {where}{error.strerror or error}",
        expected="a file that can be read, and a folder that can be written",
        action="correct its path or its permissions, then run it again (with --resume if it had begun)",
    )


def print_json(text: str) -> None:
    """Write JSON for another program to standard output.

    What is not for a terminal, or not in the output's encoding, is escaped: it means the same.
    """
    escaped = NOT_FOR_A_TERMINAL.sub(_escaped, text).rstrip("\n") + "\n"
    try:
        escaped.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        escaped = NOT_ASCII.sub(_escaped, escaped)
    sys.stdout.write(escaped)


def _escaped(found: re.Match[str]) -> str:
    """Return a character as JSON escapes it: in two halves of 16 bits where it needs them."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
