"""Processes that tests start: each in a session of its own, and none that outlives its test.

`tests/conftest.py` asks after every test whether one is left; `started` and `kill_session` are how a test sees to it
that none is, however it ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import psutil

MARK: Final = "TESTED_BY"
"""An environment variable that every process inherits which this one starts: how an orphan is recognised."""

STARTS: Final = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})
"""What Python's audit says when a process is started; `multiprocessing` says nothing and is asked otherwise."""

GRACE_S: Final = 5.0
"""A process that has been asked to end may still be at it when its test is over."""

_starts: Final = [0]

_kept: list[subprocess.Popen[bytes]] = []
"""Leaders of sessions that end with this process."""


_kept_sessions: Final[set[int]] = set()
"""Further leaders: of sessions that a fixture ends."""


def starts() -> int:
    """How often this process has started another since `watch_starts`."""
    return _starts[0]


def watch_starts() -> None:
    """Count from here on what this process starts, and mark it; for the life of the process."""
    os.environ[MARK] = str(os.getpid())
    spawn = multiprocessing.util.spawnv_passfds

    def counting(*arguments: Any) -> int:
        _count("subprocess.Popen", arguments)
        process_id: int = spawn(*arguments)
        return process_id

    multiprocessing.util.spawnv_passfds = counting  # type: ignore[assignment]
    sys.addaudithook(_count)


def _count(
    event: str, _arguments: tuple[Any, ...], counter: list[int] = _starts, kinds: frozenset[str] = STARTS
) -> None:
    """Count a start; the counter is an argument, for Python audits itself when a module's names are gone already."""
    counter[0] += event in kinds


def count_start() -> None:
    """Say that another process has been made which Python's audit does not see."""
    _count("os.fork", ())


def keep(process: subprocess.Popen[bytes]) -> None:
    """Let a process, the leader of its session, outlive its test: it ends when its standard input does."""
    _kept.append(process)


def keep_session(leader: int) -> None:
    """Let a session outlive a test: a fixture of a wider scope has started it, and ends it."""
    _kept_sessions.add(leader)


def keep_ignoring_interrupts() -> None:
    """Where SIGINT is ignored (nohup, a job in the background), ignore it in this process only.

    What is ignored is inherited by every child; a handler is not, so that children begin as from a terminal.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _number, _frame: None)


def end_with_children_on_sigterm() -> None:
    """Let SIGTERM, which no fixture hears, end what this process has started before it ends this process."""

    def end(number: int, _frame: object) -> None:
        for each in ours():
            with contextlib.suppress(psutil.Error):
                each.kill()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)


def ours() -> set[psutil.Process]:
    """The processes that this one or one of its children started and that are alive, without Python's own helpers."""
    children = set(psutil.Process().children(recursive=True))
    marked = {each for each in psutil.process_iter() if _is_marked(each)}
    kept = {process.pid for process in _kept} | _kept_sessions
    found = {each for each in children | marked if _is_alive(each) and not _is_a_tracker(each)}
    return {each for each in found if _session(each) not in kept}


def _session(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        return os.getsid(process.pid)
    return 0


def _is_marked(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return process.pid != os.getpid() and process.environ().get(MARK) == str(os.getpid())
    return False


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_a_tracker(process: psutil.Process) -> bool:
    """Whether it is the tracker that `multiprocessing` starts once and keeps."""
    with contextlib.suppress(psutil.Error):
        return any("multiprocessing.resource_tracker" in part for part in process.cmdline())
    return False


def end_what_is_left(known: set[psutil.Process]) -> list[str]:
    """Kill what is alive beyond the processes that are known; return the command line of each."""
    if not (left := ours() - known):
        return []
    _, alive = psutil.wait_procs(left, timeout=GRACE_S)
    alive = [each for each in alive if _is_alive(each)]
    told = [_command_line(each) for each in alive]
    for each in alive:
        with contextlib.suppress(psutil.Error):
            each.kill()
    return told


def _command_line(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{process.pid}: {' '.join(process.cmdline())[:200]}"
    return str(process.pid)


def kill_session(leader: int) -> None:
    """Kill every process of a session that we started, whatever groups they made.

    The number of a leader that has ended long ago may be somebody else's by now: where what we start is marked, nothing
    else is killed.
    """
    all_are_ours = os.environ.get(MARK) != str(os.getpid())
    for each in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(each) == leader and (all_are_ours or _is_marked(psutil.Process(each))):
                os.kill(each, signal.SIGKILL)


@contextlib.contextmanager
def started(command: Sequence[str | os.PathLike[str]], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process in a session of its own; at the end of the block all that is left of the session is killed.

    Args:
        command: Program and arguments.
        options: Of `subprocess.Popen`.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            kill_session(process.pid)
