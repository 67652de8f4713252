"""What our errors advise: every text that an error is made of, and which commands, options and settings it names."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocols.settings.fields import known_length
from scenarios.settings.model import Scenario
from tests.support.documents.commands import COMMANDS, make_targets, unknown_parts
from tests.support.documents.markdown import ROOT

PACKAGES: Final = ("agent", "entropilot", "protocols", "scenarios", "simulators")

_ERRORS: Final = re.compile(r"(Error|Halted|Warning|Unusable|Refused|Failed)$|^(_?complaint|_?fault|_?wrong)")
"""Names of what is called to make an error."""

_TOLD: Final = frozenset({"action", "advice", "expected", "found", "hint", "message", "detail"})
"""Keywords and names that texts of errors have."""

UNKNOWN: Final = "\x00"
"""What stands for a part of a text that is known when it is said."""

FILE_ENDINGS: Final = frozenset(
    {"csv", "db", "gz", "in_process", "json", "jsonl", "lock", "md", "png", "py", "toml", "tsv", "txt"}
)

UNITS: Final = frozenset({"nat"})
"""What stands in brackets and is no table."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A text of an error, and where it stands."""

    place: str
    text: str


def every_advice() -> Iterator[Advice]:
    """Yield every text that an error of ours is made of."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from advice_in(path)


def advice_in(path: Path) -> Iterator[Advice]:
    """Yield those of a file."""
    seen: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for text in _told_by(node):
            if id(text) not in seen:
                seen.add(id(text))
                yield Advice(f"{path.relative_to(ROOT)}:{text.lineno}", _read(text))


def problems_of(text: str) -> list[str]:
    """Return what a text names that does not exist."""
    return [problem for look in LOOKS for problem in look(text)]


def _told_by(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    match node:
        case ast.Call(func=func):
            is_error = _ERRORS.search(_name_of(func)) is not None
            values = [*node.args, *(each.value for each in node.keywords)] if is_error else []
            values += [each.value for each in node.keywords if each.arg in _TOLD]
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _TOLD:
            values = [value]
        case ast.Return(value=ast.Constant(value=str()) | ast.JoinedStr() as value):
            values = [value]
        case _:
            values = []
    for value in values:
        yield from _texts_in(value)


def _texts_in(value: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    match value:
        case ast.JoinedStr() | ast.Constant(value=str()):
            yield value
        case _:
            for inner in ast.iter_child_nodes(value):
                yield from _texts_in(inner)


def _read(text: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(text, ast.Constant):
        return str(text.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else UNKNOWN for part in text.values)


def _name_of(func: ast.AST) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _options() -> set[str]:
    return {"--help", *(each for command in COMMANDS.commands.values() for each in _options_of(command))} | _options_of(
        COMMANDS
    )


def _options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}


def _commands(text: str) -> Iterator[str]:
    for code in re.findall(rf"`(entropilot [^`{UNKNOWN}]+)", text):
        yield from unknown_parts(code.split())
    for name in re.findall(r"\bentropilot ([a-z][a-z-]+)\b", text):
        if name not in COMMANDS.commands:
            yield f"there is no command {name}"


def _named_options(text: str) -> Iterator[str]:
    if "pip install" not in text:
        for option in re.findall(rf"(?<![\w-])--[a-z][a-z-]*(?![\w{UNKNOWN}-])", text):
            if option not in _options():
                yield f"no command has an option {option}"


def _variables(text: str) -> Iterator[str]:
    for name in re.findall(rf"\bENTROPILOT_[A-Z_]+(?![\w{UNKNOWN}])", text):
        key = tuple(name.removeprefix("ENTROPILOT_").lower().split("__"))
        of_options = {
            each
            for command in COMMANDS.commands.values()
            for parameter in command.params
            for each in _envvars(parameter)
        }
        if name not in of_options and known_length(Scenario, key) < len(key):
            yield f"nobody reads {name}"


def _envvars(parameter: Any) -> list[str]:
    found = parameter.envvar
    return [found] if isinstance(found, str) else list(found or ())


def _settings(text: str) -> Iterator[str]:
    for name in re.findall(rf"(?<![\w./{UNKNOWN}-])[a-z][a-z_]*(?:\.[a-z_]+)+(?![\w./({UNKNOWN}-])", text):
        key = tuple(name.split("."))
        is_file = key[-1] in FILE_ENDINGS
        if not is_file and key[0] in Scenario.model_fields and known_length(Scenario, key) < len(key):
            yield f"there is no setting {name}"


def _tables(text: str) -> Iterator[str]:
    for name in re.findall(r"(?<![\w\]])\[([a-z_]+(?:\.[a-z_]+)*)\]", text):
        key = tuple(name.split("."))
        if name not in UNITS and known_length(Scenario, key) < len(key):
            yield f"there is no table [{name}]"


def _extras(text: str) -> Iterator[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        known = tomllib.load(file)["project"]["optional-dependencies"]
    for names in re.findall(r"entropilot\[([a-z,-]+)\]", text):
        yield from (f"there is no extra {name}" for name in names.split(",") if name not in known)


def _modules(text: str) -> Iterator[str]:
    for name in re.findall(r"python -m ([a-z_.]+[a-z_])", text):
        if importlib.util.find_spec(name) is None:
            yield f"there is no module {name}"
    yield from (
        f"make has no target {name}" for name in re.findall(r"`make ([a-z-]+)", text) if name not in make_targets()
    )


def _documents(text: str) -> Iterator[str]:
    for name in re.findall(r"\b(?:docs/[\w/.-]+\.md|[A-Z]+\.md)\b", text):
        if not os.path.exists(ROOT / name):  # noqa: PTH110 - a path in a text
            yield f"there is no {name}"


LOOKS: Final[tuple[Callable[[str], Iterator[str]], ...]] = (
    _commands, _named_options, _variables, _settings, _tables, _extras, _modules, _documents,
)  # fmt: skip
"""What is looked for in a text."""
