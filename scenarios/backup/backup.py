"""Backs a campaign up while it works: its database and its recording as they stood at one commit, sealed.

The agent is not asked and not held: SQLite gives a reader one moment while its writer goes on, and a server gives a
transaction that sees one. The recording is written ahead of every commit, so what belongs to that moment is there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, or_, select

from agent.run_files import DATABASE, LOG, PACE, RECORDING, SENT
from agent.store.commit import JournalHead, RecordingMark
from agent.store.place import elsewhere
from agent.store.read_only import copy_of_run, file_of, reading_journal
from agent.store.tables import RECORDING_MARK, REQUEST, CampaignMeta
from protocols.errors import StoreError
from protocols.storage.private_files import make_private_folder, private_files
from protocols.storage.run_lock import sync_names
from protocols.storage.server_url import DatabaseUrl
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.backup.manifest import MANIFEST, Manifest, SavedFile
from scenarios.backup.memories import HeldMemory, held_memories
from scenarios.backup.recording_cut import cut_recording
from scenarios.display.progress import ProgressCall
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.run_folder import names_in_turn

BACKUPS: Final = ".backups"
"""Folder below that of the runs where backups go unless told otherwise."""

ALSO_KEPT: Final = (PACE, SENT, LOG)
"""Files of an agent that go with it, where they are there: later ones of the same run do no harm."""

KEPT_KINDS: Final = ("*.csv", "*.png", "summary.json", "shadow.json")
"""What the end of a run wrote for people. Never what holds a password, such as connection.json."""

LATEST_ANSWERS: Final = 512
"""Answers of the journal that the memories must know: more than come while the journal is opened."""

OBSERVED: Final = "observed"
FAILED: Final = "failed: "
"""How the outcome of an attempt begins that an instrument has answered."""

TRIES_FOR_UNKNOWN: Final = 5
"""How often they are read again for an answer to an attempt of which a memory knows nothing: it may never."""

MOST_TRIES: Final = 20
"""How often journal and memories are read again when an answer came in between: each time it is unlikely."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that was made.

    Attributes:
        path: Its folder.
        manifest: What it says.
        removed: Older backups that were removed for it.
    """

    path: Path
    manifest: Manifest
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a copy of a database says of its moment."""

    meta: CampaignMeta
    head: JournalHead
    mark: RecordingMark | None
    answered: Mapping[str, Sequence[str]]
    """Recipient -> its attempts that were answered lately."""


def back_up(
    run: str, runs: Path, to: Path | None, database: DatabaseUrl | None, progress: ProgressCall
) -> BackupResult:
    """Write a backup of a run into a new folder, whole or not at all.

    Args:
        run: Its name or folder.
        runs: Where runs are.
        to: Folder that gets the backup's folder; by default one below that of the runs.
        database: Another one than the run folder's own, or than it remembers.
        progress: Called with every file.

    Raises:
        StoreError: When there is no such run, it is damaged, or the backup cannot be written.
    """
    found = identify(run, runs, RunPath)
    if not found.has_database and database is None:
        raise StoreError(
            f"{found.path} has no journal: it is the folder of a shadow, or of a run that never began",
            expected="a run folder of an agent",
            action="copy it as it is: nothing in it is continued",
        )
    place = to or runs / BACKUPS
    with private_files(), _staged(place) as stage:
        moment = _copied(found.path, database, stage)
        recording_row = _recorded(found.path, stage, moment)
        _copy_beside(found.path, stage)
        url = elsewhere(found.path, database)
        manifest = Manifest(
            entropilot=version("entropilot"),
            campaign=moment.meta.campaign,
            uid=moment.meta.uid,
            made_at=datetime.now(UTC).replace(microsecond=0),
            row=moment.head.row,
            digest=moment.head.digest,
            recording_row=recording_row,
            from_server=url is not None and file_of(url) is None,
            files=tuple(saved_files(stage, progress)),
        ).sealed()
        (stage / MANIFEST).write_bytes(manifest.as_json())
        _sync(stage)
        return BackupResult(_put(stage, place, manifest), manifest)


