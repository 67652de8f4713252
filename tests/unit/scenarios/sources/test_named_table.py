"""What is said of a table on the command line is taken as meant, or refused with what could be."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError, TableError
from protocols.tables.account import AccountEntry, Handling
from protocols.tables.format import USUAL
from scenarios.sources.named_table import (
    EVERYTHING,
    account_by_options,
    by_options,
    number_range,
    renamed,
    table_format,
    told_by_options,
)


def test_nothing_said_is_the_usual_table() -> None:
    assert table_format() == USUAL


@pytest.mark.parametrize(
    ("said", "mark"), [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), (" ", " "), ("Semicolon", ";")]
)
def test_a_delimiter_is_a_character_or_its_name(said: str, mark: str) -> None:
    assert table_format(said).delimiter == mark


@pytest.mark.parametrize(
    ("arguments", "found", "expected"),
    [
        (("ab",), "--delimiter 'ab'", "one character, or one of tab"),
        (("",), "--delimiter ''", "one character"),
        ((None, ";"), "--decimal ';'", "a point or a comma"),
        ((None, ".", ""), "--sheet ''", ""),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_option(arguments: tuple[str, ...], found: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=found) as caught:
        table_format(*arguments)
    assert expected in caught.value.expected


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_mark_for_missing_cells_is_refused_because_these_are_missing_anyway(empty: str) -> None:
    with pytest.raises(SettingsError, match=r"--missing names an empty text.*an empty cell is missing anyway"):
        table_format(missing=("-99", empty))


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("0,500", (0.0, 500.0)), ("[0, 5e2]", (0.0, 500.0)), ("-2.5 -1", (-2.5, -1.0)), ("0;1", (0.0, 1.0)),
        ("0,", (0.0, EVERYTHING[1])), (",3", (EVERYTHING[0], 3.0)), ("-inf,3", (EVERYTHING[0], 3.0)),
    ],
)  # fmt: skip
def test_a_range_has_two_ends_and_one_may_be_open(said: str, ends: tuple[float, float]) -> None:
    assert number_range(said) == ends


@pytest.mark.parametrize("said", ["", "5", "5,5", "6,5", "nan,5", "5,nan", "1e200,1e300", "low,high", "1,2,3"])
def test_what_is_no_range_is_refused(said: str) -> None:
    with pytest.raises(SettingsError, match=r"--valid-range .*no range of numbers.*LOW,HIGH"):
        number_range(said)


def test_spellings_mean_a_family_each() -> None:
    assert renamed(["Cubic=cubic", " F m-3m = cubic "]) == {"Cubic": "cubic", "F m-3m": "cubic"}
    for wrong in ("Cubic", "=cubic", "Cubic=", f"Cubic={'c' * 65}"):
        with pytest.raises(SettingsError, match=r"names no family.*AS_WRITTEN=FAMILY"):
            renamed([wrong])
    with pytest.raises(SettingsError, match="two families, 'a' and 'b'"):
        renamed(["x=a", "x=b"])


@pytest.mark.parametrize(
    ("setting", "option"),
    [
        ('set delimiter = ";" and decimal = ","', 'set --delimiter ";" and --decimal ","'),
        ("where they are commas all the same, set delimiter to that", "set --delimiter to that"),
        ('set sheet, as sheet = "A b"', 'set --sheet, as --sheet "A b"'),
        ("leave out decimal, or name another file", "leave out --decimal, or name another file"),
        ("set valid_range to what can be true", "set --valid-range to what can be true"),
        ("or leave it out of family_names", "or leave it out of --family-name"),
    ],
)
def test_advice_names_the_option_in_place_of_the_setting(setting: str, option: str) -> None:
    assert by_options(setting).endswith(option)


def test_a_refusal_keeps_what_was_found_and_advises_an_option() -> None:
    with pytest.raises(TableError) as caught, told_by_options():
        raise TableError("Column 'sheet' is odd", expected="one", action='set sheet, as sheet = "A"')
    assert str(caught.value) == "Column 'sheet' is odd. Expected: one. What to do: set --sheet, as --sheet \"A\"."


def test_notes_on_values_advise_an_option() -> None:
    entry = AccountEntry(handling=Handling.NOTED, reason='-9999; if so, set missing = ["-9999"]', count=1)
    (told,) = account_by_options((entry,))
    assert told.reason == '-9999; if so, set --missing "-9999"'
