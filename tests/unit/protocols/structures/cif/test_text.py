"""What a CIF says, by item, with its lines."""

from __future__ import annotations

import pytest

from protocols.structures.cif.text import Value, blocks_of, number_of
from protocols.structures.faults import StructureFault


def test_items_loops_quotes_comments_and_fields_are_read_with_their_lines() -> None:
    text = (
        "# a comment\ndata_first\n_a.b 'two words' # and another\n_c\n;one\ntwo\n;\n"
        "LOOP_\n_x _Y\n1 \"O'Brien's\"\n? C1'\nDATA_second\n_a_b 3\n"
    )
    first, second = blocks_of(text)
    assert (first.name, first.line, second.name, second.line) == ("first", 2, "second", 12)
    assert first.items["_a_b"] == [Value("two words", 3)]
    assert first.items["_c"] == [Value("one\ntwo", 5)]
    assert first.items["_x"] == [Value("1", 10), Value("?", 11)]
    assert first.items["_y"] == [Value("O'Brien's", 10), Value("C1'", 11)]
    assert second.items["_a_b"] == [Value("3", 13)]


def test_an_unknown_value_is_passed_over_for_the_next_item() -> None:
    (block,) = blocks_of("data_x\n_a ?\n_b .\n_c 3\n")
    assert block.first("_a", "_b", "_c") == Value("3", 4)
    assert block.first("_a", "_nothing") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("_a 1\ndata_x\n", 1),
        ("data_x\n_a 1 2\n", 2),
        ("data_x\n_a\n", 2),
        ("data_x\n_a\n_b 1\n", 2),
        ("data_x\n_a 1\n_A 2\n", 3),
        ("data_x\nloop_\n_a _b\n1 2 3\n", 2),
        ("data_x\nloop_\n1 2 3\n", 2),
        ("data_x\n_a\n;never\nends\n", 3),
    ],
)
def test_a_damaged_cif_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(StructureFault) as caught:
        blocks_of(text)
    assert (caught.value.unread.reason, caught.value.unread.line) == ("the CIF is damaged", line)


@pytest.mark.parametrize(("text", "number"), [("5.64(1)", 5.64), ("-.5", -0.5), ("1e-3", 1e-3), (" 2. ", 2.0)])
def test_a_number_is_read_without_its_uncertainty(text: str, number: float) -> None:
    assert number_of(Value(text, 1), "_a") == number


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "0,1", "1/3", "?", "1(2", "x"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(StructureFault) as caught:
        number_of(Value(text, 7), "_a")
    assert caught.value.unread.line == 7
