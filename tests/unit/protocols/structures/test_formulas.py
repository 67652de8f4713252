"""A formula is read as it is meant, or refused: what could mean two things is never guessed."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.molecules.smiles import ELEMENTS
from protocols.structures.formulas import MAX_FORMULA_LENGTH, FormulaError, read_formula

DATA = Path(__file__).parents[4] / "../shared/data"

READ = {
    "Fe2O3": {"Fe": 2, "O": 3},
    "NaN": {"Na": 1, "N": 1},
    "CO": {"C": 1, "O": 1},
    "Co": {"Co": 1},
    "CH3COOH": {"C": 2, "H": 4, "O": 2},
    "Ca(OH)2": {"Ca": 1, "O": 2, "H": 2},
    "FeO(OH)": {"Fe": 1, "O": 2, "H": 1},
    "[Co(NH3)6]Cl3": {"Co": 1, "N": 6, "H": 18, "Cl": 3},
    "K4[ON(SO3)2]2": {"K": 4, "O": 14, "N": 2, "S": 4},
    "Fe{CN}6": {"Fe": 1, "C": 6, "N": 6},
    "La0.7Sr0.3MnO2.95": {"La": 0.7, "Sr": 0.3, "Mn": 1, "O": 2.95},
    "La1.85Sr0.15CuO4": {"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4},
    "La0.5Sr1.5MnO4": {"La": 0.5, "Sr": 1.5, "Mn": 1, "O": 4},
    "YBa2Cu3O6.9": {"Y": 1, "Ba": 2, "Cu": 3, "O": 6.9},
    "Ag0.5Ge1Pb1.75S4": {"Ag": 0.5, "Ge": 1, "Pb": 1.75, "S": 4},
    "Zr0.8Y0.2O2": {"Zr": 0.8, "Y": 0.2, "O": 2},
    "Cu1.8S": {"Cu": 1.8, "S": 1},
    "BaFe1.9As2": {"Ba": 1, "Fe": 1.9, "As": 2},
    "Fe.5Ni.5": {"Fe": 0.5, "Ni": 0.5},
    "La1.0Sr0.0MnO3": {"La": 1, "Mn": 1, "O": 3},
    "Fe2 O3": {"Fe": 2, "O": 3},
    "Na1 Cl1": {"Na": 1, "Cl": 1},
    "Ca1 (OH)2": {"Ca": 1, "O": 2, "H": 2},
    "H₂O": {"H": 2, "O": 1},
    "Fe₂.₅O₁₀": {"Fe": 2.5, "O": 10},
    "CuSO4·5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4*5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4•5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4 · 5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4 . 5H2O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO₄·5H₂O": {"Cu": 1, "S": 1, "O": 9, "H": 10},
    "CuSO4.H2O": {"Cu": 1, "S": 1, "O": 5, "H": 2},
    "CaSO4·0.5H2O": {"Ca": 1, "S": 1, "O": 4.5, "H": 1},
    "3CdSO4·8H2O": {"Cd": 3, "S": 3, "O": 20, "H": 16},
    "(CuSO4·5H2O)2": {"Cu": 2, "S": 2, "O": 18, "H": 20},
    "Na0.35CoO2·1.3H2O": {"Na": 0.35, "Co": 1, "O": 3.3, "H": 2.6},
    "Na0.35CoO2.H2O": {"Na": 0.35, "Co": 1, "O": 3, "H": 2},
    "2CaO.SiO2": {"Ca": 2, "Si": 1, "O": 4},
    "Bi2Sr2.1CaCu2O8": {"Bi": 2, "Sr": 2.1, "Ca": 1, "Cu": 2, "O": 8},
    "AgIn5I8": {"Ag": 1, "In": 5, "I": 8},
    "VI2": {"V": 1, "I": 2},
    "CaO·6Al2O3": {"Ca": 1, "Al": 12, "O": 19},
    "Cu1 S1 O4.5 H2 O1": {"Cu": 1, "S": 1, "O": 5.5, "H": 2},
}

REFUSED = {
    "a point with two meanings": [
        "CuSO4.5H2O", "Al2(SO4)3.18H2O", "Na2CO3.10H2O", "CuSO4.5(H2O)", "NiCl2.6NH3", "CaO.6Al2O3", "K2SO4.2CaSO4",
        "(CuSO4.5H2O)2", "MgCl2.6H2O.2NH3", "K2O.Al2O3.6SiO2",
    ],
    "two points in a number": ["CaSO4.0.5H2O", "Na0.35CoO2.1.3H2O", "Fe1.2.3"],
    "a mark with two meanings": ["Ba1·5Sr1·5TiO4", "Fe2*3O"],
    "an oxidation state": ["Fe(II)O", "Fe(III)2O3", "Cu(I)Cl", "V[V]2O5", "FeIIO", "FeIII2O3", "MnIVO2", "CuII"],
    "a remark in brackets": ["TiO2(B)", "Fe(BCC)"],
    "words": ["BCC Fe", "FCC", "HCPTi", "Fe alloy", "Fe  O", "SiC B", "Fe 2 O 3", "CuSO4 5H2O", "CuSO4. 5H2O"],
    "a sign": [
        "Fe3+", "Fe2+O2-", "Na+", "SO4^2-", "Fe³⁺", "Ti-6Al-4V", "Fe-Ni", "Nb3Sn1Sn-0.1", "U-235", "Fe−Ni",
    ],
    "an isotope": ["D2O", "LiD", "T2"],
    "an open amount": ["La1-xSrxMnO3", "YBa2Cu3O7-δ", "CuSO4·nH2O", "CuSO4.xH2O", "(CH2)n", "Cx", "SiOx"],
    "an amount of zero": ["Fe0", "Sr0La1MnO3", "Fe0.0", "Sr0.0"],
    "an amount that begins with zero": ["Ti02", "Fe00.5"],
    "an amount beyond all bounds": ["Fe99999999", "((Fe999)999)999O", "Fe0.0000000001O"],
    "a number before the formula": ["2MgO", "13CO2", "6LiF", "(2H2O)", "3CdSO4.8H2O"],
    "a mark out of place": ["·H2O", "Fe2··O", "CuSO4·5·H2O"],
    "a comma": ["Fe0,5Ni0,5", "(Mg,Fe)2SiO4"],
    "digits of two kinds": ["CuSO₄5H₂O", "CuSO₄.5H₂O"],
    "brackets": ["Fe)", "Fe(2)", "(Fe", "()", "(Fe]", "((((((((((Fe2)2)2)2)2)2)2)2)2)2"],
    "no chemical element": [
        "alpha-Fe", "fe2o3", "FE2O3", "Xx", "steel", "H2O(l)", "Y3Al5O12:Ce", "Fe/Ni", "Fe_2O", "Fe1e-3", "Fe２O",
        "Fe\u00a0O",
    ],
    "no formula": ["", "  ", "CuSO4.", "CuSO4·", "O2·95"],
    "too long": ["H" * (MAX_FORMULA_LENGTH + 1)],
}  # fmt: skip


@pytest.mark.parametrize(("text", "amounts"), READ.items(), ids=READ)
def test_a_formula_is_read_as_it_is_meant(text: str, amounts: dict[str, float]) -> None:
    read = read_formula(text)
    assert read == amounts
    assert list(read) == sorted(read)


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, texts in REFUSED.items() for text in texts])
def test_what_is_no_formula_or_could_mean_two_is_refused_with_its_reason(reason: str, text: str) -> None:
    with pytest.raises(FormulaError) as told:
        read_formula(text)
    assert told.value.reason == reason
    assert told.value.found
    assert told.value.expected


def test_an_unknown_symbol_is_named_with_its_place() -> None:
    with pytest.raises(FormulaError, match="'Xx' at character 4"):
        read_formula("Fe2Xx")


def test_a_hydrate_with_a_point_is_told_how_to_be_written() -> None:
    with pytest.raises(FormulaError, match="CuSO4·5H2O"):
        read_formula("MgSO4.7H2O")


def read_or_error(text: str) -> dict[str, float] | FormulaError:
    try:
        return read_formula(text)
    except FormulaError as error:
        return error


AMOUNTS = st.one_of(
    st.just(""), st.integers(1, 40).map(str), st.decimals("0.01", "9.99", places=2).map(lambda d: f"{d:.2f}")
)
UNITS = st.tuples(st.sampled_from(ELEMENTS), AMOUNTS).map("".join)
GROUPS = st.recursive(
    st.lists(UNITS, min_size=2, max_size=3).map("".join),
    lambda inner: st.tuples(st.sampled_from(["()", "[]", "{}"]), inner, st.integers(2, 4)).map(
        lambda drawn: f"{drawn[0][0]}{drawn[1]}{drawn[0][1]}{drawn[2]}"
    ),
    max_leaves=3,
)

REFUSED_BEYOND = {
    "a point with two meanings",
    "an isotope",
    "an amount that begins with zero",
    "an oxidation state",  # HII is hydrogen of state II to a chemist, and H I2 to pymatgen
    "words",
}
"""Reasons for which a formula is refused that pymatgen takes."""


@given(parts=st.lists(UNITS | GROUPS, min_size=1, max_size=5))
def test_what_is_read_is_what_pymatgen_reads(parts: list[str]) -> None:
    """Of what both take; what we refuse beyond it is what has two meanings."""
    composition = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed").Composition
    text = "".join(parts)
    read = read_or_error(text)
    if isinstance(read, FormulaError):
        assert read.reason in REFUSED_BEYOND
    else:
        assert read == pytest.approx(dict(composition(text).get_el_amt_dict()), rel=1e-12)


@given(text=st.text(alphabet="FeONaCl0123456789.()[]·*-+x ₂δ\u00a0é", max_size=20))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    read = read_or_error(text)
    if isinstance(read, FormulaError):
        assert read.reason
    else:
        assert all(amount > 0 for amount in read.values())
        assert not set("-+xδé") & set(text)


@given(text=st.lists(UNITS, min_size=2, max_size=5).map(" ".join))
def test_with_blanks_between_symbols_a_point_is_decimal(text: str) -> None:
    composition = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed").Composition
    assert read_formula(text) == pytest.approx(dict(composition(text).get_el_amt_dict()), rel=1e-12)


@pytest.mark.parametrize("name", ["mp3dsc/mp_3dsc_4704.csv", "jcfid/rows.csv.gz"])
def test_the_formulas_of_the_real_tables_are_read_as_pymatgen_reads_them(name: str) -> None:
    composition = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed").Composition
    path = DATA / name
    if not path.exists():
        pytest.skip("the real tables are not here")
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        formulas = [row["formula"] for row in csv.DictReader(file) if row["formula"]]
    assert len(formulas) > 4000
    assert [f for f in formulas if read_formula(f) != dict(composition(f).get_el_amt_dict())] == []


def test_the_documents_say_what_is_read_and_what_is_refused() -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/own-table.md").read_text(encoding="utf-8")
    table = page.partition("| formula | read as |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) > 10
    for line in table:
        formula, said = (cell.strip(" `") for cell in line.strip("|").split("|"))
        read = read_or_error(formula)
        if isinstance(read, FormulaError):
            assert said == f"refused: {read.reason}"
        else:
            assert said == ", ".join(f"{symbol} {amount:g}" for symbol, amount in read.items())
