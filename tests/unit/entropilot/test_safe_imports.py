"""The current folder is left out only for our own command, and a package that hides one of ours is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import entropilot
from entropilot._safe_imports import SIBLINGS, HiddenPackageError, leave_out_current_folder, require_siblings

PACKAGE = entropilot.__path__[0]


@pytest.mark.parametrize(
    ("command", "safe_path", "left"),
    [
        (["python", "-m", "entropilot", "list"], False, ["lib"]),
        (["python", "-X", "dev", "-m", "entropilot"], False, ["lib"]),
        (["python", "-P", "-m", "entropilot"], True, ["here", "lib"]),
        (["python", "-m", "pytest", "entropilot"], False, ["here", "lib"]),
        (["bin/entropilot", "run", "-m"], False, ["here", "lib"]),
        (["python"], False, ["here", "lib"]),
    ],
)
def test_only_our_own_module_as_a_program_leaves_the_current_folder_out(
    command: list[str], safe_path: bool, left: list[str]
) -> None:
    path = ["here", "lib"]
    leave_out_current_folder(path, command, safe_path=safe_path)
    assert path == left


def test_our_packages_lie_beside_each_other() -> None:
    require_siblings(PACKAGE)


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_package_that_hides_one_of_ours_is_named_with_its_place_and_not_imported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(HiddenPackageError) as caught:
        require_siblings(PACKAGE)
    told = str(caught.value)
    assert f"{name!r} cannot be used: another package hides it: {tmp_path / name}" in told
    assert f"Expected: {Path(PACKAGE).parent / name}" in told
    assert "virtual environment of its own" in told
    assert name not in sys.modules


def test_a_package_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for module in [module for module in sys.modules if module.partition(".")[0] == "agent"]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(HiddenPackageError, match=r"'agent' cannot be used: it is not there.*install Entropilot again"):
        require_siblings(PACKAGE)


def test_the_command_line_ends_as_for_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/entropilot", "list"])
    with pytest.raises(SystemExit) as caught:
        require_siblings(str(tmp_path / "elsewhere" / "entropilot"))
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: Entropilot's package 'agent' cannot be used: another package hides it: ")
    assert said.count("\n") == 1
