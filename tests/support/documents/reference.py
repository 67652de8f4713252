"""Makes the parts of the reference that follow from the code: commands, settings, events, Python; and llms.txt.

python -m tests.support.documents.reference             write docs/reference/commands.md and so on
python -m tests.support.documents.reference --check     only tell whether they are up to date
"""

from __future__ import annotations

import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scenarios.settings.model import Scenario
from tests.support.documents.commands import COMMANDS
from tests.support.documents.llms import contents_for_models
from tests.support.documents.markdown import ROOT
from tests.support.documents.meanings import meanings_for_terminals, meanings_of_figures
from tests.support.documents.reference_api import api_reference
from tests.support.documents.reference_events import event_reference
from tests.support.documents.reference_python import python_reference

DOCS: Final = ROOT / "docs"
FOLDER: Final = DOCS / "reference"
MADE: Final = "<!-- Made by `python -m tests.support.documents.reference`; do not edit. -->\n"

COMMANDS_HEAD: Final = f"""# Commands

{MADE}
`entropilot --help` lists the commands, `entropilot COMMAND --help` explains one. `python -m entropilot` is the same
program. `entropilot --install-completion` lets the shell complete commands, options, scenarios, policies, runs and
recordings. What a command ends with: [exit codes](exit-codes.md).
"""

SETTINGS_HEAD: Final = f"""# Settings

{MADE}
A setting can come from the scenario file, from a file laid over it (`--settings FILE`), from the environment
(`ENTROPILOT_CAMPAIGN__BUDGET=50`), and from flags (`--set campaign.budget=50`); the later wins. `--show-settings`
prints what holds, and which line of a file, variable or flag set it.

NAME stands for a name that you choose. `[simulators.NAME]` takes what `[simulator]` takes, and is laid over it.
"""

LISTED: Final = "[]"
"""Ends the title of a section that may stand there several times."""

_BARE: Final = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def command_reference() -> str:
    """Return the page of all commands, in the groups of `--help`."""
    panels: dict[str, list[Any]] = {}
    for name, command in COMMANDS.commands.items():
        if not command.hidden:
            panels.setdefault(_panel_of(command), []).append((name, command))
    parts = [COMMANDS_HEAD]
    for panel, commands in panels.items():
        parts += [f"## {panel.capitalize()}\n"] if panel else []
        parts += [_command(name, command, "###" if panel else "##") for name, command in commands]
    return "\n".join(parts)


def settings_reference() -> str:
    """Return the page of all settings, a table for each section."""
    parts = [SETTINGS_HEAD]
    for title, model in _sections("", Scenario, set()):
        heading = f"`{_heading(title)}`" if title else "Top of the file"
        what = _first_paragraph(model.__doc__) if title else "What a scenario may say."
        parts.append(f"## {heading}\n\n{what}\n\n{_settings_table(model)}\n")
    return "\n".join(parts)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/commands.md": command_reference,
    "reference/settings.md": settings_reference,
    "reference/events.md": event_reference,
    "reference/python.md": python_reference,
    "reference/api.md": api_reference,
    "llms.txt": contents_for_models,
    "../scenarios/watch/page/js/meanings.js": meanings_of_figures,
    "../scenarios/display/meanings.json": meanings_for_terminals,
}
"""What is made, by its path from `docs`, and what makes it; llms.txt behind the pages that it lists."""


def main() -> None:
    """Write the pages, or tell which of them are out of date."""
    only_look = "--check" in sys.argv[1:]
    stale = []
    for name, make in PAGES.items():
        path, text = (DOCS / name).resolve(), make()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
        if not only_look:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    if only_look:
        sys.exit(f"out of date: {', '.join(stale)}" if stale else 0)


def _panel_of(command: Any) -> str:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else ""


def _command(name: str, command: Any, heading: str) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    shown = " ".join(_argument_name(each) if each.required else f"[{_argument_name(each)}]" for each in arguments)
    usage = f"entropilot {name} {shown} [OPTIONS]".replace("  ", " ")
    rows = [(_argument_name(each), each.help or "") for each in arguments]
    rows += [(f"{', '.join(each.opts)}{_value_of(each)}", each.help or "") for each in options]
    table = "\n".join(f"| `{_cell(what)}` | {_cell(meaning)} |" for what, meaning in rows)
    told = (command.help or "").strip()
    return f"{heading} {name}\n\n{_unwrapped(told)}\n\n```text\n{usage}\n```\n\n| | |\n|---|---|\n{table}\n"


def _argument_name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _value_of(option: Any) -> str:
    if option.is_flag:
        return ""
    return f" {option.metavar or option.name.upper().replace('_', '-')}"


def _sections(title: str, model: type[BaseModel], seen: set[type]) -> Iterator[tuple[str, type[BaseModel]]]:
    if model in seen:
        return
    seen.add(model)
    yield title, model
    for name, found in model.model_fields.items():
        for suffix, inner in _models_in(found.annotation):
            yield from _sections(f"{title}.{name}{suffix}".lstrip("."), inner, seen)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _heading(title: str) -> str:
    return f"[[{title.removesuffix(LISTED)}]]" if title.endswith(LISTED) else f"[{title}]"


def _models_in(annotation: Any, suffix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    if _is_model(annotation):
        yield suffix, annotation
    elif get_origin(annotation) is tuple and get_args(annotation)[1:] == (...,) and _is_model(get_args(annotation)[0]):
        yield LISTED, get_args(annotation)[0]
    elif get_origin(annotation) is dict:
        yield from _models_in(get_args(annotation)[1], ".NAME")
    else:
        for member in get_args(annotation):
            yield from _models_in(member, suffix)


def _settings_table(model: type[BaseModel]) -> str:
    written = _attributes_of(model.__doc__ or "")
    head = "| setting | kind | default | what it is |\n|---|---|---|---|\n"
    return head + "\n".join(
        f"| `{name}` | {_cell(_kind(found.annotation))} | {_cell(_default(found))} "
        f"| {_cell(found.description or written.get(name, ''))} |"
        for name, found in model.model_fields.items()
    )


def _attributes_of(docstring: str) -> dict[str, str]:
    """Read the section Attributes of a docstring in Google's style."""
    _, _, section = docstring.partition("Attributes:\n")
    described: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if match := re.match(r" {8}(\w+): (.*)", line):
            name = match[1]
            described[name] = match[2]
        elif name and line.startswith(" " * 12):
            described[name] += " " + line.strip()
    return described


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is typing.Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_kind(each) for each in get_args(annotation) if each is not type(None)))
    if values := _choices(annotation):
        return ", ".join(f"`{value}`" for value in values)
    return _BARE.get(annotation) or _container(annotation)


def _choices(annotation: Any) -> list[object]:
    if get_origin(annotation) is typing.Literal:
        return list(get_args(annotation))
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return [member.value for member in annotation] if is_enum else []


def _container(annotation: Any) -> str:
    if get_origin(annotation) is dict or _is_model(annotation):
        return "section"
    return "list" if get_origin(annotation) in {list, tuple} else "text"


def _default(found: FieldInfo) -> str:
    if found.is_required():
        return "**required**"
    value = found.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(_plain, value))}]`"
    return f"`{_plain(value)}`" if value != "" else ""


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _first_paragraph(docstring: str | None) -> str:
    return _unwrapped((docstring or "").partition("\n\n")[0])


def _unwrapped(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
