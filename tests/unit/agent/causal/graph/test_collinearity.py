"""What is left out of columns, and why."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.collinearity import prune, require_independent, variance_inflation_factors
from agent.causal.graph.variables import Variables, standardise
from protocols.errors import SettingsError, TableError

RNG = np.random.default_rng(0)
A, B, C, D = RNG.uniform(size=(4, 200))


def variables(**columns: np.ndarray) -> Variables:
    return Variables.of(list(columns), np.column_stack(list(columns.values())))


def test_columns_that_vary_by_themselves_all_stay() -> None:
    found = prune(variables(a=A, b=B, c=C))
    assert found.variables.names == ("a", "b", "c")
    assert found.dropped == ()


def test_a_constant_goes() -> None:
    found = prune(variables(a=A, radicals=np.full(200, 0.1), b=B))
    assert found.variables.names == ("a", "b")
    assert [(each.reason, each.words) for each in found.dropped] == [("constant", "radicals is 0.1 in every row")]


def test_a_linear_function_of_columns_before_it_goes_with_its_formula() -> None:
    rings = np.round(10 * A)
    others = np.round(10 * B)
    found = prune(variables(carbocycles=rings, heterocycles=others, rings=rings + others, mass=3.0 - 14.5 * rings))
    assert found.variables.names == ("carbocycles", "heterocycles")
    assert {each.name: each.words for each in found.dropped} == {
        "rings": "rings = carbocycles + heterocycles + a constant",
        "mass": "mass = -14.5 carbocycles + a constant",
    }
    assert {each.reason for each in found.dropped} == {"function"}


def test_a_formula_of_many_parts_is_cut() -> None:
    columns = {f"x{k}": RNG.uniform(size=200) for k in range(7)}
    found = prune(variables(**columns, total=np.sum(list(columns.values()), axis=0)))
    assert found.dropped[0].words.endswith("+ 3 more + a constant")


def test_the_column_of_the_largest_factor_goes_until_none_is_above_the_limit() -> None:
    found = prune(variables(a=A, b=B, near=A + B + 0.05 * D, c=C))
    assert found.variables.names == ("a", "b", "c")
    assert [each.name for each in found.dropped] == ["near"]
    assert found.dropped[0].reason == "inflated"
    assert "variance inflation factor" in found.dropped[0].words
    assert variance_inflation_factors(found.variables).max() <= 10.0


def test_of_equal_factors_the_later_column_goes() -> None:
    twin = A + 0.01 * B
    assert [each.name for each in prune(variables(a=A, twin=twin, y=C), keep=["y"]).dropped] == ["twin"]
    assert [each.name for each in prune(variables(twin=twin, a=A, y=C), keep=["y"]).dropped] == ["a"]


def test_a_limit_of_ones_own_holds() -> None:
    near = variables(a=A, near=A + 0.2 * B, c=C)
    assert prune(near, most_vif=1e3).dropped == ()
    assert [each.name for each in prune(near, most_vif=2.0).dropped] == ["near"]


def test_what_is_to_stay_is_not_looked_at() -> None:
    found = prune(variables(a=A, b=B, y=A + B), keep=["y"])
    assert found.variables.names == ("a", "b", "y")
    assert found.dropped == ()


def test_a_factor_is_one_over_what_a_regression_leaves_unexplained() -> None:
    columns = variables(a=A, near=A + 0.3 * B, c=C - A)
    found = variance_inflation_factors(columns)
    for place, factor in enumerate(found):
        others = np.column_stack((np.ones(200), np.delete(columns.values, place, axis=1)))
        y = columns.values[:, place]
        rest = y - others @ np.linalg.lstsq(others, y, rcond=None)[0]
        assert factor == pytest.approx(y.var() / rest.var())


def test_fewer_than_two_columns_left_is_refused_with_what_went() -> None:
    with pytest.raises(TableError, match="Fewer than two columns are left: twice = 2 a"):
        prune(variables(a=A, twice=2 * A))


def test_a_limit_that_nothing_can_keep_is_refused() -> None:
    with pytest.raises(SettingsError, match="factor is 1"):
        prune(variables(a=A, b=B), most_vif=1.0)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": A, "flat": np.zeros(200), "b": B}, "'flat' is constant: 0 in every row"),
        ({"a": A, "b": B, "both": A - B}, "'both' is a linear function of others: both = (a|-1 b) "),
    ],
)
def test_columns_that_are_not_independent_are_refused_with_the_reason(columns: dict, words: str) -> None:
    made = variables(**columns)
    with pytest.raises(TableError, match=words):
        require_independent(made, standardise(made))
    with pytest.raises(TableError, match=words):
        variance_inflation_factors(made)
