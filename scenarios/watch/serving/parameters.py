"""What a request asks for, checked against what its path takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from protocols.settings.suggestions import did_you_mean
from scenarios.watch.serving.paths import LATEST, Operation, Parameter, Values, parameters_of
from scenarios.watch.serving.refusals import Refusal

MAX_SHOWN: Final = 100
"""Most of a stranger's text that a refusal repeats [character]."""

TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def values_of(
    operation: Operation, path: Mapping[str, str], query: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> Values:
    """Return what is asked for, with the default of what is left out.

    Args:
        operation: What is asked.
        path: What stands in the path, by name.
        query: What stands behind the question mark.
        headers: Of the request.

    Raises:
        Refusal: When something is not known, there twice, or not what it must be.
    """
    taken = parameters_of(operation)
    given = _given(query, [each.name for each in taken if each.where == "query"])
    values: Values = {}
    for each in taken:
        text = {"path": path.get(each.name), "query": given.get(each.name), "header": headers.get(each.name)}[
            each.where
        ]
        values[each.name] = _absent(each) if text is None or text == "" else _value(each, text)
    return values


def observation_in(text: str) -> int | None:
    """Return the observation that a path names; None for the latest.

    Raises:
        Refusal: When it is none.
    """
    if text == LATEST:
        return None
    if not text.isascii() or not text.isdigit():
        raise _wrong(f"{text[:MAX_SHOWN]!r} is no observation", f"its number, or {LATEST}")
    return int(text)


def _given(query: Iterable[tuple[str, str]], known: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, text in query:
        if name not in known:
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"There is no parameter {name[:MAX_SHOWN]!r} here",
                expected=f"one of {', '.join(known)}" if known else "none",
                action=did_you_mean(name, known) or "leave it out",
            )
        if name in given:
            raise _wrong(f"The parameter {name} is there twice", "once")
        given[name] = text
    return given


def _absent(parameter: Parameter) -> int | str | bool | None:
    if parameter.is_needed:
        raise _wrong(f"The parameter {parameter.name} lacks", parameter.words)
    return parameter.default


def _value(parameter: Parameter, text: str) -> int | str | bool:
    name = parameter.name
    if parameter.kind == "integer":
        is_number = text.isascii() and text.isdigit() and parameter.least <= int(text[:20]) <= parameter.most
        if not is_number:
            raise _wrong(f"{name} is {text[:MAX_SHOWN]!r}", f"a whole number of {parameter.least} to {parameter.most}")
        return int(text)
    if parameter.kind == "boolean":
        if text not in TRUTHS:
            raise _wrong(f"{name} is {text[:MAX_SHOWN]!r}", "true or false")
        return TRUTHS[text]
    if parameter.choices and text not in parameter.choices:
        raise _wrong(f"{name} is {text[:MAX_SHOWN]!r}", f"one of {', '.join(parameter.choices)}")
    if len(text) > parameter.most:
        raise _wrong(f"{name} has {len(text)} characters", f"at most {parameter.most}")
    return text


def _wrong(found: str, expected: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, found, expected=expected, action="correct the request")
