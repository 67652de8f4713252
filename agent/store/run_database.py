"""Which database the agent of a run folder writes to, and whether that one is its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from agent.run_files import DATABASE, RECORDING
from agent.store.place import DatabasePlace, elsewhere, read_place, write_place
from agent.store.read_only import file_of
from agent.store.store import Store
from agent.store.tables import CampaignMeta
from protocols.errors import StoreError
from protocols.storage.database import sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.storage.server_url import DatabaseUrl, shown_url


@dataclass(frozen=True, slots=True)
class RunDatabase:
    """The database of a run.

    Attributes:
        folder: The run folder.
        url: Of the database.
        is_own: Whether it is the folder's own file.
        remembered: Where the folder says that it is; None where it says nothing.
    """

    folder: Path
    url: DatabaseUrl
    is_own: bool
    remembered: DatabasePlace | None

    @classmethod
    def of(cls, folder: Path, given: DatabaseUrl | None) -> Self:
        """Return the database of a run folder.

        Args:
            folder: The run folder.
            given: What a person says (`--database`).

        Raises:
            StoreError: When the folder has another one already, or does not tell.
        """
        own = folder / DATABASE
        url = elsewhere(folder, given)
        if url is None or _is_file(url, own):
            return cls(folder, sqlite_url(own), is_own=True, remembered=None)
        if own.exists():
            raise StoreError(
                f"{folder} has its database in {DATABASE} already",
                expected="one database for a run folder",
                action="leave --database out, or choose another --campaign",
            )
        remembered = None
        with suppress(StoreError):  # it cannot be read: then what a person says counts alone
            remembered = read_place(folder)
        return cls(folder, url, is_own=False, remembered=remembered)

    @property
    def name(self) -> str:
        """What holds the campaign, for people."""
        return str(self.folder) if self.is_own else f"The database {shown_url(self.url)}"

    def without_other_writers(self, advice: str) -> AbstractContextManager[object]:
        """Hold the lock of a file that is elsewhere: another run folder may name it too. A server has its own.

        Args:
            advice: What the second agent should do.
        """
        file = None if self.is_own else file_of(self.url)
        if file is None or not file.parent.is_dir():
            return nullcontext()
        return RunLock(file.with_name(f"{file.name}.lock"), holder="agent", advice=advice)

    def require_ours(self, meta: CampaignMeta | None, campaign: str, *, resume: bool) -> None:
        """Check that the database is that of this run, or free.

        Args:
            meta: Whose it is; None while it is new.
            campaign: The campaign of the run.
            resume: Whether that has begun.

        Raises:
            StoreError: When it is another's, or was emptied.
        """
        if self.is_own:
            return
        if meta is None and self.remembered is not None and (self.folder / RECORDING).is_file():
            raise StoreError(
                f"{self.name} is empty, and {self.folder / RECORDING} is of a campaign that had begun: it was wiped",
                expected="the database that the campaign was begun with",
                action="restore it from a copy, or name the right one with --database",
            )
        if meta is None and self.remembered is None and resume:
            raise StoreError(
                f"{self.name} holds no campaign to resume",
                expected=f"that of the campaign {campaign!r}",
                action="correct --database, or start without --resume",
            )
        if meta is not None and meta.campaign != campaign:
            raise StoreError(
                f"{self.name} holds another campaign, {meta.campaign!r}",
                expected="a database for each campaign, or a schema",
                action=f"make one, such as with `createdb {campaign}`, and name it with --database",
            )
        if meta is not None and self.remembered is not None and meta.uid != self.remembered.uid:
            raise StoreError(
                f"{self.name} holds another campaign of the name {campaign!r} than {self.folder}",
                expected=f"the one whose attempts are called {self.remembered.uid}",
                action="name the right database with --database, or choose another --campaign",
            )

    def remember(self, store: Store, uid: str) -> None:
        """Let the run folder say where its database is.

        Args:
            store: The database.
            uid: Of its campaign.
        """
        if not self.is_own:
            write_place(self.folder, store.place(uid))


def _is_file(url: DatabaseUrl, file: Path) -> bool:
    named = file_of(url)
    return named is not None and named.resolve() == file.resolve()
