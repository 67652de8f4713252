"""A child process that answers one message at a time, can be killed, and dies with its parent.

Frames are an eight-byte big-endian length and that many bytes, over the child's standard input and output. What the
answering code starts sees neither: it reads nothing, and its output goes to standard error.

When the parent dies, however, a pipe closes and the child ends: no orphan keeps a calculation or memory. On Linux the
kernel sees to that, for no Python code runs while a library computes. A child leads a process group of its own, so that
the programs that it has started (a calculator's) die with it, and Ctrl-C in the terminal is for the parent alone. Those
that have left the group are found by their mark (`started_programs`), as long as the parent lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import struct
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any, Final

from protocols.concurrency.started_programs import MARK, kill_marked, new_mark

_LENGTH: Final = struct.Struct(">Q")

MAX_FRAME_BYTES: Final = 1 << 30
"""Largest frame [byte]: a pool of a million candidates with 64 features in float64 is half of it."""

STDERR_TAIL_BYTES: Final = 2_000
"""How much of a dead child's last words is told."""

MAX_STDERR_BYTES: Final = 1 << 20
"""How much of what a child has said is kept from one answer to the next [byte]: nobody reads it while it lives."""

ARITHMETIC: Final = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "MKL_CBWR")
"""Variables that pin the arithmetic of NumPy and its BLAS: who sets them means the child's too."""

KEPT_ENVIRONMENT: Final = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH"}
    | set(ARITHMETIC)
)
"""What a child inherits. Credentials and calculator commands (ASE_…) stay with the parent."""

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""One BLAS thread: the same sums in the same order, so that the same context gives the same decision."""


HAS_GROUPS: Final = hasattr(os, "killpg")
"""Whether the system has process groups."""

_BUFFER_BYTES: Final = 1 << 16
"""How much of an answer is read at once [byte]: asyncio's own."""

LIFELINE: Final = "ENTROPILOT_LIFELINE"
"""Variable that holds the child's end of a pipe in which nothing is ever written: it closes when the parent dies."""

HAS_LIFELINE: Final = sys.platform == "linux"
"""Whether the kernel can send a signal of our choice when a pipe closes."""

_F_SETSIG: Final = 10
"""F_SETSIG of fcntl(2) on Linux, which Python names from 3.14 on: which signal the change of a file sends."""

SAFE_PATH: Final = "-P"
"""Python's option for every process that we start: nothing in the current folder is imported, whatever it is called."""


class ChildDied(Exception):
    """The child ended by itself, or was killed at its deadline."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        self.reason = reason
        self.code = code
        """What it returned, or minus the number of the signal that ended it; None where that is not known."""
        super().__init__(reason)


class Child:
    """A Python module run as a child process that serves frames (see `serve`).

    Args:
        module: What `python -m` runs.
        arguments: Its command line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = (sys.executable, SAFE_PATH, "-m", module, *arguments)
        self._process: asyncio.subprocess.Process | None = None
        self._death: asyncio.Future[None] | None = None
        self._stderr: IO[bytes] | None = None
        self._lifeline: int | None = None
        self._mark = ""
        self._killed = False

    @property
    def is_running(self) -> bool:
        """Whether a process is there to be asked."""
        return self._process is not None and self._process.returncode is None and not self._killed

    async def start(self) -> None:
        """Start the process, ending an earlier one."""
        await self.stop()
        self._killed = False
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._mark = new_mark()
        environment = {name: value for name, value in os.environ.items() if name in KEPT_ENVIRONMENT}
        environment |= ONE_THREAD | {MARK: self._mark}
        kept: tuple[int, ...] = ()
        if HAS_LIFELINE:
            theirs, self._lifeline = os.pipe()
            kept, environment = (theirs,), environment | {LIFELINE: str(theirs)}
        try:
            self._process, self._death = await _started(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._stderr,
                env=environment,
                pass_fds=kept,
                start_new_session=HAS_GROUPS,
            )
        finally:
            for each in kept:
                os.close(each)

    async def ask(self, frame: bytes, *, timeout_s: float | None = None) -> bytes:
        """Send a frame and return the answer.

        Raises:
            TimeoutError: At the deadline; the child has been killed.
            ChildDied: When it ended instead of answering.
        """
        process, death = self._process, self._death
        if process is None or death is None:
            raise ChildDied("it was not started")
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._exchange(process, death, frame)
        except TimeoutError:
            await self.stop()
            raise
        except asyncio.CancelledError:
            self.kill()  # its answer would be taken for that of the next question
            raise
        except (asyncio.IncompleteReadError, ConnectionError, BrokenPipeError):
            await process.wait()
            self._kill_all(process)  # what it has started, while its number is nobody else's
            reason = f"it ended with code {process.returncode}{self._last_words()}"
            await self.stop()
            raise ChildDied(reason, process.returncode) from None
        self._forget_words()
        return reply

    def kill(self) -> None:
        """Kill the process without waiting; it cannot be asked any more."""
        if self.is_running and self._process is not None:
            self._killed = True
            self._kill_all(self._process)

    async def stop(self) -> None:
        """Kill the process, if there is one, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                _kill_group(process)
            kill_marked(self._mark)
            await process.wait()
            with contextlib.suppress(
                AttributeError
            ):  # a private name: without it a pipe is closed later, with a warning
                process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    async def _exchange(self, process: asyncio.subprocess.Process, death: asyncio.Future[None], frame: bytes) -> bytes:
        """Send a frame and return the answer, or fail as soon as the child is dead.

        What it has started may hold its pipe open: that must not make a death a wait until the deadline.
        """
        answer = asyncio.create_task(_answer_of(process, frame))
        either: set[asyncio.Future[Any]] = {answer, death}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                self._kill_all(process)
            return await answer
        finally:
            answer.cancel()

    def _kill_all(self, process: asyncio.subprocess.Process) -> None:
        """Kill the child and the programs that it has started, in its group or not."""
        _kill_group(process)
        kill_marked(self._mark)

    def _forget_words(self) -> None:
        """Begin again where much was said: its place in the file is the child's too."""
        if self._stderr is not None and os.fstat(self._stderr.fileno()).st_size > MAX_STDERR_BYTES:
            self._stderr.seek(0)
            self._stderr.truncate()

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - STDERR_TAIL_BYTES))
        text = self._stderr.read().decode(errors="replace").strip()
        return f": {text.splitlines()[-1]}" if text else ""


