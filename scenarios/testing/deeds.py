"""Watches what code does to the world while it is asked: files it writes, programs it starts, hosts it talks to.

Python calls an audit hook for each of these. A hook cannot be taken away again, so one is set for the whole process,
and notes something only while somebody watches.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

ACTS: Final = frozenset(
    {
        "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree",
        "shutil.move", "socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork", "sqlite3.connect",
    }
)  # fmt: skip
"""Events that change something outside of the process, or leave it."""

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

BYTECODE: Final = "__pycache__"
"""Folder of what Python itself keeps of modules that it imports."""

_watching: list[tuple[int, list[str]]] = []


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what this thread does outside of the process, in words."""
    _install()
    found: list[str] = []
    entry = (threading.get_ident(), found)
    _watching.append(entry)
    try:
        yield found
    finally:
        _watching.remove(entry)


@cache
def _install() -> None:
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching or (event != "open" and event not in ACTS):
        return
    if any(isinstance(each, str) and BYTECODE in Path(each).parts for each in arguments):
        return
    if event == "open" and not _is_write(arguments):
        return
    told = f"{event} {arguments[0] if arguments else ''}"
    for thread, found in _watching:
        if thread == threading.get_ident():
            found.append(told)


def _is_write(arguments: tuple[object, ...]) -> bool:
    path, mode, flags = (*arguments, None, None, None)[:3]
    if path == os.devnull:
        return False
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & _WRITING)
