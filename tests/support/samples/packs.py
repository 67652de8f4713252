"""Packs for the tests: a sound one of a small table, and others that no `entropilot pack` would make."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from protocols.recording.writer import RecordingWriter
from scenarios.pack.writer import Content, PackResult, write_pack
from scenarios.pack_file.manifest import MANIFEST, RECORDING, kind_of
from scenarios.pack_file.seal import UNSEALED, seal
from scenarios.settings.stored import recorded_settings
from scenarios.world.world import build_world
from tests.support.table_run import table_scenario

FILE_MODE: Final = stat.S_IFREG | 0o644

Entry = tuple[zipfile.ZipInfo, bytes]


def small_content(folder: Path, *, messages: int = 0) -> Content:
    """A scenario on the small table, which is written into `folder`; with messages also a recording of so many."""
    scenario = table_scenario(folder / "run")
    digest = build_world(scenario).pool.digest
    if not messages:
        return Content(scenario.name, scenario, digest)
    path = folder / RECORDING
    writer = RecordingWriter(
        path, {"campaign": "small", "pool_digest": digest, "scenario": recorded_settings(scenario), "versions": {}}
    )
    for number in range(messages):
        writer.write("in", "some/topic", f"message {number}".encode(), retain=False)
    writer.close()
    return Content("small", scenario, digest, path)


def small_pack(folder: Path, *, messages: int = 0) -> PackResult:
    """The pack of it."""
    return write_pack(small_content(folder, messages=messages), folder / "small.pack", lambda *_: None)


def entry(name: str, content: bytes = b"", *, mode: int = FILE_MODE) -> Entry:
    """A member of any name and kind."""
    made = zipfile.ZipInfo(name)
    made.filename = made.orig_filename = name
    made.compress_type, made.create_system, made.external_attr = zipfile.ZIP_DEFLATED, 3, mode << 16
    return made, content


def manifest_of(members: Mapping[str, bytes], /, **others: Any) -> bytes:
    """A manifest that lists these members as they are."""
    listed = [
        {"name": name, "kind": kind_of(name), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    ]
    tree = {"entropilot_pack": 2, "entropilot": "0", "name": "x", "about": "", "pool_digest": "0" * 64}
    return json.dumps(tree | {"members": listed} | others).encode()


def sealed_zip(entries: Sequence[Entry]) -> bytes:
    """A ZIP file of these members, in this order, with a seal that fits."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two of one name
        archive.comment = UNSEALED
        for info, content in entries:
            archive.writestr(info, content)
    seal(file)
    return file.getvalue()


def with_members(members: Mapping[str, bytes], /, *additional: Entry, **others: Any) -> bytes:
    """A sealed pack of these members and their manifest, and further members that it does not list."""
    entries = [entry(name, content) for name, content in members.items()]
    return sealed_zip([*entries, *additional, entry(MANIFEST, manifest_of(members, **others))])


def resealed(content: bytes, change: Callable[[bytearray], None]) -> bytes:
    """A pack with changed bytes, and a seal that fits them."""
    changed = bytearray(content)
    change(changed)
    file = io.BytesIO(bytes(changed))
    seal(file)
    return file.getvalue()


def tree_of(folder: Path) -> dict[str, bytes]:
    """Every file and folder below a folder."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}
