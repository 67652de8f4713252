"""Topic templates are filled, subscribed to and parsed back, or refused when they are read."""

from __future__ import annotations

import pytest

from protocols.mapping.topics import TemplateError, parse_template

NAMES = {"furnace": "F1", "oven": "big.oven"}
CONSTANTS = {"campaign": "demo", "site": "dresden"}


def test_what_is_filled_is_parsed_back() -> None:
    template = parse_template("{site}/{instrument}/job-{attempt_id}/run", CONSTANTS, NAMES)
    values = {"instrument": "big.oven", "attempt_id": "u-d1-a1"}
    assert template.filter == "dresden/+/+/run"
    assert template.fill(values) == "dresden/big.oven/job-u-d1-a1/run"
    assert template.parse(template.fill(values)) == values


@pytest.mark.parametrize(
    "topic", ["dresden/F2/job-u/run", "dresden/F1/job-u/run/now", "dresden/F1/u/run", "leipzig/F1/job-u/run"]
)
def test_a_topic_of_nobody_is_not_parsed(topic: str) -> None:
    assert parse_template("{site}/{instrument}/job-{attempt_id}/run", CONSTANTS, NAMES).parse(topic) is None


def test_a_name_with_characters_of_patterns_stands_for_itself() -> None:
    template = parse_template("lab/{instrument}", {}, {"a": "x.y"})
    assert (template.parse("lab/x.y"), template.parse("lab/xzy")) == ({"instrument": "x.y"}, None)


@pytest.mark.parametrize(
    ("text", "words", "action"),
    [
        ("lab/{instrment}/run", "nobody fills", "did you mean 'instrument'?"),
        ("lab/{zzzzzz}/run", "nobody fills", "set it in lab.parts"),
        ("lab/+/run", "has a wildcard", "{instrument}"),
        ("lab/#", "has a wildcard", "{instrument}"),
        ("$SYS/x", "begins with $", "of the lab"),
        ("entropilot/v1/demo/result/f", "is one of ours", "leave [lab] out"),
        ("lab/{instrument", "brace without its partner", "{name}"),
        ("lab/{instrument}/{instrument}", "twice", "once"),
        ("lab/{instrument}{attempt_id}", "cannot be parsed back: nothing stands", "put a /"),
        ("lab/{candidate_id}-{attempt_id}", "cannot be parsed back: '-' stands", "put a /"),
        ("lab/{instrument}.{attempt_id}", "cannot be parsed back: '.' stands", "put a /"),
    ],
)
def test_a_template_that_is_of_no_use_is_refused_with_what_to_do(text: str, words: str, action: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parse_template(text, CONSTANTS, NAMES)
    assert words in refused.value.found
    assert action in refused.value.action


def test_two_parts_of_a_level_are_parsed_back_where_no_id_holds_what_is_between() -> None:
    template = parse_template("lab/{candidate_id}:{attempt_id}", {}, NAMES)
    assert template.parse("lab/c-1:u-d1-a1") == {"candidate_id": "c-1", "attempt_id": "u-d1-a1"}


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("lab/{instrument}/x", "lab/{attempt_id}/x", True),
        ("lab/{instrument}/x", "lab/{attempt_id}/y", False),
        ("lab/x", "lab/x", True),
        ("lab/x", "lab/x/y", False),
        ("lab/a-{instrument}", "lab/b-{instrument}", False),
        ("lab/a-{instrument}", "lab/{instrument}", True),
        ("lab/a-{instrument}", "lab/a-F1", True),
        ("lab/{instrument}-a", "lab/{instrument}-b", False),
    ],
)
def test_templates_meet_where_one_topic_could_be_of_both(one: str, other: str, meet: bool) -> None:
    first, second = (parse_template(each, {}, NAMES) for each in (one, other))
    assert (first.may_meet(second), second.may_meet(first)) == (meet, meet)


def test_a_filter_takes_topics_of_instruments_that_nobody_knows() -> None:
    template = parse_template("lab/{instrument}/x", {}, NAMES)
    assert [template.filter_takes(each) for each in ("lab/F9/x", "lab/F9/y", "lab/F9")] == [True, False, False]
