"""Designs: what is read off a table of them, and what is refused."""

from __future__ import annotations

import pytest

from agent.pool.designs import make_designs
from agent.pool.earlier_log import WITHHELD, make_log
from protocols.errors import TableError
from tests.support.samples.closures import made_up_bed, rows_of, text_of

DESIGNS = made_up_bed().pool.designs
assert DESIGNS is not None


def test_interchangeable_factors_the_place_and_the_plainest_level_are_found() -> None:
    assert DESIGNS is not None
    assert [DESIGNS.factors[each] for each in DESIGNS.sites] == ["x", "y"]
    assert [DESIGNS.factors[each] for each in DESIGNS.places] == ["place"]
    assert DESIGNS.groups[DESIGNS.reference] == DESIGNS.groups[DESIGNS.origin] == "-"
    assert DESIGNS.missing_cells == 0
    assert "x and y interchangeable; effects of x against -" in DESIGNS.in_words()


def test_names_and_the_order_of_rows_decide_nothing() -> None:
    rows = rows_of()
    renamed = made_up_bed(rename={"-": "Z", "k": "A", "q": "M"}).pool.designs
    turned = made_up_bed(rows[::-1]).pool.designs
    assert DESIGNS is not None
    assert renamed is not None
    assert turned is not None
    assert (renamed.codes == DESIGNS.codes).all()
    assert (turned.codes == DESIGNS.codes).all()
    assert renamed.groups[renamed.reference] == "Z"


def test_a_design_of_a_level_is_matched_with_the_one_of_the_reference_that_differs_in_it_alone() -> None:
    assert DESIGNS is not None
    level = DESIGNS.groups.index("q")
    ours, theirs = DESIGNS.matched(level)
    assert len(ours) == len(rows_of()) // len(DESIGNS.groups)
    for one, other in zip(ours, theirs, strict=True):
        assert DESIGNS.codes[one, DESIGNS.query] == level
        assert DESIGNS.codes[other, DESIGNS.query] == DESIGNS.reference
        assert (DESIGNS.codes[one, 1:] == DESIGNS.codes[other, 1:]).all()


def made(rows: list[tuple[str, str, str]], **changes: str) -> None:
    texts = sorted({text_of(*row) for row in rows})
    columns = dict(zip(("x", "y", "place"), zip(*rows, strict=True), strict=True))
    make_designs(columns, [texts.index(text_of(*row)) for row in rows], texts, **({"queried": "x"} | changes))


@pytest.mark.parametrize(
    ("rows", "changes", "found"),
    [
        (rows_of(), {"queried": "colour"}, "no factor 'colour'"),
        (rows_of(), {"reference": "Br"}, "no level of 'x'"),
        (rows_of(groups=("k",)), {}, "has one level"),
        ([*rows_of(groups=("-", "k")), ("q", "k", "near")], {}, "occurs in one design"),
    ],
)
def test_a_table_that_is_no_closure_is_refused(
    rows: list[tuple[str, str, str]], changes: dict[str, str], found: str
) -> None:
    with pytest.raises(TableError, match=found):
        made(rows, **changes)


def test_a_design_that_makes_two_candidates_is_refused() -> None:
    with pytest.raises(TableError, match="makes two candidates"):
        make_designs({"x": ["a", "a", "b", "b"]}, [0, 1, 2, 2], ["A", "B", "C"], queried="x")


def test_cells_may_be_missing_and_are_counted() -> None:
    rows = [row for row in rows_of() if row[:2] not in {("k", "m"), ("m", "k")}]
    bed = made_up_bed(rows)
    assert bed.pool.designs is not None
    assert bed.pool.designs.missing_cells == 6
    assert "6 cells without one" in bed.pool.designs.in_words()


def test_a_log_tells_what_it_tells_and_withholds_the_rest() -> None:
    assert DESIGNS is not None
    log = make_log(DESIGNS, {"x": ["k", None], "place": ["near", "far"]}, [1.0, 2.0])
    assert log.codes[:, 1].tolist() == [WITHHELD, WITHHELD]
    assert log.codes[0, 0] == DESIGNS.levels[0].index("k")
    assert log.codes[1, 0] == WITHHELD


@pytest.mark.parametrize(
    ("columns", "values", "found"),
    [
        ({"x": ["Br"]}, [1.0], "Row 1 of the log has x = 'Br'"),
        ({"colour": ["red"]}, [1.0], "no factor of the designs"),
        ({"x": ["k"]}, [float("nan")], "has the value nan"),
    ],
)
def test_a_log_of_other_things_is_refused(
    columns: dict[str, list[str | None]], values: list[float], found: str
) -> None:
    assert DESIGNS is not None
    with pytest.raises(TableError, match=found):
        make_log(DESIGNS, columns, values)
