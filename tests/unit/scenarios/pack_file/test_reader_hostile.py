"""What a pack must not hold is refused by the member's name, in clear words, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.pack_file.manifest import MANIFEST, MAX_MEMBERS, MAX_RATIO, SMALL_BYTES
from scenarios.pack_file.mark import is_pack
from scenarios.pack_file.reader import unpacked
from scenarios.sources.recording import find_recording
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.verify.pack_check import pack_parts
from tests.support.samples.packs import entry, manifest_of, resealed, sealed_zip, small_pack, tree_of, with_members

SCENARIO = {"scenario.json": b"{}"}
LISTED = {"name": "scenario.json", "kind": "scenario", "bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
TABLE = {"tables/t.csv": b"a,b\n1,2\n"}
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"

SIZE_IN = {LOCAL: 22, CENTRAL: 24}
"""Where a header says how large its member unpacks to."""


def linked(mode: int) -> bytes:
    return with_members(SCENARIO, entry("tables/t.csv", b"/etc/passwd", mode=mode))


def named(name: str) -> bytes:
    return with_members(SCENARIO, entry(name, b"x"))


def reading(path: str) -> bytes:
    return with_members({"scenario.json": json.dumps({"pool": {"path": path}}).encode()} | TABLE)


def encrypted() -> bytes:
    def change(content: bytearray) -> None:
        content[content.find(CENTRAL) + 8] |= 1

    return resealed(with_members(SCENARIO), change)


def lying_about_size(real: bytes, said: int, crc: int | None = None) -> bytes:
    """A member that unpacks to more than its headers, and the manifest, say; by default with the CRC of all of it."""
    said_bytes = said.to_bytes(4, "little")

    def change(content: bytearray) -> None:
        for mark, place in SIZE_IN.items():
            at = content.find(mark)
            content[at + place : at + place + 4] = said_bytes
            if crc is not None:
                content[at + place - 8 : at + place - 4] = crc.to_bytes(4, "little")

    listed = {"tables/t.csv": real[:said]} | SCENARIO
    entries = [entry("tables/t.csv", real), entry("scenario.json", b"{}"), entry(MANIFEST, manifest_of(listed))]
    return resealed(sealed_zip(entries), change)


def lying_about_growth() -> bytes:
    """A bomb that says that the bytes of the member behind it were its own, so that it seems to grow little."""
    junk = random.Random(0).randbytes(2 * SMALL_BYTES // MAX_RATIO)

    def change(content: bytearray) -> None:
        name = content.rfind(b"tables/t.csv")
        content[name - 26 : name - 22] = len(junk).to_bytes(4, "little")

    return resealed(with_members(SCENARIO | {"tables/t.csv": bytes(SMALL_BYTES + 1), "tables/u.csv": junk}), change)


def tar_file() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    return file.getvalue()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a link": (lambda: linked(stat.S_IFLNK | 0o777), r"tables/t\.csv: it is a link"),
    "a pipe": (lambda: linked(stat.S_IFIFO | 0o644), r"tables/t\.csv: it is a folder, a pipe or a device"),
    "a device": (lambda: linked(stat.S_IFBLK | 0o644), r"tables/t\.csv: it is a folder, a pipe or a device"),
    "a folder": (lambda: named("tables/"), "tables/: a pack has no such member"),
    "a path that leaves": (lambda: named("../x"), r"\.\./x: its path leaves the folder"),
    "a path that leaves below": (lambda: named("tables/../../x"), "its path leaves the folder"),
    "an absolute path": (lambda: named("/tmp/x"), "/tmp/x: its name is an absolute path"),
    "a backslash": (lambda: named("tables\\..\\x"), "a backslash or a drive"),
    "a drive": (lambda: named("C:x"), "C:x: its name has a backslash or a drive"),
    "a control character": (lambda: named("tables/\x1b[2Jx"), r"tables/\\x1b\[2Jx: a pack has no such member"),
    "a hidden file": (lambda: named("tables/.bashrc"), "a pack has no such member"),
    "two of a name": (lambda: with_members(SCENARIO | TABLE, entry("tables/t.csv", b"x")), "there are two"),
    "two by another case": (lambda: with_members(SCENARIO | TABLE, entry("tables/T.csv", b"x")), "there are two"),
    "more than listed": (lambda: with_members(SCENARIO, entry("tables/t.csv")), "the manifest does not list it"),
    "less than listed": (
        lambda: sealed_zip([entry("scenario.json", b"{}"), entry(MANIFEST, manifest_of(SCENARIO | TABLE))]),
        r"tables/t\.csv: the manifest lists it, and it is missing",
    ),
    "listed twice": (lambda: with_members(SCENARIO, members=[LISTED, LISTED]), "the manifest lists it twice"),
    "a wrong digest": (
        lambda: with_members(SCENARIO, members=[LISTED | {"sha256": "0" * 64}]),
        r"scenario\.json: its SHA-256 is not that of the manifest",
    ),
    "a wrong kind": (lambda: with_members(SCENARIO, members=[LISTED | {"kind": "table"}]), "the manifest calls it a"),
    "a wrong size": (lambda: with_members(SCENARIO, members=[LISTED | {"bytes": 3}]), "2 bytes, and 3 in the manifest"),
    "no scenario": (lambda: with_members(TABLE), r"scenario\.json: it is missing"),
    "no manifest": (lambda: sealed_zip([entry("scenario.json", b"{}")]), r"manifest\.json: it is missing"),
    "another manifest": (lambda: sealed_zip([entry(MANIFEST, b'{"a": 1}')]), "it is not the manifest of a pack"),
    "a manifest that is no JSON": (lambda: sealed_zip([entry(MANIFEST, b"[" * 100_000)]), r"manifest\.json: it is not"),
    "a newer version": (lambda: with_members(SCENARIO, entropilot_pack=3), "use a newer Entropilot"),
    "a pack of 0.1.0": (lambda: with_members(SCENARIO, entropilot_pack=1), "which Entropilot 0.1 wrote"),
    "an unknown field": (lambda: with_members(SCENARIO, more=1), r"manifest\.json: more: "),
    "encrypted": (encrypted, r"scenario\.json: it is encrypted"),
    "too many members": (
        lambda: with_members({f"tables/{number}.csv": b"" for number in range(MAX_MEMBERS)}),
        f"it has {MAX_MEMBERS + 1} members",
    ),
    "a bomb": (lambda: with_members(SCENARIO | {"tables/t.csv": bytes(SMALL_BYTES + 1)}), "times, more than 200 times"),
    "a bomb that lies": (lambda: lying_about_size(bytes(SMALL_BYTES), 100), r"tables/t\.csv: it cannot be unpacked"),
    "a bomb that lies about its growth": (lying_about_growth, "its members overlap"),
    "a giant manifest": (lambda: sealed_zip([entry(MANIFEST, bytes(5 << 20))]), r"manifest\.json: it unpacks to"),
    "settings that are none": (lambda: with_members({"scenario.json": b"[]"}), r"scenario\.json: it holds no settings"),
    "a table elsewhere": (lambda: reading("/etc/passwd"), "pool.path is '/etc/passwd', which is not in the pack"),
    "a table above": (lambda: reading("tables/../../x.csv"), "pool.path is 'tables/../../x.csv', which is not in"),
    "an instrument's table elsewhere": (
        lambda: with_members({"scenario.json": b'{"simulators": {"a": {"table": {"path": "/etc/passwd"}}}}'}),
        r"simulators\.a\.table\.path is '/etc/passwd', which is not in the pack",
    ),
    "a broker": (lambda: with_members({"scenario.json": b'{"broker": {"url": "mqtt://x"}}'}), "it names a broker"),
    "a tar file": (tar_file, "it is a tar file"),
    "a gzip file": (lambda: gzip.compress(b"x"), "it is compressed with gzip"),
    "a recording": (lambda: b'{"entropilot_recording": 3}\n', "it is a recording"),
    "nothing": (lambda: b"", "it is empty"),
    "binary": (lambda: bytes(range(256)) * 4, "it begins with"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_clear_words_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    make, words = HOSTILE[name]
    path = tmp_path / "hostile.pack"
    path.write_bytes(make())
    before = tree_of(tmp_path)
    with pytest.raises(StoreError, match=words) as error:
        load_scenario(str(path), Overrides(), {}, runs=tmp_path / "runs")
    assert error.value.expected
    assert error.value.action
    with pytest.raises(StoreError):
        find_recording(str(path), tmp_path / "runs")
    assert any(part.problem for part in pack_parts(path))
    assert tree_of(tmp_path) == before


def test_a_bomb_that_lies_in_everything_unpacks_to_no_more_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pack"
    path.write_bytes(lying_about_size(bytes(SMALL_BYTES), 100, crc=zlib.crc32(bytes(100))))
    folder = unpacked(path, tmp_path / "runs")
    assert (folder / "tables" / "t.csv").read_bytes() == bytes(100)


def test_a_zip_file_of_another_program_is_refused(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)
    sealed = packed.path.read_bytes()
    comment = len(sealed) - sealed.rfind(b"PK\x05\x06") - 22
    plain = sealed[:-comment]
    packed.path.write_bytes(plain[:-2] + b"\0\0")
    with pytest.raises(StoreError, match="its end is not that of a pack"):
        unpacked(packed.path, tmp_path / "runs")


def test_a_zip64_record_that_says_other_figures_is_refused(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)

    def change(content: bytearray) -> None:
        at = content.rfind(b"PK\x05\x06") - 20
        content[at : at + 4] = b"PK\x06\x07"

    packed.path.write_bytes(resealed(packed.path.read_bytes(), change))
    with pytest.raises(StoreError, match="its last record is not that of a pack"):
        unpacked(packed.path, tmp_path / "runs")


def test_a_pipe_and_a_folder_named_as_a_pack_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pack")
    (tmp_path / "folder.pack").mkdir()
    with pytest.raises(StoreError, match="is a pipe or a device"):
        unpacked(tmp_path / "pipe.pack", tmp_path / "runs")
    with pytest.raises(StoreError, match="is a folder"):
        unpacked(tmp_path / "folder.pack", tmp_path / "runs")


def test_a_pack_is_known_by_its_beginning_whatever_its_name(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)
    renamed = packed.path.rename(tmp_path / "small.zip")
    assert is_pack(renamed)
    assert not is_pack(tmp_path / "table.csv")
    assert not is_pack(tmp_path / ("x" * 5000))
