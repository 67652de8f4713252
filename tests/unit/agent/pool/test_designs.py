"""Designs: everything is read off the table, and what is no closure is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.pool.designs import Designs, asked_again, make_designs
from protocols.errors import TableError
from tests.support.samples.closures import benzenes, made_up_bed, rows_of, text_of


def made(
    rows: list[tuple[str, str, str]], texts: list[str] | None = None, queried: str = "x", reference: str = ""
) -> Designs:
    """Designs of rows of x, y and place, whose candidates are told by `texts`."""
    told = [text_of(*row) for row in rows] if texts is None else texts
    names = sorted(set(told))
    columns = {factor: [row[k] for row in rows] for k, factor in enumerate(("x", "y", "place"))}
    return make_designs(columns, [names.index(text) for text in told], names, queried=queried, reference=reference)


def test_factors_of_the_same_levels_whose_exchange_changes_nothing_are_sites() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    assert [designs.factors[k] for k in designs.sites] == ["x", "y"]
    assert [designs.factors[k] for k in designs.places] == ["place"]
    assert designs.levels[0] == designs.levels[1] == designs.groups
    assert "x and y interchangeable" in designs.in_words()


def test_one_design_whose_exchange_makes_another_candidate_makes_them_factors_of_their_own() -> None:
    rows = rows_of()
    texts = [text_of(*row) for row in rows]
    texts[rows.index(("k", "m", "near"))] += "-otherwise"
    designs = made(rows, texts)
    assert designs.sites == (0,)
    assert designs.places == (1, 2)


def test_factors_whose_exchange_is_nowhere_to_be_seen_are_not_taken_for_interchangeable() -> None:
    ordered = [row for row in rows_of() if row[0] <= row[1]]
    assert made(ordered, reference="-").sites == (0,)


def test_the_reference_is_the_level_whose_own_candidate_is_the_plainest() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    assert designs.groups[designs.reference] == "-"
    assert designs.reference == designs.origin


def test_another_reference_may_be_named_and_leaves_the_origin_what_it_is() -> None:
    designs = made_up_bed(reference="q").pool.designs
    assert designs is not None
    assert designs.groups[designs.reference] == "q"
    assert designs.groups[designs.origin] == "-"


def test_the_benzenes_are_read_as_they_are_described() -> None:
    designs = benzenes().pool.designs
    assert designs is not None
    assert designs.in_words() == ("432 designs of 210 candidates, x and y interchangeable; effects of x against H")
    assert designs.missing_cells == 0


def test_names_and_the_order_of_rows_decide_nothing() -> None:
    rows = rows_of()
    rename = dict(zip("kmpqs-", "zyxwvu", strict=True))
    plain, shuffled = made(rows), made(rows[::-1])
    renamed = made_up_bed(rename=rename).pool.designs
    assert renamed is not None
    assert shuffled.levels == plain.levels
    assert tuple(rename[each] for each in plain.groups) == renamed.groups
    for other in (shuffled, renamed):
        np.testing.assert_array_equal(plain.codes, other.codes)
        np.testing.assert_array_equal(plain.candidate, other.candidate)
        assert (plain.reference, plain.origin) == (other.reference, other.origin)


def test_a_design_that_is_repeated_counts_once() -> None:
    rows = rows_of()
    again = made([*rows, *rows[:5]])
    np.testing.assert_array_equal(again.codes, made(rows).codes)


def test_missing_cells_are_counted_and_said() -> None:
    designs = made([row for row in rows_of() if row not in {("k", "m", "near"), ("m", "k", "near")}])
    assert designs.missing_cells == 2
    assert "2 cells without one" in designs.in_words()


def test_cells_of_places_that_do_not_occur_are_not_missing() -> None:
    columns = {"x": ["a", "b"] * 3, "atom": ["1", "1", "2", "2", "3", "3"], "parent": ["m", "m", "m", "m", "n", "n"]}
    whole = make_designs(columns, range(6), ["C", "CC", "D", "DD", "E", "EE"], queried="x", reference="a")
    assert (whole.missing_cells, "without one" in whole.in_words()) == (0, False)


def test_matched_designs_differ_in_the_queried_factor_alone() -> None:
    designs = made([row for row in rows_of() if row != ("-", "m", "near")])
    for level in range(len(designs.groups)):
        of_level, of_reference = designs.matched(level)
        assert (designs.codes[of_level, 0] == level).all()
        assert (designs.codes[of_reference, 0] == designs.reference).all()
        np.testing.assert_array_equal(designs.codes[of_level, 1:], designs.codes[of_reference, 1:])
        full = len(designs.groups) * 3
        assert len(of_level) == full - 1, "the cell that is missing in the reference takes its partner along"


def test_a_factor_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(TableError, match=r"no factor 'plaze'.*x, y, place.*did you mean 'place'"):
        made(rows_of(), queried="plaze")


def test_a_design_that_makes_two_candidates_is_refused_with_both() -> None:
    rows = rows_of()
    texts = [text_of(*row) for row in rows]
    with pytest.raises(TableError, match=r"x = k, y = m, place = near makes two candidates.*'ring\(k\)\(m\)near'"):
        made([*rows, ("k", "m", "near")], [*texts, "something else"])


def test_a_level_that_occurs_once_is_refused() -> None:
    with pytest.raises(TableError, match=r"'t' of 'x' occurs in one design.*drop this row"):
        made([*rows_of(), ("t", "-", "near")])


def test_effects_of_a_factor_with_one_level_are_refused() -> None:
    rows = [("k", y, place) for _, y, place in rows_of()]
    with pytest.raises(TableError, match="'x' has one level, 'k'"):
        made(rows)


def test_a_candidate_without_a_design_is_refused() -> None:
    columns = {"x": ["a", "b"] * 2, "place": ["p", "p", "q", "q"]}
    with pytest.raises(TableError, match="No design makes 'lonely'"):
        make_designs(columns, [0, 1, 0, 1], ["A", "BB", "lonely"], queried="x")


@pytest.mark.parametrize("beyond", [-1, 2])
def test_a_design_of_what_is_no_candidate_is_refused(beyond: int) -> None:
    columns = {"x": ["a", "b"] * 2, "place": ["p", "p", "q", "q"]}
    with pytest.raises(TableError, match=f"makes candidate number {beyond}"):
        make_designs(columns, [0, 1, 0, beyond], ["A", "BB"], queried="x")


def test_a_reference_that_is_no_level_is_answered_with_the_nearest() -> None:
    with pytest.raises(TableError, match=r"'NO3' is no level of 'x'.*did you mean 'NO2'"):
        made_up_bed(rename={"q": "NO2"}, reference="NO3")


def test_levels_that_are_equally_plain_ask_for_a_name() -> None:
    rows = list(itertools.product("ab", "ab", ["here", "there"]))
    texts = ["".join(sorted(x + y)) + place[:1] for x, y, place in rows]
    with pytest.raises(TableError, match=r"several are as plain .a, b.*name the reference"):
        made(rows, texts)
    assert made(rows, texts, reference="b").origin == made(rows, texts, reference="b").reference


def test_a_table_without_designs_of_one_level_at_all_sites_asks_for_a_name() -> None:
    rows = [row for row in rows_of() if row[0] != row[1]]
    with pytest.raises(TableError, match="no level has a design with itself at all of them"):
        made(rows)
    assert made(rows, reference="-").sites == (0, 1)


def test_a_level_that_is_nowhere_comparable_with_the_reference_is_refused() -> None:
    rows = [row for row in rows_of() if not (row[0] == "k" and row[1] in "kmpq-")]
    rows = [row for row in rows if not (row[0] == "-" and row[1] == "s")]
    with pytest.raises(TableError, match="No design of 'k' differs from one of the reference '-'"):
        made(rows)


def test_where_no_level_is_plainest_a_named_reference_stands_in_for_an_origin() -> None:
    rows = [(x, y, "near") for x in "ab" for y in "ab"]
    found = made(rows, ["".join(sorted(x + y)) for x, y, _ in rows], reference="b")
    assert (found.origin, found.has_origin) == (found.reference, False)
    plain = made_up_bed(reference="q").pool.designs
    assert plain is not None
    assert plain.has_origin


def test_another_question_leaves_the_designs_what_they_are() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    texts = sorted({text_of(*row) for row in rows_of()})
    asked = asked_again(designs, texts, queried="place", reference="far")
    assert (asked.queried, asked.groups[asked.reference], asked.sites) == ("place", "far", (2,))
    np.testing.assert_array_equal(asked.codes, designs.codes)
    back = asked_again(asked, texts, queried="x")
    assert (back.reference, back.origin, back.has_origin) == (designs.reference, designs.origin, True)
    with pytest.raises(TableError, match="no factor 'z'"):
        asked_again(designs, texts, queried="z")
