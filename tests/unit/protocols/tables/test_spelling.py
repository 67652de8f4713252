"""Names that are surely the same are folded, those that are likely the same are told."""

from __future__ import annotations

import pytest

from protocols.tables.account import Finding, Handling
from protocols.tables.spelling import MAX_PAIRS_TOLD, cleaned, folded, likely_the_same, tidied, told


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" a \t b\n", "a b"),
        ("a\xa0\u2009b", "a b"),
        ("\ufeffcu\u200bbic\u00ad", "cubic"),
        ("cubic\x00\x00", "cubic"),
        ("e\u0301", "é"),
        ("\u212b", "Å"),
        ("ｃｕｂｉｃ", "cubic"),
        ("ﬁlm", "film"),
        ("\xb5m", "μm"),
        ("m²", "m²"),
        ("½", "½"),
        ("Fe₂O₃", "Fe₂O₃"),
        ("P-1", "P-1"),
        ("日本", "日本"),
    ],
)
def test_blanks_forms_and_what_nobody_sees_tell_no_names_apart(text: str, clean: str) -> None:
    assert cleaned(text) == clean
    assert cleaned(clean) == clean


@pytest.mark.parametrize(
    ("texts", "one"),
    [
        ({"194.0", "225", ""}, {"194.0": "194"}),
        ({"194.0", "225.00", "-0"}, {"194.0": "194", "225.00": "225", "-0": "0"}),
        ({"194.0", "225.5"}, {}),
        ({"194.0", "x"}, {}),
        ({"007", "194.0"}, {}),
        ({"1.1", "1.10"}, {}),
        ({"true", "FALSE"}, {"true": "True", "FALSE": "False"}),
        ({"true", "maybe"}, {}),
        ({"a  b", "a b"}, {"a  b": "a b"}),
        ({"12345678901234567890.0"}, {"12345678901234567890.0": "12345678901234567890"}),
    ],
)
def test_whole_numbers_and_truth_have_one_spelling_where_all_of_a_column_are_such(
    texts: set[str], one: dict[str, str]
) -> None:
    assert tidied(texts) == one


def test_capitals_of_crystal_systems_are_folded_where_nothing_else_stands_in_the_column() -> None:
    assert folded({"Cubic", "cubic", "Hexagonal", ""}) == {"Cubic": "cubic", "Hexagonal": "hexagonal"}
    assert folded({"Cubic", "cubic", "glass"}) == {}
    assert folded({"Cubic", "Hexagonal"}) == {}  # nothing to fold: they stay as they are


def test_a_spelling_that_is_mapped_goes_first_and_however_it_is_cleaned() -> None:
    assert folded({"Cubic", "fcc ", "a  b"}, {"fcc ": "Cubic", "a b": "c"}) == {"fcc ": "Cubic", "a  b": "c"}
    assert folded({"NA", "x"}, {"NA": "NA"}) == {}


def test_every_folded_spelling_is_named_with_what_it_is_read_as() -> None:
    texts = ["cubic", "Cubic", "cubic", "Cubic"]
    assert list(told("s", texts, {"Cubic": "cubic"}, [0, 1, 4, 5])) == [
        Finding(Handling.FOLDED, "column 's': 'Cubic' is read as 'cubic'", [1, 5])
    ]


def test_a_difference_that_nobody_sees_is_shown() -> None:
    (finding,) = told("s", ["e\u0301"], {"e\u0301": "é"}, [0])
    assert r"'e\u0301' is read as '\xe9'" in finding.reason


def test_whole_numbers_make_one_entry_however_many_they_are() -> None:
    texts = [f"{number}.0" for number in range(300)]
    (finding,) = told("n", texts, tidied(texts), range(300))
    assert (finding.handling, finding.count) == (Handling.CONVERTED, 300)


def test_many_spellings_make_few_entries() -> None:
    texts = [f"a  {number}x" for number in range(50)]
    findings = list(told("n", texts, tidied(texts), range(50)))
    assert len(findings) == MAX_PAIRS_TOLD + 1
    assert sum(each.count for each in findings) == 50


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Glass", "glass"),
        ("space group", "space_group"),
        ("non-cubic", "non cubic"),
        ("F m -3 m", "Fm-3m"),
        ("194", "194.0"),
        ("7", "007"),
        ("1e3", "1000"),
        ("P\u2212 1", "P-1"),
        ("m²", "m2"),
        ("cubic.", "cubic"),
        ("\u0441ubic", "cubic"),
    ],
)
def test_names_that_are_likely_the_same_are_told_with_the_rarer_one_s_rows(one: str, other: str) -> None:
    (finding,) = likely_the_same("s", [other, one, other, "quite another"], [0, 3, 5, 9])
    assert (finding.handling, list(finding.rows)) == (Handling.NOTED, [3])
    assert "is told apart from" in finding.reason


@pytest.mark.parametrize("names", [("P-1", "P1"), ("mp-1", "mp-11"), ("cubic", "hexagonal"), ("1.1", "1.11")])
def test_names_that_differ_in_more_are_not_told(names: tuple[str, str]) -> None:
    assert list(likely_the_same("s", names, [0, 1])) == []


def test_a_spelling_that_no_kept_row_has_is_not_told() -> None:
    assert list(told("n", ["1"], {"2.0": "2"}, [0])) == []
