"""Packed text: what is read is what was packed, damage is told, and nothing grows beyond what a table may have."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.tables.formats import packing
from tests.support.samples.table_files import numbers_in, refused, texts_in

CONTENT = b"id,e\n" + b"".join(b"row %d,%d.5\n" % (row, row) for row in range(3000))


def zipped(content: bytes, *more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", content)
        for name in more:
            archive.writestr(name, "x")
    return file.getvalue()


def in_zstandard(content: bytes) -> bytes:
    compressor = pytest.importorskip("zstandard", reason="zstandard is an extra").ZstdCompressor(write_checksum=True)
    half = len(content) // 2
    return bytes(compressor.compress(content[:half]) + compressor.compress(content[half:]))  # two frames


PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zip": zipped, ".zst": in_zstandard,
}  # fmt: skip


def written(folder: Path, ending: str, content: bytes, name: str = "t.csv") -> Path:
    path = folder / f"{name}{ending}"
    path.write_bytes(content)
    return path


def test_every_packing_is_tried_here() -> None:
    assert PACKED.keys() == packing.PACKINGS.keys()


@pytest.mark.parametrize("ending", PACKED)
def test_a_packed_table_is_the_plain_one(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path, ending, PACKED[ending](CONTENT))
    assert numbers_in(path, "e") == [row + 0.5 for row in range(3000)]
    assert texts_in(path, "id")[-1] == "row 2999"


@pytest.mark.parametrize("ending", PACKED)
def test_a_packed_table_that_is_cut_short_or_is_none_is_refused(tmp_path: Path, ending: str) -> None:
    content = PACKED[ending](CONTENT)
    cuts = [content[: len(content) // 2], content[:-6], CONTENT, b""]
    for cut in cuts:
        said = refused(written(tmp_path, ending, cut), numeric=("e",))
        assert "cannot be read" in said or "is empty" in said


@pytest.mark.parametrize("ending", PACKED)
def test_a_table_that_grows_too_large_is_refused_while_it_is_unpacked(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, ending, PACKED[ending](CONTENT))
    monkeypatch.setattr(packing, "MAX_TABLE_BYTES", len(CONTENT) - 1)
    assert "when it is unpacked" in refused(path, numeric=("e",))
    monkeypatch.setattr(packing, "MAX_TABLE_BYTES", len(CONTENT))
    assert len(numbers_in(path, "e")) == 3000


def test_an_archive_of_several_files_or_of_none_is_refused(tmp_path: Path) -> None:
    several = refused(written(tmp_path, ".zip", zipped(CONTENT, "b.csv", "c.csv", "d.csv")))
    assert "has 4 files ('t.csv', 'b.csv', 'c.csv', …)" in several
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert "has 0 files" in refused(written(tmp_path, ".zip", empty.getvalue()))
    assert len(numbers_in(written(tmp_path, ".zip", zipped(CONTENT, "__MACOSX/._t.csv", "folder/")), "e")) == 3000


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(b"id,e\na,1\n"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of the member and of its entry
        content[content.index(mark) + offset] |= packing.ZIP_ENCRYPTED
    assert "asks for a password" in refused(written(tmp_path, ".zip", bytes(content)))


def test_a_zstandard_file_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, ".zst", in_zstandard(CONTENT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert "pip install 'entropilot[zstd]'" in refused(path)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("latin-1", "Windows-1252"), ("utf-32", "UTF-16")],
)
def test_another_encoding_is_told_with_the_way_out(tmp_path: Path, encoding: str, words: str) -> None:
    said = refused(written(tmp_path, "", "id,e\nMüller,1\n".encode(encoding)), texts=("id",))
    assert "is not UTF-8" in said
    assert words in said
    assert " -t utf-8 " in said
    assert " > utf8-" in said


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert texts_in(written(tmp_path, "", "id,e\nä,1\n".encode("utf-8-sig")), "id") == ["ä"]
    assert texts_in(written(tmp_path, "", '{"id":"ä"}\n'.encode("utf-8-sig"), "t.jsonl"), "id") == ["ä"]
