"""Reading a pack: everything is checked before anything is written, and it is unpacked whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from protocols.errors import StoreError
from protocols.storage.regular_file import require_regular_file
from scenarios.display.progress import ProgressCall, byte_counter, no_progress
from scenarios.pack_file.manifest import (
    MANIFEST,
    RECORDING,
    SCENARIO,
    Manifest,
    PackMember,
    WrongPack,
    parse_manifest,
    parse_settings,
    require_listed,
    require_members,
    require_within,
)
from scenarios.pack_file.seal import require_end, sealed_digest

PACKS: Final = ".packs"
"""Folder of unpacked packs, among the run folders."""

FOLDER_DIGITS: Final = 16
"""Hexadecimal digits of a pack's SHA-256 that name the folder it is unpacked to."""

_CHUNK_BYTES: Final = 1 << 20

_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What the zipfile module raises for an archive that is not sound."""


@dataclass(frozen=True, slots=True)
class Pack:
    """An opened pack, whose names and sizes are as they must be; the content is checked while it is read.

    Attributes:
        manifest: What it says of itself.
        sha256: Of the whole file.
        is_sealed: Whether the seal is that of the file.
    """

    manifest: Manifest
    sha256: str
    is_sealed: bool
    _archive: zipfile.ZipFile
    _on_bytes: Callable[[int], None]

    def chunks(self, member: PackMember) -> Iterator[bytes]:
        """Yield the content of a member, counted and digested on the way.

        Raises:
            WrongPack: When it is not what the manifest says.
        """
        digest, count = hashlib.sha256(), 0
        try:
            with self._archive.open(member.name) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    count += len(chunk)
                    if count > member.bytes:
                        break
                    digest.update(chunk)
                    self._on_bytes(len(chunk))
                    yield chunk
        except _UNREADABLE as error:
            raise WrongPack(member.name, f"it cannot be unpacked ({error})") from None
        if count != member.bytes or digest.hexdigest() != member.sha256:
            raise WrongPack(member.name, "its SHA-256 is not that of the manifest: it was changed")

    def require_member(self, member: PackMember) -> None:
        """Check a member.

        Raises:
            WrongPack: When it is not what the manifest says.
        """
        if member.name == SCENARIO:
            require_within(parse_settings(b"".join(self.chunks(member))), self.manifest)
            return
        for _ in self.chunks(member):
            pass

    def require_whole(self) -> None:
        """Check every byte.

        Raises:
            WrongPack: For the first member that is not what the manifest says, or for the seal.
        """
        for member in self.manifest.members:
            self.require_member(member)
        if not self.is_sealed:
            raise WrongPack("", BROKEN_SEAL)

    @contextmanager
    def recording(self) -> Iterator[BinaryIO]:
        """Open the recording."""
        with self._archive.open(RECORDING) as member:
            yield cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", member), _CHUNK_BYTES))


BROKEN_SEAL: Final = "its seal does not fit: a byte was changed"


@contextmanager
def open_pack(path: Path, progress: ProgressCall = no_progress, *, times: int = 1) -> Iterator[Pack]:
    """Open a pack, and check all that can be checked without unpacking.

    Args:
        path: The file.
        progress: For a progress bar over the members.
        times: How often every member will be read.

    Raises:
        StoreError: When it is none, or holds what a pack may not; and of any `WrongPack` while it is open.
    """
    require_regular_file(path, "pack")
    with _told(path), path.open("rb") as file:
        require_end(file)
        sha256, is_sealed = sealed_digest(file)
        with _archive(file) as archive:
            infos = archive.infolist()
            require_members(infos, path.stat().st_size)
            manifest = parse_manifest(_manifest_bytes(archive))
            require_listed(infos, manifest)
            total = times * sum(member.bytes for member in manifest.members)
            yield Pack(manifest, sha256, is_sealed, archive, byte_counter(progress, f"reading {path.name}", total))


def unpacked(path: Path, runs: Path, progress: ProgressCall = no_progress) -> Path:
    """Return the folder that a pack is unpacked to, below `runs`; it is unpacked when it is not there yet.

    Args:
        path: The pack.
        runs: Where run folders are.
        progress: For a progress bar.

    Raises:
        StoreError: When the pack is not sound (nothing is written then), or the folder is not as it was unpacked.
    """
    with open_pack(path, progress, times=2) as pack:
        pack.require_whole()  # before a byte is written
        folder = runs / PACKS / pack.sha256[:FOLDER_DIGITS]
        if not folder.exists():
            _unpack(pack, folder)
        _require_unpacked(folder, pack.manifest)
        return folder


def recording_to_pack(path: Path, runs: Path, progress: ProgressCall = no_progress) -> Path:
    """Return the recording of a pack, unpacked.

    Raises:
        StoreError: As `unpacked`, or when there is none.
    """
    folder = unpacked(path, runs, progress)
    if not (folder / RECORDING).is_file():
        raise StoreError(
            f"{path} holds a scenario and no recording",
            expected="a pack that was made of a run or a recording",
            action="`entropilot run` it",
        )
    return folder / RECORDING


def settings_to_pack(folder: Path) -> dict[str, Any] | None:
    """Return the settings in the folder of an unpacked pack; None for every other folder."""
    if folder.parent.name != PACKS or not (folder / SCENARIO).is_file():
        return None
    with _told(folder):
        return parse_settings((folder / SCENARIO).read_bytes())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of which file it is what is wrong."""
    try:
        yield
    except WrongPack as wrong:
        raise StoreError(
            f"{path}: {wrong}",
            expected=wrong.expected or "a pack as `entropilot pack` made it",
            action=wrong.action or "copy it again, or pack it again; nothing was unpacked",
        ) from None


@contextmanager
def _archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except _UNREADABLE as error:
        raise WrongPack("", f"its directory cannot be read ({error})") from None
    with archive:
        yield archive


def _manifest_bytes(archive: zipfile.ZipFile) -> bytes:
    try:
        return archive.read(MANIFEST)  # its size was checked, and zipfile gives no more than that
    except _UNREADABLE as error:
        raise WrongPack(MANIFEST, f"it cannot be unpacked ({error})") from None


def _unpack(pack: Pack, folder: Path) -> None:
    """Write the members beside the place, and put them there when all went well."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(beside, ignore_errors=True)  # of a process that died
    try:
        for member in pack.manifest.members:
            target = beside / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for chunk in pack.chunks(member):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        try:
            beside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was quicker with the same
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _require_unpacked(folder: Path, manifest: Manifest) -> None:
    """Check that what was unpacked, now or long ago, is what the manifest says."""
    for member in manifest.members:
        path = folder / member.name
        try:
            is_there = stat.S_ISREG(path.lstat().st_mode)
        except OSError:
            is_there = False
        if is_there:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == member.sha256:
                    continue
        raise StoreError(
            f"{path} is not what was unpacked",
            expected="the files of the pack, as they were unpacked",
            action=f"remove the folder {folder}; it is unpacked again",
        )
