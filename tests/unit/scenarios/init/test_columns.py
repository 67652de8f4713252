"""What the columns of a table are is guessed as a person would, and told why; what is asked for stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import TableError
from protocols.tables.format import TableFormat
from scenarios.init.columns import Asked, Guess, bare_name, guess_columns, unit_of

ROWS = "\n".join(f"S{n},{'ab'[n % 2]},{900 + n},{5 + n},{300 + n if n < 3 else ''},ok" for n in range(9))
TABLE = "sample,kind,temperature [K],time (min),strength,remark\n" + ROWS + "\n"


def guessed(folder: Path, text: str = TABLE, asked: Asked | None = None) -> Guess:
    path = folder / "recipes.csv"
    path.write_text(text, encoding="utf-8")
    return guess_columns(path, asked or Asked())


def refused(folder: Path, text: str = TABLE, asked: Asked | None = None) -> str:
    with pytest.raises(TableError) as error:
        guessed(folder, text, asked)
    return str(error.value)


def test_a_table_of_recipes_is_understood(tmp_path: Path) -> None:
    guess = guessed(tmp_path)
    assert (guess.id, guess.family, guess.property) == ("sample", "kind", "strength")
    assert guess.parameters == {"temperature [K]": "K", "time (min)": "min"}
    assert (guess.rows, guess.known, guess.unused) == (9, 3, ("remark",))
    assert guess.why["property"] == "the last column with empty cells: these are not measured yet"
    assert guess.why["family"] == "2 different words: a, b"


def test_what_is_asked_for_stands(tmp_path: Path) -> None:
    asked = Asked(property="time (min)", unit="s", id="sample", family="kind")
    guess = guessed(tmp_path, asked=asked)
    assert (guess.property, guess.unit, guess.known) == ("time (min)", "s", 9)
    assert guess.why == {}
    assert guessed(tmp_path, asked=Asked(property="time (min)")).unit == "min"


def test_a_table_that_is_measured_through_has_its_last_number_for_the_property(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "x,y\n" + "\n".join(f"{n},{2 * n}" for n in range(6)) + "\n")
    assert (guess.property, guess.id, guess.family) == ("y", None, None)
    assert guess.why["property"] == "the last column of numbers"


def test_a_column_of_numbers_is_an_id_where_it_is_called_so(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "id,x,y\n" + "\n".join(f"{n},{n},{n}" for n in range(6)) + "\n")
    assert (guess.id, set(guess.parameters)) == ("id", {"x"})


def test_a_property_that_nobody_has_measured_is_one_all_the_same(tmp_path: Path) -> None:
    guess = guessed(tmp_path, "id,x,strength\n" + "\n".join(f"S{n},{n}," for n in range(6)) + "\n")
    assert (guess.property, guess.known) == ("strength", 0)


def test_a_decimal_comma_is_understood_where_it_is_told(tmp_path: Path) -> None:
    text = "id;x;y\n" + "\n".join(f"S{n};{n},5;" for n in range(4)) + "\n"
    guess = guessed(tmp_path, text, Asked(format=TableFormat(delimiter=";", decimal=",")))
    assert set(guess.parameters) == {"x"}


def test_what_no_lab_can_be_started_with_is_refused(tmp_path: Path) -> None:
    assert "did you mean 'strength'?" in refused(tmp_path, asked=Asked(property="strenth"))
    assert "stays empty" in refused(tmp_path, asked=Asked(family="qqqq"))
    assert "no column of numbers that a lab could set" in refused(tmp_path, "id,y\nS1,1\nS2,\n")
    assert "--property" in refused(tmp_path, "id,kind\nS1,a\nS2,b\n")


def test_a_unit_is_what_stands_in_brackets_behind_a_name() -> None:
    assert [(bare_name(each), unit_of(each)) for each in ("T [K]", "time (min)", "x", "[K]")] == [
        ("T", "K"), ("time", "min"), ("x", ""), ("[K]", "")
    ]  # fmt: skip


def test_a_column_of_numbers_with_empty_cells_is_nothing_that_a_lab_sets(tmp_path: Path) -> None:
    guess = guessed(tmp_path, TABLE.replace("S4,a,904,9,,ok", "S4,a,904,,,ok"), Asked(property="strength"))
    assert guess.parameters == {"temperature [K]": "K"}
    assert "time (min)" in guess.unused
