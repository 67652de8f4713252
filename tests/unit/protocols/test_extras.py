"""A package that an installation may lack is imported where it is needed, or its extra is named."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.extras import EXTRA_OF, ExtraMissingError, is_installed, load
from tests.support.samples.molecules import hide, needs_rdkit

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("package", EXTRA_OF)
def test_an_extra_brings_the_package_that_it_is_named_for(package: str) -> None:
    brought = PROJECT["optional-dependencies"][EXTRA_OF[package]]
    assert any(requirement.startswith((f"{package}>=", f"{package}-")) for requirement in brought)


@pytest.mark.parametrize("package", EXTRA_OF)
def test_a_package_that_is_not_there_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    hide(monkeypatch, package)
    assert not is_installed(package)
    with pytest.raises(ExtraMissingError) as told:
        load(f"{package}.anything")
    assert isinstance(told.value, SettingsError)
    assert str(told.value) == (
        f"{package} is not installed. Expected: the extra '{EXTRA_OF[package]}'."
        f" What to do: pip install 'entropilot[{EXTRA_OF[package]}]'."
    )


@needs_rdkit
def test_a_module_of_a_package_that_is_there_is_returned() -> None:
    assert load("rdkit.Chem").MolFromSmiles("O").GetNumAtoms() == 1


def test_a_package_that_lacks_something_itself_is_told_with_what(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyscf").mkdir()
    (tmp_path / "pyscf" / "__init__.py").write_text("import a_library_that_is_not_there")
    monkeypatch.delitem(sys.modules, "pyscf", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ExtraMissingError, match=r"pyscf is installed and cannot be imported: .*a_library_that_is_not"):
        load("pyscf")
