"""A calculator of the user's own is made only where a person has allowed it by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.settings.user_code import CodeSource
from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.own import AllowedCalculator
from simulators.serving.capabilities import capabilities_of
from simulators.settings import SimulatorSettings

MINE = """
from ase.calculators.lj import LennardJones

LOADED = True
NUMBER = 3

def make(depth=0.1):
    return LennardJones(epsilon=depth, sigma=2.5)

def nothing():
    return 7

def raising(**_):
    raise RuntimeError("no licence")
"""
NAME = "mine.py:make"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def allowed(folder: Path, name: str = NAME) -> AllowedCalculator:
    return AllowedCalculator(name, CodeSource(str(folder)))


def test_what_nobody_has_allowed_is_refused_before_it_is_looked_for(folder: Path) -> None:
    for word in (None, allowed(folder, "mine.py:nothing"), allowed(folder, "other.py:make")):
        with pytest.raises(SettingsError, match=r"nobody here has allowed it.*--allow-calculator mine\.py:make"):
            choose_calculator(NAME, {}, word)


def test_settings_alone_allow_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the folder of the file, and with every field that there is."""
    monkeypatch.chdir(folder)
    settings = SimulatorSettings(calculator=NAME).with_code(CodeSource(str(folder)))
    assert settings.allowed_calculator is None
    with pytest.raises(SettingsError, match="nobody here has allowed it"):
        capabilities_of(settings)
    with pytest.raises(ValueError, match="Extra inputs"):
        SimulatorSettings.model_validate({"calculator": NAME, "allowed_calculator": {"name": NAME}})
    dumped = SimulatorSettings.model_validate(settings.with_allowed_calculator(allowed(folder)).model_dump())
    assert dumped.allowed_calculator is None, "a dump does not hand it on"


def test_what_is_allowed_is_made_with_its_parameters_once(folder: Path) -> None:
    choice = choose_calculator(NAME, {"depth": 0.7}, allowed(folder))
    assert choice.build().parameters["epsilon"] == 0.7
    assert choice.build() is choice.build()
    assert choice.elements is None
    assert choice.contact_distance("Cu") == pytest.approx(2.64)


def test_it_is_named_by_the_digest_of_its_code_and_of_its_parameters(folder: Path) -> None:
    first = choose_calculator(NAME, {"depth": 0.7}, allowed(folder)).provenance
    assert choose_calculator(NAME, {"depth": 0.8}, allowed(folder)).provenance != first
    (folder / "mine.py").write_text(MINE + "# changed\n")
    changed = choose_calculator(NAME, {"depth": 0.7}, allowed(folder)).provenance
    assert changed["calculator_code_sha256"] != first["calculator_code_sha256"]
    assert changed["parameters_sha256"] == first["parameters_sha256"]


def test_one_that_is_installed_is_named_by_the_version_of_its_package() -> None:
    name = "ase.calculators.emt:EMT"
    choice = choose_calculator(name, {}, AllowedCalculator(name))
    assert choice.provenance["calculator_package"].startswith("ase ")
    assert type(choice.build()).__name__ == "EMT"


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("mine.py:absent", {}, "there is no absent in it"),
        ("mine.py:NUMBER", {}, "cannot be called"),
        ("absent.py:make", {}, "There is no file"),
        ("mine.py:nothing", {}, "returned a int"),
        ("mine.py:raising", {}, "RuntimeError: no licence"),
        (NAME, {"hight": 1}, "cannot be made.*TypeError"),
    ],
)
def test_one_that_cannot_be_made_says_why(folder: Path, name: str, parameters: dict[str, object], says: str) -> None:
    choice = choose_calculator(name, parameters, allowed(folder, name))
    with pytest.raises(SettingsError, match=says):
        choice.build()
