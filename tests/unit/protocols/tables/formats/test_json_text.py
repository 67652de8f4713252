"""JSON one value after another: the same values as the whole, and the same refusals."""

from __future__ import annotations

import json

import pytest

from protocols.tables.formats.json_text import DECODER, Elements, members_of, require_end


@pytest.mark.parametrize("text", ["[]", "[ ]", "[1]", ' [1 , {"a": [2, "]"]} ,null]', "[[], [1]]"])
def test_a_list_gives_its_values_and_its_end(text: str) -> None:
    values = Elements(text, text.index("["))
    assert list(values) == json.loads(text)
    assert values.end == len(text)


@pytest.mark.parametrize("text", ["[1", "[1 2]", "[1,]", "[", "[,]"])
def test_a_broken_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        list(Elements(text, 0))


def test_an_object_tells_where_its_members_are() -> None:
    text = ' {"a": 1, "b" : [1, {"c": "}"}], "d":{}} '
    members = members_of(text, 1)
    assert {key: DECODER.raw_decode(text, at)[0] for key, at in members.items()} == json.loads(text)
    assert members_of("{ }", 0) == {}


@pytest.mark.parametrize("text", ["{1: 2}", '{"a" 1}', '{"a": 1 "b": 2}', '{"a": 1', '{"a": 1} x', '{"a": [1}', "{"])
def test_a_broken_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Extra data"):
        members_of(text, 0)


def test_a_key_that_stands_twice_is_refused_at_any_depth() -> None:
    for text in ('{"a": 1, "b": 2, "a": 3}', '{"x": [{"a": 1, "a": 1}]}'):
        with pytest.raises(ValueError, match="'a' stands twice"):
            DECODER.decode(text)
        with pytest.raises(ValueError, match="'a' stands twice"):
            members_of(text, 0)


def test_what_follows_a_value_is_refused() -> None:
    require_end("1 \n", 1)
    with pytest.raises(ValueError, match="Extra data"):
        require_end("1 2", 1)
