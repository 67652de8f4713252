"""One writer: a second process on the same database refuses to start. What it writes is for its owner alone."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from protocols.errors import StoreError
from protocols.storage.private_files import make_private_folder, private_files


class RunLock:
    """An operating-system lock on a file; the system frees it when the process ends, however it ends.

    Args:
        path: The lock file, beside what it guards.
        holder: Who holds such a lock ("agent", "simulator"), for the message.
        advice: What the second one should do.
    """

    def __init__(self, path: Path, *, holder: str, advice: str) -> None:
        self._path = path
        self._role = holder
        self._advice = advice
        self._file: int | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            make_private_folder(self._path.parent)
            sync_names(self._path.parent)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._path.parent} cannot be written ({error.strerror or error})",
                expected="a folder of your own, or a place to make one",
                action="choose another place (--runs), or free space",
            ) from None
        try:
            _lock(descriptor)
        except OSError:
            holder = os.read(descriptor, 64).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreError(
                f"Another {self._role} (process {holder}) works on {self._path.parent}",
                expected=f"one {self._role} there",
                action=self._advice,
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._file = descriptor
        self._held.enter_context(private_files())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._file is not None  # noqa: S101 - it was entered; for the type checker
        self._held.close()
        os.close(self._file)
        self._file = None


def seems_held(path: Path) -> bool:
    """Tell whether whoever took a lock last is still there, as far as can be told without touching it.

    To try the lock would keep an agent from taking it that starts at this moment. A number that the system has given to
    another process since is taken for it.
    """
    try:
        holder = int(path.read_bytes()[:64])
    except (OSError, ValueError):
        return False
    if sys.platform == "win32":  # pragma: no cover - there is no signal there that only asks
        return True
    try:
        os.kill(holder, 0)
    except PermissionError:  # somebody else's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return holder > 0 and not _has_ended(holder)


def _has_ended(process: int) -> bool:
    """Tell whether a process has ended and only waits for its parent to notice; in a container often nobody does."""
    try:
        after_name = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2]
    except OSError:  # no Linux, or not ours to read
        return False
    return after_name.split()[:1] == [b"Z"]


def sync_names(folder: Path) -> None:
    """Make a folder outlast a power cut: sync the folders that its name and the names above it stand in.

    A synced file in a folder whose own name was never synced may be gone with it; SQLite syncs its own folder only. It
    is done at every start, for an earlier one may have died between making and syncing. What we may not open we have
    not made.
    """
    if sys.platform == "win32":  # pragma: no cover - folders cannot be opened there
        return
    ours = folder.resolve()
    device = ours.stat().st_dev
    for above in ours.parents:
        if above.stat().st_dev != device:
            return  # the name of a mount is not on this disk
        with contextlib.suppress(PermissionError):
            _sync_folder(above)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that knows no such sync can give none
            raise
    finally:
        os.close(descriptor)


if sys.platform == "win32":  # pragma: no cover - not run in our CI
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
