"""A calculator is one of a closed list, with parameters that are checked, and what names it for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ase.build import bulk

from protocols.errors import SettingsError
from protocols.extras import ExtraMissingError, is_installed
from protocols.wire.limits import MAX_PROVENANCE, MAX_REMARK_LENGTH
from simulators.calculators import provenance
from simulators.calculators.catalogue import CALCULATOR_NAMES, choose_calculator

EXTRA = {
    "tersoff": ("matscipy", "potentials"),
    "stillinger_weber": ("matscipy", "potentials"),
    "7net-0": ("sevenn", "mlip"),
    "chgnet": ("chgnet", "chgnet"),
}
"""Calculator -> its package and the extra that brings it."""


def test_the_list_is_what_is_documented() -> None:
    assert CALCULATOR_NAMES == (
        "emt", "lennard_jones", "morse", "tersoff", "stillinger_weber", "7net-0", "chgnet",
    )  # fmt: skip


@pytest.mark.parametrize("name", CALCULATOR_NAMES)
def test_each_says_by_what_version_and_parameters_it_calculates(name: str) -> None:
    package = EXTRA.get(name, ("ase", ""))[0]
    if package != "ase" and not is_installed(package):
        pytest.skip(f"{package} is not installed (extra {EXTRA[name][1]!r})")
    choice = choose_calculator(name)
    assert choice.name == name == choice.provenance["calculator"]
    assert choice.provenance["calculator_package"].startswith(f"{package} ")
    assert len(choice.provenance["parameters_sha256"]) == 64
    assert len(choice.provenance) <= MAX_PROVENANCE // 3, "there is room for what was done"
    assert all(len(value) <= MAX_REMARK_LENGTH for value in choice.provenance.values())
    assert choice.contact_distance("Si") > 1.0


def test_other_parameters_have_another_digest_and_the_same_ones_the_same() -> None:
    def digest(**parameters: object) -> str:
        return choose_calculator("lennard_jones", parameters).provenance["parameters_sha256"]

    assert digest() == digest(sigma=2.5, epsilon=0.1) == digest(epsilon=0.1) != digest(sigma=2.6)


@pytest.mark.parametrize("name", EXTRA)
def test_one_whose_extra_is_missing_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "is_installed", lambda _package: False)
    package, extra = EXTRA[name]
    with pytest.raises(ExtraMissingError) as lacking:
        choose_calculator(name)
    assert f"The calculator {name!r} needs {package}, which is not installed" in str(lacking.value)
    assert f"pip install 'entropilot[{extra}]'" in str(lacking.value)


def test_weights_that_are_not_inside_are_missed_by_name() -> None:
    with pytest.raises(ExtraMissingError, match=r"matscipy .* without its weights a/b"):
        provenance.weights_inside("matscipy", "a", "b")


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"w" * 3_000_000)
    assert provenance.file_digest(file) == hashlib.sha256(b"w" * 3_000_000).hexdigest()


def test_a_package_without_metadata_has_no_version() -> None:
    assert provenance.version_of("no_such_package_anywhere") == provenance.UNKNOWN_VERSION


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("gpaw", {}, "not in the list"),
        ("lenard_jones", {}, "did you mean 'lennard_jones'"),
        ("7net", {}, "did you mean '7net-0'"),
        ("emt", {"asap_cutoff": True}, "asap_cutoff"),
        ("lennard_jones", {"epsilon": float("nan")}, "epsilon = nan"),
        ("lennard_jones", {"sigma": 0.1}, "greater than or equal to 0.5"),
        ("morse", {"rcut1": 3.0, "rcut2": 2.0}, "rcut2"),
        ("stillinger_weber", {"a": 40.0}, "less than or equal to 3"),
        ("stillinger_weber", {"epsilon": -1.0}, "greater than 0"),
        ("tersoff", {"r1": 3.1}, "r2 = 3 must be larger than r1 = 3.1"),
        ("7net-0", {"device": "cuda"}, "device"),
        ("chgnet", {"model": "/tmp/weights.pth"}, "model"),
    ],
)
def test_what_is_not_in_the_list_or_out_of_range_is_refused(
    name: str, parameters: dict[str, object], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        choose_calculator(name, parameters)


@pytest.mark.parametrize("name", ["emt", "lennard_jones", "morse"])
def test_what_ase_brings_calculates(name: str) -> None:
    atoms = bulk("Cu")
    atoms.calc = choose_calculator(name).build()
    assert abs(atoms.get_potential_energy()) < 10
