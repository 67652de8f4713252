"""The command that makes a bed says what is wrong before it measures anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.molecules.__main__ import main
from tests.support.samples.molecules import hide, needs_rdkit


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(each) for each in arguments])
    return code, capsys.readouterr().err


@needs_rdkit
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("positions = [", "cannot be read"),
        ('colour = "red"', "has a colour that cannot be used"),
        ("[groups]\nF = 1", "has a groups.F that cannot be used"),
        ('[groups]\noxo = "=O"', "The group 'oxo' is written '=O'"),
        ('positions = ["ipso"]', "no position 'ipso'"),
        (None, "cannot be read"),
    ],
)
def test_a_bed_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "bed.toml").write_text(content)
    code, said = told(capsys, tmp_path / "bed", "--bed", tmp_path / "bed.toml")
    assert code == 2
    assert words in said
    assert not (tmp_path / "bed").exists()


def test_a_bed_that_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "features.csv").write_text("mine")
    code, said = told(capsys, tmp_path)
    assert (code, (tmp_path / "features.csv").read_text()) == (2, "mine")
    assert "features.csv is there already" in said


def test_a_table_that_cannot_be_checked_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(capsys, "--check", tmp_path / "nothing.csv")
    assert code == 3
    assert "a table of designs" in said


def test_without_rdkit_the_extra_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "rdkit")
    code, said = told(capsys, tmp_path / "bed")
    assert code == 2
    assert "pip install 'entropilot[molecules]'" in said


@needs_rdkit
@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        ("", ("--edits", "99"), "1 to 6"),
        ('positions = ["meta"]', ("--edits", "1"), "A bed of edits has no positions"),
        ('[groups]\nH = "F"', ("--edits", "1"), "A group is called 'H'"),
        ("", ("--edits", "3", "--table", "none.csv", "--value", "mu"), "none.csv"),
        ("", ("--edits", "3", "--table", "values.csv", "--value", "mu"), "has no column 'mu'"),
        ("", ("--edits", "3", "--table", "values.csv", "--value", "dipole", "--smiles", "smi"), "has no column 'smi'"),
        ("", ("--edits", "3", "--table", "values.csv", "--value", "dipole"), "can be compared with another"),
    ],
)
@pytest.mark.usefixtures("in_a_folder")
def test_a_bed_of_edits_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], content: str, arguments: tuple[str, ...], words: str
) -> None:
    Path("bed.toml").write_text(content)
    Path("values.csv").write_text("smiles,dipole\nC,0\nO,1.8\n")
    code, said = told(capsys, "bed", "--bed", "bed.toml", *arguments)
    assert code in {2, 3}
    assert words in said
    assert not Path("bed").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("folder", "--check", "table.csv"),
        ("folder", "--processes", "0"),
        ("folder", "--fidelity", "x"),
        ("folder", "--table", "values.csv", "--value", "mu"),
        ("folder", "--edits", "3", "--table", "values.csv"),
        ("folder", "--edits", "3", "--value", "mu"),
        ("folder", "--edits", "0"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
