"""Which lines run: counts the line events of the files under test, and knows which lines could have run."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import agent.campaign.event_descriptions
import agent.campaign.ledger
import agent.loop
import agent.runtime.commits
import agent.runtime.outbound
import agent.runtime.presence
import agent.runtime.resume
import agent.runtime.transaction
import agent.runtime.withdrawals
import agent.store.commit
import agent.store.migrations
import agent.store.standing
import agent.store.steady
import agent.store.store
import agent.store.tables
import agent.store.trajectory_rows
import agent.store.views
import protocols.concurrency.inbox
import protocols.link.poison_guard
import protocols.storage.database
import simulators.outbound
import simulators.outbox
import simulators.service

FILES: Final = tuple(
    str(module.__file__)
    for module in (
        agent.loop,
        agent.runtime.commits,
        agent.runtime.outbound,
        agent.runtime.presence,
        agent.runtime.withdrawals,
        agent.runtime.transaction,
        agent.campaign.ledger,
        agent.campaign.event_descriptions,
        agent.runtime.resume,
        agent.store.store,
        agent.store.commit,
        agent.store.standing,
        agent.store.steady,
        agent.store.trajectory_rows,
        agent.store.views,
        agent.store.migrations,
        agent.store.tables,
        simulators.service,
        simulators.outbound,
        simulators.outbox,
        protocols.storage.database,
        protocols.link.poison_guard,
        protocols.concurrency.inbox,
    )
)
"""Loop, store and outbox, and what they stand on."""

Line = tuple[str, int]


@contextmanager
def each_line(on_line: Callable[[FrameType], None]) -> Iterator[None]:
    """Call a function before every line of `FILES` that the block executes."""
    watched = frozenset(FILES)

    def of_frame(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            on_line(frame)
        return of_frame

    def of_call(frame: FrameType, event: str, arg: Any) -> Any:
        return of_frame if frame.f_code.co_filename in watched else None

    sys.settrace(of_call)
    try:
        yield
    finally:
        sys.settrace(None)


def executable_lines(files: Iterable[str] = FILES) -> set[Line]:
    """Return the lines that a campaign could execute: those of functions, without their heads."""
    found: set[Line] = set()
    for file in files:
        found |= {(file, line) for line in _lines_of(compile(Path(file).read_text(), file, "exec"))}
    return found


def shown(line: Line) -> str:
    """Return a line as a person finds it: file, number, text."""
    file, number = line
    place = Path(file)
    return f"{place.parent.name}/{place.name}:{number}  {place.read_text().splitlines()[number - 1].strip()}"


def _lines_of(code: CodeType) -> Iterator[int]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines_of(constant)
    is_function = bool(code.co_flags & 0x2) and not code.co_name.startswith("<")  # CO_NEWLOCALS; no comprehension
    if is_function:
        heads = {code.co_firstlineno} | {
            i.starts_line if sys.version_info < (3, 13) else i.line_number  # type: ignore[attr-defined]
            for i in dis.get_instructions(code)
            if i.opname in {"RESUME", "RETURN_GENERATOR", "MAKE_CELL", "COPY_FREE_VARS"}
        }
        yield from (line for _, line in dis.findlinestarts(code) if line is not None and line not in heads)
