"""Which column is meant: a header that is missing is told as such."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.columns import TableColumns, require_column


def test_a_first_line_of_cells_is_no_header() -> None:
    names = ("mp-1", "cubic", "-1.25", "0.5", "3", "4")
    with pytest.raises(TableError, match=r"the header is missing: its first line is mp-1, cubic, -1\.25, 0\.5, 3, …"):
        require_column(Path("t.csv"), "energy", names)
    assert require_column(Path("t.csv"), "-1.25", names) == "-1.25"


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(TableError, match=r"no column 'energie'.*did you mean 'energy'"):
        require_column(Path("t.csv"), "energie", ("id", "energy", "0"))


def columns(**told: object) -> TableColumns:
    return TableColumns.model_validate({"property": "yield", "unit": "%"} | told)


def test_parameters_are_the_features_where_nothing_else_describes_a_candidate() -> None:
    parameters = {"temperature": "K", "flow": "mL/min"}
    assert columns(parameters=parameters).feature_patterns() == ("temperature", "flow")
    assert columns(parameters=parameters, features=["flow"]).feature_patterns() == ("flow",)
    assert columns(parameters=parameters, composition="formula").feature_patterns() == ()


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"parameters": {"yield": "%"}}, "'yield' is a measured property"),
        ({"parameters": {"t": "K"}, "labels": ["yield"]}, "'yield' is a measured property"),
        ({"parameters": {"t": "K"}, "labels": ["t"]}, "'t' stands twice"),
        ({"parameters": {"t": "K"}, "labels": ["s", "s"]}, "'s' stands twice"),
        ({"labels": ["s"]}, "name feature columns, columns of parameters"),
        ({"parameters": {"t": "K"}, "smiles": "s"}, "name feature columns, columns of parameters"),
        ({"parameters": {"t" * 65: "K"}}, "at most 64 characters"),
    ],
)
def test_parameters_that_cannot_be_are_told(told: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        columns(**told)
