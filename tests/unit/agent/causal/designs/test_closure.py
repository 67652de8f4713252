"""The ways of a closure: counts of groups, places and pairs, against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.causal.designs.closure import Closure, closure_of
from agent.pool.designs import Designs, make_designs
from tests.support.samples.closures import benzenes, made_up_bed


def both() -> tuple[Designs, Closure]:
    designs = made_up_bed().pool.designs
    assert designs is not None
    return designs, closure_of(designs)


def by_hand(designs: Designs, of_design: np.ndarray) -> np.ndarray:
    """Mean of something of each design over the designs of each candidate."""
    n = designs.candidate[-1] + 1
    return np.array([of_design[designs.candidate == i].mean(axis=0) for i in range(n)])


def test_counts_are_means_over_the_designs_of_a_candidate() -> None:
    designs, ways = both()
    one, other, place = (designs.codes[:, k] for k in range(3))
    groups, places = np.eye(len(designs.groups)), np.eye(3)
    np.testing.assert_allclose(ways.group_counts, by_hand(designs, groups[one] + groups[other]))
    np.testing.assert_allclose(ways.place_counts, by_hand(designs, places[place]))
    at_places = np.eye(3 * len(designs.groups))
    np.testing.assert_allclose(
        ways.group_place_counts, by_hand(designs, at_places[3 * one + place] + at_places[3 * other + place])
    )
    pairs = by_hand(designs, np.eye(len(groups) ** 2)[np.minimum(one, other) * len(groups) + np.maximum(one, other)])
    np.testing.assert_allclose(ways.pair_counts, pairs[:, pairs.any(axis=0)])


def test_candidates_with_two_groups_beside_the_origin_may_interact() -> None:
    designs, ways = both()
    added = (designs.codes[:, :2] != designs.origin).sum(axis=1)
    np.testing.assert_array_equal(ways.interacting, by_hand(designs, (added == 2).astype(float)))


def test_a_property_of_ways_is_that_of_candidates_by_its_mean() -> None:
    _, ways = both()
    np.testing.assert_allclose(ways.averaged(np.ones(len(ways.place))), np.ones(len(ways)))


def test_designs_that_differ_in_the_order_of_their_sites_are_one_way() -> None:
    designs, ways = both()
    assert len(ways.place) < len(designs.codes)
    assert (ways.groups[:, 0] <= ways.groups[:, 1]).all()


def test_one_site_has_no_pairs_and_no_places_are_one_place() -> None:
    designs = make_designs(
        {"x": ["a", "a", "b", "b"], "y": ["p", "q"] * 2}, [0, 1, 2, 3], ["A", "AA", "BBB", "BBBB"], queried="x"
    )
    ways = closure_of(designs)
    assert ways.pair_counts.shape == (4, 0)


def test_with_one_site_a_group_interacts_with_its_place() -> None:
    ways = of_places(place=["p1", "p2", "p3"])
    np.testing.assert_array_equal(ways.interacting, [0.0, 1.0] * 3)


def test_a_closure_without_places_has_one() -> None:
    rows = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
    columns = {"x": [x for x, _ in rows], "y": [y for _, y in rows]}
    ways = closure_of(make_designs(columns, [0, 1, 1, 2], ["A", "ABB", "BBBB"], queried="x"))
    assert ways.n_places == 1
    np.testing.assert_array_equal(ways.group_counts, [[2, 0], [1, 1], [0, 2]])


def test_the_benzenes_have_the_pairs_and_places_that_were_counted() -> None:
    designs = benzenes().pool.designs
    assert designs is not None
    ways = closure_of(designs)
    assert (len(ways), ways.n_groups, ways.n_places) == (210, 12, 3)
    assert ways.pair_counts.shape == (210, 78)
    assert ways.interacting.sum() == 198


def of_places(**factors: list[str]) -> Closure:
    """The closure of two groups at places that these factors tell, a level a place."""
    places = len(next(iter(factors.values())))
    columns = {"x": ["a", "b"] * places} | {
        name: [level for level in levels for _ in range(2)] for name, levels in factors.items()
    }
    texts = [f"A{'A' * (number % 2)}{number}" for number in range(2 * places)]
    return closure_of(make_designs(columns, list(range(2 * places)), texts, queried="x", reference="a"))


def test_places_are_the_combinations_that_occur() -> None:
    ways = of_places(place=["p1", "p2", "p3", "p4"], parent=["m", "m", "n", "n"])
    assert ways.n_places == 4
    assert np.unique(ways.place).tolist() == [0, 1, 2, 3]


def test_where_no_group_is_nothing_all_of_them_may_interact() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    without = closure_of(replace(designs, has_origin=False))
    np.testing.assert_array_equal(without.interacting, np.ones(len(without)))


def test_every_factor_of_a_place_is_counted_by_itself_and_with_others() -> None:
    rows = [(x, y, z) for x in "ab" for y in "pq" for z in "123"]
    columns = dict(zip("xyz", zip(*rows, strict=True), strict=True))
    texts = ["A" * (1 + number) for number in range(len(rows))]
    ways = closure_of(make_designs(columns, range(len(rows)), texts, queried="x"))
    assert (ways.n_place_factors, ways.n_places) == (2, 6)
    one = np.array([["p", "q"].index(y) for _, y, _ in rows])
    other = np.array([["1", "2", "3"].index(z) for _, _, z in rows])
    group = np.array([["a", "b"].index(x) for x, _, _ in rows])
    np.testing.assert_array_equal(ways.level_counts(0), np.eye(2)[one])
    np.testing.assert_array_equal(ways.level_counts(1), np.eye(3)[other])
    np.testing.assert_array_equal(ways.group_level_counts(1), np.eye(6)[other * 2 + group])
    np.testing.assert_array_equal(ways.level_pair_counts(0, 1), np.eye(6)[other * 2 + one])
