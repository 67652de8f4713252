"""Makes a run folder of a backup, from which `--resume`, `replay` and `verify` go on; nothing is ever overwritten."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading_journal
from protocols.errors import StoreError
from protocols.recording.reader import open_recording
from protocols.storage.private_files import make_private_folder, private_files
from protocols.storage.run_lock import sync_names
from scenarios.backup.manifest import Manifest
from scenarios.backup.sealed import copy_sealed, read_manifest
from scenarios.backup.server import fill_server
from scenarios.display.progress import ProgressCall


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A run folder that was made of a backup.

    Attributes:
        path: The run folder.
        manifest: What the backup says.
        notes: What a person should know.
    """

    path: Path
    manifest: Manifest
    notes: tuple[str, ...]


def restore(backup: Path, runs: Path, database: str | None, progress: ProgressCall) -> RestoreResult:
    """Make a run folder of a backup, whole or not at all.

    Args:
        backup: Its folder.
        runs: Where the run folder goes; it has the campaign's name.
        database: An empty database on a server that gets the journal; None: a file in the run folder.
        progress: Called with every file.

    Raises:
        StoreError: When the backup is none or was changed, or there is a run of that name.
    """
    manifest = read_manifest(backup)
    target = runs / manifest.campaign
    _require_free(target)
    with private_files(), _staged(runs) as stage:
        copy_sealed(backup, manifest, stage, progress)
        _require_moment(stage, manifest, backup)
        if database is not None:
            fill_server(stage, database, manifest)
        _require_free(target)
        stage.rename(target)
        sync_names(next(target.iterdir()))  # of whatever lies in it, the names above and its own
    return RestoreResult(target, manifest, tuple(_notes(manifest, database)))


def _require_free(target: Path) -> None:
    """Check that nothing is where the run folder goes.

    Raises:
        StoreError: When something is.
    """
    if target.exists() or target.is_symlink():
        raise StoreError(
            f"{target} is there already, and a backup overwrites nothing",
            expected="a folder of runs without that campaign",
            action="choose another --runs, or move that folder away",
        )


def _require_moment(stage: Path, manifest: Manifest, backup: Path) -> None:
    """Check that journal and recording are whole, and end where the backup says.

    Raises:
        StoreError: When one of them does not.
    """
    with reading_journal(stage / DATABASE) as (store, _connection):
        for _event in store.journal():
            pass  # each row is held against the chain of digests
        meta, head = store.meta(), store.head
    if meta is None or (meta.campaign, meta.uid) != (manifest.campaign, manifest.uid):
        raise _other(backup, f"its journal is not that of the campaign {manifest.campaign}")
    if (head.row, head.digest) != (manifest.row, manifest.digest):
        raise _other(backup, f"its journal ends at row {head.row}")
    if manifest.recording_row is not None:
        last = 0
        with open_recording(stage / RECORDING) as recording:
            for row in recording.rows():
                last = row.number
        if last != manifest.recording_row:
            raise _other(backup, f"its recording ends at row {last}")


def _other(backup: Path, found: str) -> StoreError:
    return StoreError(
        f"The backup {backup} is not what it says: {found}",
        expected="what `entropilot backup` wrote",
        action="take another backup of the campaign",
    )


@contextmanager
def _staged(runs: Path) -> Iterator[Path]:
    try:
        make_private_folder(runs)
        stage = Path(tempfile.mkdtemp(prefix=".part-", dir=runs))
    except OSError as error:
        raise StoreError(
            f"{runs} cannot be written ({error.strerror or error})",
            expected="a folder of your own with room for the run",
            action="choose another --runs, or free space",
        ) from None
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _notes(manifest: Manifest, database: str | None) -> Iterator[str]:
    yield (
        f"what was answered after row {manifest.row} is not in it: the resumed campaign asks again, and instruments "
        "that remember answer without measuring"
    )
    if manifest.from_server and database is None:
        yield "its journal was on a database's server and is a file of the run folder now; --database puts it on one"
