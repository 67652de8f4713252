"""Makes a pack: scenario, tables and recording in one file that `run`, `replay` and `verify` take.

The same content gives the same bytes: members are sorted, and none has a time. Settings go in as a recording holds
them, without the broker. Structures stand in a table as text, never as the name of a file, so that a table is whole.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

from protocols.errors import StoreError
from protocols.recording.parts import open_parts, size_of
from protocols.recording.reader import lines_of
from protocols.storage.atomic_file import atomic_write
from protocols.storage.regular_file import begins_with
from scenarios.display.progress import ProgressCall, byte_counter
from scenarios.pack_file.manifest import (
    MANIFEST,
    MAX_MEMBER_BYTES,
    RECORDING,
    SCENARIO,
    TABLES,
    Manifest,
    PackMember,
    kind_of,
)
from scenarios.pack_file.mark import SUFFIX, ZIP_MAGIC
from scenarios.pack_file.reader import open_pack
from scenarios.pack_file.seal import UNSEALED, seal
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_settings

PACKING: Final = "packing"

Opened = Callable[[], contextlib.AbstractContextManager[BinaryIO]]

_FIRST_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP file can say: of every member, so that the same content gives the same bytes."""

_UNIX: Final = 3
"""System whose file modes the members carry."""

_CHUNK_BYTES: Final = 1 << 20

_STRANGE: Final = re.compile(r"[^A-Za-z0-9._-]")
"""What the name of a member cannot have."""

_LONGEST_NAME: Final = 80
"""Of a table, with room for a number that tells two of one name apart [character]."""


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into a pack.

    Attributes:
        name: Of the campaign, or of the scenario where there is no recording.
        scenario: Its settings, with its tables where they are.
        pool_digest: Of the pool that it makes.
        recording: The recording's file, plain or compressed; None for a scenario alone.
        notes: What a person should know.
    """

    name: str
    scenario: Scenario
    pool_digest: str
    recording: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackResult:
    """A pack that was made."""

    path: Path
    sha256: str
    manifest: Manifest
    notes: tuple[str, ...]


def write_pack(content: Content, out: Path, progress: ProgressCall) -> PackResult:
    """Write a pack, and read it again before it takes its place.

    Raises:
        StoreError: When it cannot be written, or something else is in its place.
    """
    if out.exists() and not begins_with(out, ZIP_MAGIC):
        raise StoreError(
            f"{out} exists and is no pack",
            expected="a new file, or a pack that is replaced",
            action="name another file with -o",
        )
    with atomic_write(out) as file:
        temporary = Path(file.name)
        try:
            _write(file, content, progress)
        except zipfile.LargeZipFile:
            raise _too_large("all of it together") from None
        file.flush()
        with temporary.open("r+b") as whole:
            seal(whole)
        with open_pack(temporary) as pack:
            pack.require_whole()
            return PackResult(out, pack.sha256, pack.manifest, content.notes)


def default_path(content: Content) -> Path:
    """Return where a pack goes unless told otherwise."""
    return Path(f"{content.name}{SUFFIX}")


def _write(file: BinaryIO, content: Content, progress: ProgressCall) -> None:
    members = _members(content)
    listed = []
    on_bytes = byte_counter(progress, PACKING, sum(size for _, size in members.values()))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
        archive.comment = UNSEALED
        for name, (opened, _) in sorted(members.items()):
            with opened() as source:
                listed.append(_add(archive, name, source, on_bytes))
        manifest = Manifest(
            entropilot=version("entropilot"),
            name=content.name,
            about=content.scenario.about,
            pool_digest=content.pool_digest,
            members=tuple(listed),
        )
        _add(archive, MANIFEST, io.BytesIO(_json(manifest.model_dump(mode="json"))), on_bytes)


def _members(content: Content) -> dict[str, tuple[Opened, int]]:
    """Return how each member is opened, and how large its file is [byte], by its name."""
    tables: dict[Path, str] = {}

    def member_of(path: str) -> str:
        return tables.setdefault(Path(path).resolve(), _table_name(path, tables.values()))

    settings = _json(recorded_settings(content.scenario.with_table_paths(member_of)))
    members: dict[str, tuple[Opened, int]] = {
        name: (partial(_plain, path), path.stat().st_size) for path, name in tables.items()
    }
    members[SCENARIO] = (lambda: contextlib.nullcontext(io.BytesIO(settings)), len(settings))
    if content.recording is not None:
        members[RECORDING] = (partial(_lines, content.recording), size_of(content.recording))
    return members


def _table_name(path: str, taken: Collection[str]) -> str:
    """Return the name of a table's member: its own, as far as that is one, and a number where it is taken."""
    name = _STRANGE.sub("_", Path(path).name)[-_LONGEST_NAME:].lstrip(".-") or "table"
    folded = {each.casefold() for each in taken}
    numbered = (f"{TABLES}/{number}-{name}" for number in itertools.count(2))
    return next(each for each in itertools.chain([f"{TABLES}/{name}"], numbered) if each.casefold() not in folded)


def _add(archive: zipfile.ZipFile, name: str, source: BinaryIO, on_bytes: Callable[[int], None]) -> PackMember:
    entry = zipfile.ZipInfo(name, _FIRST_TIME)
    entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    digest, count = hashlib.sha256(), 0
    with archive.open(entry, "w") as target:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            count += len(chunk)
            if count > MAX_MEMBER_BYTES:
                raise _too_large(name)
            target.write(chunk)
            on_bytes(len(chunk))
    return PackMember(name=name, kind=kind_of(name), bytes=count, sha256=digest.hexdigest())


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        yield file


@contextlib.contextmanager
def _lines(path: Path) -> Iterator[BinaryIO]:
    """Open a recording unpacked: compressed twice it would be larger."""
    with open_parts(path) as file:
        try:
            yield lines_of(file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise StoreError(
                f"{path} cannot be unpacked to its end ({error})",
                expected="a recording that is whole",
                action="restore it from a copy, pack what `gzip -dc` can still read of it, or leave it out with "
                "--no-recording",
            ) from None


def _json(tree: object) -> bytes:
    return (json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode()


def _too_large(what: str) -> StoreError:
    return StoreError(
        f"{what} has more than {MAX_MEMBER_BYTES:,} bytes",
        expected="tables and a recording that a pack can hold",
        action="leave the recording out with --no-recording, or hand the files on as they are",
    )
