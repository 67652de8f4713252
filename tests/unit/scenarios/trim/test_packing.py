"""What is packed is unpacked by everybody's programs, and the same rows give the same bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from protocols.tables.formats.packing import PACKINGS, open_bytes
from scenarios.trim.packing import packed

DATA = b"family,energy\n" + b"a,1.5\n" * 1000


def written(suffix: str) -> bytes:
    file = io.BytesIO()
    with packed(file, suffix, "t.csv") as stream:
        stream.write(DATA[:100])
        stream.write(DATA[100:])
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["", *PACKINGS])
def test_what_is_packed_is_read_again(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(written(suffix))
    with open_bytes(path) as file:
        assert file.read() == DATA
    assert len(pd.read_csv(path)) == 1000
    assert written(suffix) == path.read_bytes()
    assert suffix == "" or path.stat().st_size < len(DATA) / 10


def test_an_archive_names_its_only_file() -> None:
    with zipfile.ZipFile(io.BytesIO(written(".zip"))) as archive:
        assert archive.namelist() == ["t.csv"]
