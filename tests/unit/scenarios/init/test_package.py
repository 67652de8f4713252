"""A package that is written has a name that hides nothing, and says by which name Entropilot finds it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from scenarios.init.package import write_package


@pytest.mark.parametrize(
    ("kind", "group", "place"),
    [
        ("policy", "entropilot.policies", "nearest_first.policy:NearestFirst"),
        ("evaluator", "entropilot.evaluators", "nearest_first.evaluator:NearestFirst"),
        ("reader", "entropilot.readers", "nearest_first.reader:nearest_first"),
    ],
)
def test_it_names_its_plug_in(kind: str, group: str, place: str, tmp_path: Path) -> None:
    written = write_package(kind, "nearest_first", tmp_path / "mine")
    told = tomllib.loads((written.folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert told["project"]["entry-points"] == {group: {"nearest_first": place}}
    for path in written.files:
        text = path.read_text(encoding="utf-8")
        assert "@" not in text.replace("@pytest", "").replace("@dataclass", "")
        if path.suffix == ".py":
            compile(text, str(path), "exec")


@pytest.mark.parametrize("name", ["Nearest", "1st", "a-b", "class", "", "x" * 41])
def test_what_is_no_name_of_a_module_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no name of a package"):
        write_package("policy", name, tmp_path / "mine")


@pytest.mark.parametrize(("name", "what"), [("numpy", "a module that is installed"), ("gap_gain", "a policy of ours")])
def test_a_name_that_is_taken_is_refused(name: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=what):
        write_package("policy", name, tmp_path / "mine")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is there already"):
        write_package("policy", "nearest_first", tmp_path)
