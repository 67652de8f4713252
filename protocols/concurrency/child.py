"""A child process that answers one message at a time, can be killed, and dies with its parent.

Frames are an eight-byte big-endian length and that many bytes, over the child's standard input and output. When the
parent dies, however, the pipe closes and the child ends: no orphan keeps a calculation or memory. A child leads a
process group of its own, so that the programs that it has started (a calculator's) die with it, and Ctrl-C in the
terminal is for the parent alone.
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
from typing import IO, Final

_LENGTH: Final = struct.Struct(">Q")

MAX_FRAME_BYTES: Final = 1 << 30
"""Largest frame [byte]: a pool of a million candidates with 64 features in float64 is half of it."""

STDERR_TAIL_BYTES: Final = 2_000
"""How much of a dead child's last words is told."""

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
        self._stderr: IO[bytes] | None = None
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
        environment = {name: value for name, value in os.environ.items() if name in KEPT_ENVIRONMENT}
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._stderr,
            env=environment | ONE_THREAD,
            start_new_session=HAS_GROUPS,
        )

    async def ask(self, frame: bytes, *, timeout_s: float | None = None) -> bytes:
        """Send a frame and return the answer.

        Raises:
            TimeoutError: At the deadline; the child has been killed.
            ChildDied: When it ended instead of answering.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ChildDied("it was not started")
        try:
            async with asyncio.timeout(timeout_s):
                process.stdin.write(_LENGTH.pack(len(frame)) + frame)
                await process.stdin.drain()
                (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                return await process.stdout.readexactly(length)
        except TimeoutError:
            await self.stop()
            raise
        except asyncio.CancelledError:
            self.kill()  # its answer would be taken for that of the next question
            raise
        except (asyncio.IncompleteReadError, ConnectionError, BrokenPipeError):
            await process.wait()
            _kill_group(process)  # what it has started, while its number is nobody else's
            reason = f"it ended with code {process.returncode}{self._last_words()}"
            await self.stop()
            raise ChildDied(reason, process.returncode) from None

    def kill(self) -> None:
        """Kill the process without waiting; it cannot be asked any more."""
        if self.is_running and self._process is not None:
            self._killed = True
            _kill_group(self._process)

    async def stop(self) -> None:
        """Kill the process, if there is one, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                _kill_group(process)
            await process.wait()
            with contextlib.suppress(
                AttributeError
            ):  # a private name: without it a pipe is closed later, with a warning
                process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def _last_words(self) -> str:
        if self._stderr is None:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - STDERR_TAIL_BYTES))
        text = self._stderr.read().decode(errors="replace").strip()
        return f": {text.splitlines()[-1]}" if text else ""


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer frames until the parent closes the pipe. Runs in the child.

    Whatever the answering code prints goes to standard error, so that it cannot break a frame.
    """
    if hasattr(select, "poll"):  # pragma: no branch - not on Windows: there a busy child ends with its answer
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
    frames_in = os.fdopen(os.dup(0), "rb")
    frames_out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        head = frames_in.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            _kill_own_group()
            return
        (length,) = _LENGTH.unpack(head)
        if length > MAX_FRAME_BYTES:
            message = f"a frame of {length} bytes; at most {MAX_FRAME_BYTES} are taken"
            raise ValueError(message)
        reply = answer(frames_in.read(length))
        frames_out.write(_LENGTH.pack(len(reply)) + reply)
        frames_out.flush()


def _end_with_the_parent() -> None:
    """End this process when the other end of its standard input is gone, however busy it is."""
    watch = select.poll()
    watch.register(0, 0)  # no event is asked for: a hang-up is always told
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
