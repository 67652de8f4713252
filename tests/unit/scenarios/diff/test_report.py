"""The picture of a diff takes the place of a picture, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from scenarios.diff.report import require_picture


@pytest.mark.parametrize("name", ["x.pdf", "x.xyz", "x", "run.jsonl"])
def test_a_name_that_is_not_of_a_png_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot be the picture.*ends in \.png.*another --out"):
        require_picture(tmp_path / name)


def test_a_new_file_and_an_earlier_picture_may_be_written(tmp_path: Path) -> None:
    require_picture(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    require_picture(tmp_path / "x.png")


def test_what_is_no_picture_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text('{"entropilot_recording": 3}')
    (tmp_path / "folder.png").mkdir()
    for name in ("x.png", "folder.png"):
        with pytest.raises(StoreError, match=rf"{name} exists and is no picture.*another --out"):
            require_picture(tmp_path / name)
