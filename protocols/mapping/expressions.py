"""JMESPath expressions: compiled once, checked for what they name, searched in a message.

The library is imported where an expression is compiled: whoever has no `[lab]` section does without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from protocols.mapping.faults import Key, UnmappedMessage, Unusable
from protocols.settings.suggestions import did_you_mean

Path = tuple[str, ...]
"""Names from the root of a message on."""

_AT_ROOT: Final = frozenset({"multi_select_list", "multi_select_dict", "function_expression", "comparator",
    "or_expression", "and_expression", "not_expression", "key_val_pair"})  # fmt: skip
"""Nodes all of whose children look at what the node itself looks at."""

_FIRST_AT_ROOT: Final = frozenset(
    {"pipe", "index_expression", "projection", "filter_projection", "flatten", "value_projection"}
)
"""Nodes whose first child does, and the others look at what it finds."""


class ExpressionError(Unusable):
    """An expression that cannot be used, or found nothing that can."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        text: As it was written.
        compiled: As the library has it.
        paths: What it looks for from the root on.
    """

    text: str
    compiled: Any
    paths: tuple[Path, ...]

    def search(self, document: Any) -> Any:
        """Return what it finds; None where it finds nothing.

        Raises:
            ExpressionError: When a function of it is given what it does not take.
        """
        from jmespath.exceptions import JMESPathError

        try:
            return self.compiled.search(document)
        except JMESPathError as error:
            raise ExpressionError(f"`{self.text}`: {' '.join(str(error).split())[:200]}") from None


def compile_expression(text: str) -> Expression:
    """Return an expression.

    Raises:
        ExpressionError: When it is none.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        compiled = jmespath.compile(text)
    except JMESPathError as error:
        place = getattr(error, "lex_position", getattr(error, "lexer_position", None))
        where = "" if place is None else f" at character {place + 1}"
        raise ExpressionError(
            f"`{text}` is no JMESPath{where}",
            "write names with dots, such as data.value; a name with other characters in double quotes",
        ) from None
    functions = tuple(Functions.FUNCTION_TABLE)
    for name in _functions(compiled.parsed):
        if name not in functions:
            raise ExpressionError(
                f"`{text}` calls {name}(), which JMESPath has not",
                did_you_mean(name, functions) or f"use one of {', '.join(sorted(functions))}",
            )
    return Expression(text, compiled, tuple(_paths(compiled.parsed)))


def require_names(expression: Expression, known: Mapping[str, Sequence[str] | None]) -> None:
    """Check that what an expression looks for can be there.

    Args:
        expression: The expression.
        known: Names at the root -> names below; None where these are not known.

    Raises:
        ExpressionError: When it cannot.
    """
    for root, *below in expression.paths:
        if root not in known:
            raise ExpressionError(
                f"`{expression.text}` looks for {root!r}, which is not there",
                did_you_mean(root, known) or f"use one of {', '.join(known)}",
            )
        inner = known[root]
        if inner is not None and below and below[0] not in inner:
            raise ExpressionError(
                f"`{expression.text}` looks for {below[0]!r} in {root!r}, which has not got it",
                did_you_mean(below[0], inner) or (f"use one of {', '.join(inner)}" if inner else "leave it out"),
            )


def search(rule: Key, expression: Expression, document: Any) -> Any:
    """Return what an expression finds in a message; None where it finds nothing.

    Raises:
        UnmappedMessage: When it cannot be applied.
    """
    try:
        return expression.search(document)
    except ExpressionError as error:
        raise UnmappedMessage(rule, error.found) from None


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        yield str(node["value"])
    for child in node["children"]:
        yield from _functions(child)


def _paths(node: Mapping[str, Any]) -> Iterator[Path]:
    """Yield what a node looks for in what it looks at."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield (str(node["value"]),)
    elif kind == "subexpression":
        names: list[str] = []
        for child in children:
            if child["type"] != "field":
                names.extend(next(_paths(child), ()) if names and child["type"] in _FIRST_AT_ROOT else ())
                break
            names.append(str(child["value"]))
        if names:
            yield tuple(names)
        else:
            yield from _paths(children[0])
    elif kind in _AT_ROOT:
        for child in children:
            yield from _paths(child)
    elif kind in _FIRST_AT_ROOT and children:
        yield from _paths(children[0])
