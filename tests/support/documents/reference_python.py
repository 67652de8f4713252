"""The page of the Python interface, made from its docstrings: every name of `entropilot`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import entropilot

HEAD: Final = """# Python reference

<!-- Made by `python -m tests.support.documents.reference`; do not edit. -->

All names of `import entropilot`. How they are used together: [Python](../how-to/python.md), and [lesson
5](../tutorials/5-your-own-policy.md). What stands in `entropilot` and is shown here keeps its meaning within a minor
version; anything that is imported from elsewhere does not.
"""

GROUPS: Final = (
    ("Campaigns", ("run", "resume", "open_run", "Run", "Scenario")),
    ("A loop of your own", ("Campaign",)),
    ("Studies", ("compare", "what_if", "replay", "trim")),
    ("In coroutines", ("arun", "aresume", "acompare", "areplay")),
    ("What you write yourself", ("Policy", "Evaluator")),
    ("Errors", ("EntropilotError",)),
)
"""Which names stand under which heading; the page names those that have no place among the last."""

_SECTION: Final = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):$", re.MULTILINE)
_ITEM: Final = re.compile(r"^ {4}(\*{0,2}\w+): ?(.*)$")
_TITLES: Final = {
    "Args": "argument",
    "Attributes": "attribute",
    "Raises": "raises",
}


def python_reference() -> str:
    """Return the page."""
    placed = [name for _, names in GROUPS for name in names]
    others = tuple(name for name in entropilot.__all__ if name not in placed)
    parts = [HEAD]
    for title, names in (*GROUPS, *([("Further", others)] if others else [])):
        parts.append(f"## {title}\n")
        parts += [_entry(name, getattr(entropilot, name)) for name in names]
    return "\n".join(parts).rstrip() + "\n"


def _entry(name: str, found: Any) -> str:
    if not inspect.isclass(found):
        return f"### {name}\n\n```py\n{_signature(f'entropilot.{name}', found)}\n```\n\n{_documented(found)}"
    is_made = (
        "__init__" in vars(found) and not issubclass(found, Exception) and not getattr(found, "_is_protocol", False)
    )
    shown = f"```py\n{_signature(f'entropilot.{name}', found)}\n```\n\n" if is_made else ""
    members = "".join(_member(name, each, value) for each, value in _members(found))
    return f"### {name}\n\n{shown}{_documented(found)}{members}"


def _members(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, value in vars(kind).items():
        is_told = isinstance(value, property | classmethod | staticmethod) or inspect.isfunction(value)
        if is_told and not name.startswith("_"):
            yield name, value


def _member(owner: str, name: str, value: Any) -> str:
    if isinstance(value, property):
        return f"#### {owner}.{name}\n\n{_documented(value.fget)}"
    function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    of = f"entropilot.{owner}" if isinstance(value, classmethod | staticmethod) else owner.lower()
    return f"#### {owner}.{name}\n\n```py\n{_signature(f'{of}.{name}', function)}\n```\n\n{_documented(function)}"


def _signature(name: str, function: Any) -> str:
    """Return how it is called, without `self`; each argument on a line of its own where they are many."""
    given = [each for each in inspect.signature(function).parameters.values() if each.name not in {"self", "cls"}]
    shown: list[str] = []
    keyword_only = False
    for each in given:
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        shown.append(_plain(str(each)))
    is_coroutine = "await " if inspect.iscoroutinefunction(function) else ""
    line = f"{is_coroutine}{name}({', '.join(shown)})"
    return line if len(line) <= 100 else f"{is_coroutine}{name}(\n    " + ",\n    ".join(shown) + ",\n)"


def _plain(text: str) -> str:
    """Return an argument without the modules of its types; numbers at which objects lie say nothing."""
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text.replace("'", ""))
    return re.sub(r"<(.*?) at 0x[0-9a-f]+>", r"\1", text)


def _documented(found: Any) -> str:
    text = inspect.getdoc(found) or ""
    pieces = _SECTION.split(text)
    shown = [_paragraphs(pieces[0])]
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        shown.append(_table(title, body) if title in _TITLES else f"**{title}:** {' '.join(body.split())}\n")
    return "\n".join(each for each in shown if each.strip()) + "\n"


def _paragraphs(text: str) -> str:
    """Return prose with its lines joined; what is indented is code."""
    shown = []
    for paragraph in text.strip().split("\n\n"):
        is_code = all(line.startswith("    ") for line in paragraph.splitlines())
        shown.append(f"```python\n{inspect.cleandoc(paragraph)}\n```" if is_code else " ".join(paragraph.split()))
    return "\n\n".join(shown) + "\n"


def _table(title: str, body: str) -> str:
    rows: list[tuple[str, str]] = []
    for line in body.strip("\n").splitlines():
        if (item := _ITEM.match(line)) is not None:
            rows.append((item[1], item[2]))
        elif rows and line.strip():
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.strip()}")
    cells = "\n".join(f"| `{name}` | {meaning.replace('|', chr(92) + '|')} |" for name, meaning in rows)
    return f"| {_TITLES[title]} | what it is |\n|---|---|\n{cells}\n" if rows else f"{' '.join(body.split())}\n"
