"""Names that a person mistypes."""

import pytest
from pydantic_core import PydanticCustomError

from protocols.settings.suggestions import MAX_NAMES_SHOWN, did_you_mean, listed, require_name


@pytest.mark.parametrize("typed", ["etol", "elat", "ETAL", "etal_", "eta"])
def test_the_nearest_name_is_suggested(typed: str) -> None:
    assert did_you_mean(typed, ("random", "etal")) == "did you mean 'etal'?"


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert did_you_mean("botorch", ("etal", "random")) == ""


def test_a_name_that_there_is_not_is_refused_with_all_that_there_are() -> None:
    require_name("etal", ("etal", "random"))
    with pytest.raises(PydanticCustomError, match="one of 'etal', 'random', or a class of yours"):
        require_name("x", ("etal", "random"), "a class of yours")


def test_a_long_list_of_names_is_cut_and_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    names = [f"x{k}" for k in range(MAX_NAMES_SHOWN + 7)]
    assert listed(names) == ", ".join(names[:MAX_NAMES_SHOWN]) + " and 7 more"