def saved_files(folder: Path, progress: ProgressCall) -> Iterator[SavedFile]:
    """Yield what is said of each file of a backup, by name in order; the manifest is none of them."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    for number, path in enumerate(paths, 1):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield SavedFile(name=path.name, size=path.stat().st_size, sha256=digest)
        progress("sealing", number, len(paths))


def _copied(folder: Path, database: DatabaseUrl | None, stage: Path) -> _Moment:
    """Copy the database and the memories of instruments at moments that fit; return what the database says."""
    copy = stage / DATABASE
    for tried in range(MOST_TRIES):
        with ExitStack() as opened:
            memories: list[HeldMemory] = []
            hold = partial(_hold, folder, opened, memories)
            if problem := copy_of_run(folder / DATABASE, database, copy, hold).problem:
                raise StoreError(
                    f"The database of {folder} is damaged: {problem}",
                    expected="a file as SQLite wrote it",
                    action="restore the run from an earlier backup",
                )
            with reading_journal(copy) as (store, connection):
                for _event in store.journal():
                    pass  # each row is held against the chain of digests
                moment = _moment_of(connection, store.meta(), store.head, folder)
            if _fit(memories, moment.answered, unknown=tried < TRIES_FOR_UNKNOWN):
                for each in memories:
                    each.copy_to(stage)
                return moment
            copy.unlink()
    raise StoreError(
        f"The instruments of {folder} answer faster than its journal can be copied",
        expected="a moment in which journal and memories agree",
        action="pause the campaign (`entropilot control … pause`), back it up, and resume it",
    )


def _moment_of(connection: Connection, meta: CampaignMeta | None, head: JournalHead, folder: Path) -> _Moment:
    if meta is None:
        raise StoreError(
            f"The campaign of {folder} has not begun", expected="a journal with rows", action="back it up later"
        )
    last = select(RECORDING_MARK.c.row, RECORDING_MARK.c.digest).order_by(RECORDING_MARK.c.row.desc()).limit(1)
    found = connection.execute(last).first()
    answered = (
        select(REQUEST.c.recipient, REQUEST.c.attempt_id)
        .where(or_(REQUEST.c.outcome == OBSERVED, REQUEST.c.outcome.startswith(FAILED)))
        .order_by(REQUEST.c.closed_sequence.desc())
        .limit(LATEST_ANSWERS)
    )
    mark = None if found is None else RecordingMark(found.row, found.digest)
    by_recipient: dict[str, list[str]] = {}
    for recipient, attempt_id in connection.execute(answered):
        by_recipient.setdefault(recipient, []).append(attempt_id)
    return _Moment(meta, head, mark, by_recipient)


def _hold(folder: Path, opened: ExitStack, memories: list[HeldMemory]) -> None:
    """Hold the memories just before the moment of the journal."""
    memories.extend(opened.enter_context(held_memories(folder)))


def _fit(memories: Sequence[HeldMemory], answered: Mapping[str, Sequence[str]], *, unknown: bool) -> bool:
    """Tell whether the memories have all answers that the journal has.

    Args:
        memories: As they were held.
        answered: Recipient -> its attempts that were answered lately.
        unknown: Whether an answer to an attempt counts as lacking that a memory does not know: it may have been given
            an empty one, or have asked for it just now.
    """
    shared = answered.get(ANY_SIMULATOR, ())  # one of them had it, and the others never heard of it
    own = any(each.lacks_answer(answered.get(each.path.stem, ()), unknown=unknown) for each in memories)
    return not own and not any(each.lacks_answer(shared) for each in memories)


def _recorded(folder: Path, stage: Path, moment: _Moment) -> int | None:
    path = folder / RECORDING
    if not path.is_file():
        return None
    try:
        return cut_recording(path, stage / RECORDING, moment.mark)
    except OSError as error:
        raise _unwritable(stage, error) from None


def _copy_beside(folder: Path, stage: Path) -> None:
    """Copy what else belongs to the run, as it stands now."""
    named = [folder / name for name in ALSO_KEPT]
    for path in [*named, *(path for kind in KEPT_KINDS for path in folder.glob(kind))]:
        if path.is_file() and not path.is_symlink():
            try:
                shutil.copyfile(path, stage / path.name)
            except OSError as error:
                raise _unwritable(stage, error) from None


@contextmanager
def _staged(place: Path) -> Iterator[Path]:
    """Make a folder beside the backup to be, which is gone when the block ends and it was not given its name."""
    try:
        make_private_folder(place)
        stage = Path(tempfile.mkdtemp(prefix=".part-", dir=place))
    except OSError as error:
        raise _unwritable(place, error) from None
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put(stage: Path, place: Path, manifest: Manifest) -> Path:
    """Give a backup its name, with a number where one of the same second and row is there."""
    name = f"{manifest.campaign}-{manifest.made_at:%Y%m%dT%H%M%SZ}-row{manifest.row}"
    path = next(place / each for each in names_in_turn(name) if not (place / each).exists())
    try:
        stage.rename(path)
        sync_names(path / MANIFEST)
    except OSError as error:
        raise _unwritable(path, error) from None
    return path


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The backup cannot be written to {path} ({error.strerror or error})",
        expected="a folder of your own with room for a copy of the run",
        action="name another folder, or free space",
    )
