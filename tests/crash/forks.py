"""Work in forked children: what dies there dies alone, and what it answers comes back over a pipe."""

from __future__ import annotations

import gc
import os
import pickle
import signal as signals
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from protocols.errors import EntropilotError

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended."""

    value: Any = None
    why: str = ""
    """The exception that ended it, with the place where it was raised."""
    ours: bool = False
    """Whether that exception is one that a person can act on (`EntropilotError`)."""
    signal: int = 0

    @property
    def ok(self) -> bool:
        """Whether it came to its end."""
        return not self.why and not self.signal


def in_child(work: Callable[[], Any]) -> Ended:
    """Run something in a forked child and wait for it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(writer, work)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Ended(signal=os.WTERMSIG(status))
    if not content:
        return Ended(why=f"it ended with code {os.waitstatus_to_exitcode(status)} and said nothing")
    ended: Ended = pickle.loads(content)
    return ended


def shared_out(items: Sequence[Item], work: Callable[[Item], T], *, jobs: int) -> Iterator[tuple[Item, T]]:
    """Work on items in several forked processes; yield each with its answer, as they come, process by process."""
    pipes = []
    gc.freeze()  # children do not look through what they got, and so it stays shared
    for number in range(jobs):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signals.signal(signals.SIGINT, signals.SIG_DFL)
            os.close(reader)
            _answer(writer, lambda share=items[number::jobs]: [work(item) for item in share])  # type: ignore[misc]
        os.close(writer)
        pipes.append((child, reader, items[number::jobs]))
    for child, reader, share in pipes:
        with os.fdopen(reader, "rb") as pipe:
            content = pipe.read()
        os.waitpid(child, 0)
        ended: Ended = pickle.loads(content) if content else Ended(why="a worker died")
        if not ended.ok:
            raise RuntimeError(ended.why)
        yield from zip(share, ended.value, strict=True)


def _answer(writer: int, work: Callable[[], Any]) -> None:
    """Answer over the pipe and end this process, whatever happens."""
    code = 1
    try:
        try:
            ended = Ended(value=work())
        except BaseException as error:  # noqa: BLE001 - the parent judges it
            where = traceback.extract_tb(error.__traceback__)[-1]
            why = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            ended = Ended(why=why, ours=isinstance(error, EntropilotError))
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(ended, pipe)
        code = 0
    finally:
        os._exit(code)