class _ToldOfItsDeath(asyncio.subprocess.SubprocessStreamProtocol):
    """Says when the process has ended; `Process.wait` waits until its pipes have, too, whoever holds them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=_BUFFER_BYTES, loop=loop)
        self.death: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """Tell it; the loop calls this."""
        if not self.death.done():  # pragma: no branch - it dies once
            self.death.set_result(None)
        super().process_exited()


async def _started(*command: str, **options: Any) -> tuple[asyncio.subprocess.Process, asyncio.Future[None]]:
    """Start a process as `asyncio.create_subprocess_exec` does, and return what is done at its death beside it."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(lambda: _ToldOfItsDeath(loop), *command, **options)
    return asyncio.subprocess.Process(transport, protocol, loop), protocol.death


async def _answer_of(process: asyncio.subprocess.Process, frame: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:  # pragma: no cover - it was started with both
        raise ChildDied("it has no pipes")
    process.stdin.write(_LENGTH.pack(len(frame)) + frame)
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    return await process.stdout.readexactly(length)


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer frames until the parent closes the pipe. Runs in the child.

    Whatever the answering code prints goes to standard error, and what it starts has nothing to read: so neither can
    break a frame. A copy of this process that it forks, and that comes back from it, ends there: one was asked, and one
    answers.
    """
    _let_the_kernel_end_us()
    frames_in = os.fdopen(os.dup(0), "rb")
    frames_out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if hasattr(select, "poll"):  # pragma: no branch - not on Windows: there a busy child ends with its answer
        threading.Thread(target=_end_with_the_parent, args=(frames_in.fileno(),), daemon=True).start()
    asked = os.getpid()
    while True:
        head = frames_in.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            _kill_own_group()
            return
        (length,) = _LENGTH.unpack(head)
        if length > MAX_FRAME_BYTES:
            message = f"a frame of {length} bytes; at most {MAX_FRAME_BYTES} are taken"
            raise ValueError(message)
        reply = _reply_of_one(answer, frames_in.read(length), asked)
        frames_out.write(_LENGTH.pack(len(reply)) + reply)
        frames_out.flush()


def _reply_of_one(answer: Callable[[bytes], bytes], frame: bytes, asked: int) -> bytes:
    """Return the answer of the process that was asked; a copy of it does not come back."""
    try:
        return answer(frame)
    finally:
        if os.getpid() != asked:
            os._exit(0)


def _let_the_kernel_end_us() -> None:
    """Have the kernel kill our group when the parent's end of the lifeline closes, however busy we are."""
    line = os.environ.pop(LIFELINE, "")
    if not (HAS_LIFELINE and line and os.getpgrp() == os.getpid()):
        return
    import fcntl

    descriptor = int(line)
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())  # less than nothing: a group
    fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - what we start has no part in it


def _end_with_the_parent(frames_in: int) -> None:
    """End this process when the other end of its questions is gone, however busy it is."""
    watch = select.poll()
    watch.register(frames_in, 0)  # no event is asked for: a hang-up is always told
    watch.poll()
    _kill_own_group()
    os._exit(1)


def _kill_own_group() -> None:
    """Kill this process and the programs that it has started, where it leads a group of its own."""
    if HAS_GROUPS and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill a child and the programs that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if HAS_GROUPS:
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover - Windows
            process.kill()
