"""What a request asks for is taken only as the path's table has it."""

from __future__ import annotations

import pytest

from scenarios.watch.serving.parameters import observation_in, values_of
from scenarios.watch.serving.paths import OPERATIONS
from scenarios.watch.serving.refusals import Refusal

BY_NAME = {each.name: each for each in OPERATIONS}


def test_what_is_left_out_has_its_default() -> None:
    values = values_of(BY_NAME["dataset"], {"key": "lab"}, [("family", "cubic"), ("text", "")], {})
    assert values == {
        "key": "lab", "at": None, "offset": 0, "limit": 100, "family": "cubic", "text": None, "order": "sequence",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "query", "found"),
    [
        ("dataset", {"key": "lab"}, [("limit", "0")], "limit is '0'"),
        ("dataset", {"key": "lab"}, [("limit", "1001")], "limit is '1001'"),
        ("dataset", {"key": "lab"}, [("at", "-1")], "at is '-1'"),
        ("dataset", {"key": "lab"}, [("at", "١")], "at is"),
        ("dataset", {"key": "lab"}, [("at", "9" * 400)], "at is"),
        ("dataset", {"key": "lab"}, [("order", "by magic")], "order is 'by magic'"),
        ("dataset", {"key": "lab"}, [("ofset", "1")], "There is no parameter 'ofset'"),
        ("dataset", {"key": "lab"}, [("offset", "1"), ("offset", "2")], "is there twice"),
        ("dataset", {"key": "lab"}, [("text", "x" * 501)], "text has 501 characters"),
        ("journal", {"key": "lab"}, [("tail", "yes")], "tail is 'yes'"),
        ("what_if", {"key": "lab"}, [], "The parameter policy lacks"),
        ("decision", {"key": "lab", "decision": "first"}, [], "decision is 'first'"),
        ("runs", {}, [("x", "1")], "There is no parameter 'x'"),
    ],
)
def test_what_is_wrong_is_named(name: str, path: dict[str, str], query: list[tuple[str, str]], found: str) -> None:
    with pytest.raises(Refusal) as refused:
        values_of(BY_NAME[name], path, query, {})
    assert (refused.value.status, found in refused.value.found) == (422, True), refused.value.found


def test_a_reader_comes_back_with_a_header() -> None:
    values = values_of(BY_NAME["events"], {"key": "lab"}, [], {"Last-Event-ID": "17"})
    assert values["Last-Event-ID"] == 17
    with pytest.raises(Refusal):
        values_of(BY_NAME["events"], {"key": "lab"}, [], {"Last-Event-ID": "x"})


def test_an_observation_is_its_number_or_the_latest() -> None:
    assert (observation_in("latest"), observation_in("0"), observation_in("57")) == (None, 0, 57)
    for wrong in ("-1", "1.5", "newest", "²"):
        with pytest.raises(Refusal):
            observation_in(wrong)
