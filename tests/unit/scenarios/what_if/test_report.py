"""A what-if never takes the place of another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.what_if.report import WRITTEN, free_folder, require_free


def test_a_what_if_goes_to_a_folder_of_its_own_numbered_as_runs_are(tmp_path: Path) -> None:
    for expected in ("what-if-lab-random", "what-if-lab-random-2", "what-if-lab-random-3"):
        folder = free_folder(tmp_path, "lab", "random")
        assert folder == tmp_path / expected
        folder.mkdir()
    assert free_folder(tmp_path, "lab", "my.policies:Own") == tmp_path / "what-if-lab-my-policies-own"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_named_folder_with_a_file_of_a_what_if_is_refused(tmp_path: Path, name: str) -> None:
    require_free(tmp_path / "none-yet")
    (tmp_path / "notes.txt").touch()
    require_free(tmp_path)
    (tmp_path / name).touch()
    with pytest.raises(StoreError, match=f"holds {name} already.*choose another --out"):
        require_free(tmp_path)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    with pytest.raises(StoreError, match=r"afile is no folder.*choose another --out"):
        require_free(tmp_path / "afile")
