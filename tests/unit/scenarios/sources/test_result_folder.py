"""Results never take the place of earlier ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.sources.result_folder import new_file, new_folder, require_free, require_new

WRITTEN = ("figures.csv", "figures.png")


def test_results_go_to_a_folder_of_their_own_numbered_as_runs_are(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "trim-t.v2"
    made = [new_folder(place) for _ in range(3)]
    assert made == [place, place.with_name("trim-t.v2-2"), place.with_name("trim-t.v2-3")]
    assert all(folder.is_dir() for folder in made)


def test_a_file_or_a_dangling_link_in_place_of_the_folder_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a-2").symlink_to(tmp_path / "nowhere")
    assert new_folder(tmp_path / "a") == tmp_path / "a-3"


def test_a_folder_below_a_dangling_link_is_an_error_and_no_endless_search(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="runs"):
        new_folder(tmp_path / "runs" / "a")


def test_a_file_is_numbered_before_its_ending(tmp_path: Path) -> None:
    for expected in ("graph.toml", "graph-2.toml", "graph-3.toml"):
        path = new_file(tmp_path / "graph.toml")
        assert path == tmp_path / expected
        path.touch()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_named_folder_with_a_file_that_would_be_written_is_refused(tmp_path: Path, name: str) -> None:
    require_free(None, WRITTEN)
    require_free(tmp_path / "none-yet", WRITTEN)
    (tmp_path / "notes.txt").touch()
    require_free(tmp_path, WRITTEN)
    (tmp_path / name).touch()
    with pytest.raises(StoreError, match=f"holds {name} already.*choose another --out"):
        require_free(tmp_path, WRITTEN)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    with pytest.raises(StoreError, match=r"afile is no folder.*choose another --out"):
        require_free(tmp_path / "afile", WRITTEN)


def test_a_named_file_that_is_there_is_refused(tmp_path: Path) -> None:
    require_new(None)
    require_new(tmp_path / "new.toml")
    (tmp_path / "old.toml").touch()
    with pytest.raises(StoreError, match=r"old\.toml is there already.*choose another --out"):
        require_new(tmp_path / "old.toml")
