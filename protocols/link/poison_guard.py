"""Which messages are being handled, written down before it is done: so that one that kills its handler is found out.

A message that brings our process down is delivered again after the restart, and would bring it down for ever. So its
digest is noted before it is handled and wiped out afterwards. What a start finds noted was in process when the last one
died: that is one death. From then on it is a suspect and handled in a transaction of its own, so that the innocent
beside it are cleared by their commit; at the third death it is dead-lettered: quarantined unread.

The note is one write to the page cache, without a sync: it outlives the process, which is all that matters here. After
a power cut it may be missing, and then a death is not counted. A fault that a person can fix (a full disk, a lost
broker) is no message's fault and counts for nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from protocols.errors import EntropilotError, StoreError
from protocols.link.transport import Delivery

MAX_DEATHS: Final = 3
"""Deaths after which a message is quarantined unread: one may be a coincidence (a kill from outside just then), and so
may two; each costs a restart."""

KILLS_HANDLER: Final = "kills_handler"
"""The reason in the quarantine."""

MAX_SUSPECTS: Final = 64
"""Suspects remembered: as many as one transaction handles at most. A fault of ours rarely has more than one."""

DIGEST_DIGITS: Final = 32
"""Hexadecimal digits of a message's digest: 128 bits, so that no innocent shares it."""

_SUSPECT: Final = re.compile(rf"([0-9a-f]{{{DIGEST_DIGITS}}}):([1-9])")
_NOTED: Final = re.compile(rf"[0-9a-f]{{{DIGEST_DIGITS}}}")

_NOTE_AT: Final = 4096
"""Where the note stands in the file [byte]: after the suspects, whose 64 entries need 2,240."""

_LONGEST: Final = 2 * _NOTE_AT
"""How much of the file is read [byte]: the note of a full transaction needs 2,112."""


class PoisonMessageGuard:
    """The note of one process; one file beside its database.

    Args:
        path: The file. None keeps nothing over a restart: then no death is ever counted.

    Raises:
        StoreError: When the file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._deaths: dict[str, int] = {}
        self._path = path
        self._file = None
        if path is None:
            return
        try:
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
            content = self._file.read(_LONGEST)
        except OSError as error:
            raise self._unwritable(error) from None
        self._count_deaths(content)
        try:
            self._write(0, self._suspects().ljust(_NOTE_AT) + b"\n")
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def is_suspect(self, item: object) -> bool:
        """Tell whether an input is a message that was in process at a death: then it is to be handled alone."""
        return bool(self._deaths) and isinstance(item, Delivery) and _digest(item) in self._deaths

    def is_dead_lettered(self, delivery: Delivery) -> bool:
        """Tell whether a message has killed its handler too often: then it is not to be read."""
        return bool(self._deaths) and self._deaths.get(_digest(delivery), 0) >= MAX_DEATHS

    @contextmanager
    def handling(self, items: Sequence[object]) -> Iterator[None]:
        """Keep messages noted while the block handles them; they stay noted when it dies of them.

        Args:
            items: Handled together; at most as many as a transaction takes. Those that are no messages are passed over.

        Raises:
            StoreError: When the note cannot be written.
        """
        deliveries = [item for item in items if isinstance(item, Delivery)]
        if self._file is None or not deliveries:
            yield
            return
        self._write(_NOTE_AT, b" ".join(_digest(delivery).encode() for delivery in deliveries) + b"\n")
        try:
            yield
        except EntropilotError:
            self._write(_NOTE_AT, b"\n")
            raise
        self._write(_NOTE_AT, b"\n")

    def clear(self, deliveries: Sequence[Delivery]) -> None:
        """Clear messages of suspicion, after the commit of what they meant."""
        if not self._deaths:
            return
        cleared = [digest for digest in map(_digest, deliveries) if self._deaths.pop(digest, None) is not None]
        if cleared:
            self._write(0, self._suspects().ljust(_NOTE_AT))

    def _count_deaths(self, content: bytes) -> None:
        """Read suspects and note; what is torn or strange is passed over, for it only costs a suspicion."""
        text = content.decode("ascii", errors="replace")
        self._deaths = {digest: int(deaths) for digest, deaths in _SUSPECT.findall(text[:_NOTE_AT])}
        noted, _, _ = text[_NOTE_AT:].partition("\n")
        for digest in dict.fromkeys(_NOTED.findall(noted)):
            self._deaths[digest] = min(9, self._deaths.pop(digest, 0) + 1)  # the latest stand last
        while len(self._deaths) > MAX_SUSPECTS:
            del self._deaths[next(iter(self._deaths))]

    def _suspects(self) -> bytes:
        return " ".join(f"{digest}:{deaths}" for digest, deaths in self._deaths.items()).encode()

    def _write(self, where: int, content: bytes) -> None:
        assert self._file is not None  # noqa: S101 - without a file nothing is ever noted; for the type checker
        try:
            os.pwrite(self._file.fileno(), content, where)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path} cannot be written ({error.strerror or error})",
            expected="a folder of your own with space",
            action="free space or fix the permissions, then run again with --resume",
        )


def _digest(delivery: Delivery) -> str:
    """Return the digest of topic and payload: a repetition of the same message has the same."""
    content = delivery.topic.encode(errors="surrogatepass") + b"\0" + delivery.payload
    return hashlib.sha256(content).hexdigest()[:DIGEST_DIGITS]
