"""Expressions are compiled once; what they cannot find, call or mean is told when they are read."""

from __future__ import annotations

import pytest

from protocols.mapping.expressions import ExpressionError, compile_expression, require_names


def test_an_expression_finds_what_it_names_or_nothing() -> None:
    expression = compile_expression("data.values[?name=='T'].value | [0]")
    assert expression.search({"data": {"values": [{"name": "T", "value": 4}]}}) == 4
    assert expression.search({"other": 1}) is None


@pytest.mark.parametrize(
    ("text", "found", "action"),
    [
        ("a..b", "`a..b` is no JMESPath at character 3", "names with dots"),
        ("a.ß", "is no JMESPath", "double quotes"),
        ("a #", "is no JMESPath at character 3", "double quotes"),
        ("", "is no JMESPath", "names with dots"),
        ("tonumber(a)", "calls tonumber(), which JMESPath has not", "did you mean 'to_number'?"),
        ("a.zzzzzzzz(b)", "calls zzzzzzzz()", "use one of abs, avg"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, found: str, action: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_expression(text)
    assert found in refused.value.found
    assert action in refused.value.action


def test_a_function_that_is_given_what_it_does_not_take_says_so() -> None:
    with pytest.raises(ExpressionError, match=r"`abs\(a\)`"):
        compile_expression("abs(a)").search({"a": "text"})


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a.b.c", (("a", "b", "c"),)),
        ("a.b[0].c", (("a", "b"),)),
        ("[a, b.c]", (("a",), ("b", "c"))),
        ("{x: a, y: b}", (("a",), ("b",))),
        ("a && !b || c == d", (("a",), ("b",), ("c",), ("d",))),
        ("join('-', [a, b])", (("a",), ("b",))),
        ("a[*].b", (("a",),)),
        ("a[?b]", (("a",),)),
        ("a.*", (("a",),)),
        ("*.b", ()),
        ("[a, b].c", (("a",), ("b",))),
        ("@", ()),
        ("`1`", ()),
        ("sort_by(a, &b)", (("a",),)),
        ("a | b", (("a",),)),
    ],
)
def test_what_is_looked_for_from_the_root_on_is_known(text: str, paths: tuple[tuple[str, ...], ...]) -> None:
    assert compile_expression(text).paths == paths


def test_names_that_cannot_be_there_are_refused_with_the_nearest() -> None:
    known = {"source_id": None, "feature": ("temperature", "time"), "empty": ()}
    for sound in ("source_id.x", "feature.time", "feature", "@"):
        require_names(compile_expression(sound), known)
    for text, found, action in (
        ("sourceid", "looks for 'sourceid', which is not there", "did you mean 'source_id'?"),
        ("qqq", "looks for 'qqq'", "use one of source_id, feature"),
        ("feature.temprature", "looks for 'temprature' in 'feature'", "did you mean 'temperature'?"),
        ("feature.q", "looks for 'q' in 'feature'", "use one of temperature, time"),
        ("empty.x", "looks for 'x' in 'empty'", "leave it out"),
    ):
        with pytest.raises(ExpressionError) as refused:
            require_names(compile_expression(text), known)
        assert found in refused.value.found
        assert action in refused.value.action
