"""Whether a command in a document can be typed: asked of the command line's own tree, without running anything."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import typer

from scenarios.cli.app import app
from tests.support.documents.markdown import ROOT

COMMANDS: Final[Any] = typer.main.get_command(app)
"""The command `entropilot` with its commands."""

_OPTION: Final = re.compile(r"--?[a-z][a-z-]*")


def make_targets() -> set[str]:
    """Return the targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def problem_of(words: Sequence[str]) -> str:
    """Say why a command line cannot be typed; nothing for one that can, and for programs that are not ours."""
    program, *arguments = words
    if program == "entropilot":
        return _problem_of_ours(arguments)
    if program == "make":
        unknown = {word for word in arguments if "=" not in word} - make_targets()
        return f"make has no target {', '.join(sorted(unknown))}" if unknown else ""
    if program == "python" and arguments[:1] == ["-m"] and arguments[1].startswith("tests."):
        return "" if importlib.util.find_spec(arguments[1]) else f"there is no module {arguments[1]}"
    return ""


def unknown_parts(words: Sequence[str]) -> Iterator[str]:
    """Yield the command and the options that do not exist, of a command that is only mentioned."""
    named = words[1] if len(words) > 1 else ""
    known = _options(COMMANDS)
    if named and not named.startswith("-"):
        command = COMMANDS.commands.get(named)
        if command is None:
            yield f"there is no command {named}"
            return
        known = _options(command)
    for word in words[1:]:
        if (option := _OPTION.match(word)) and option[0] not in known:
            yield f"{named} has no option {option[0]}"


def _problem_of_ours(arguments: Sequence[str]) -> str:
    try:
        with COMMANDS.make_context("entropilot", list(arguments)) as context:
            name, command, rest = COMMANDS.resolve_command(context, list(arguments))
            with command.make_context(name, rest, parent=context):
                return ""
    except typer.Exit:
        return ""
    except Exception as error:  # noqa: BLE001 - typer may bring a click of its own
        return f"{type(error).__name__}: {error}"


def _options(command: Any) -> set[str]:
    return {"--help", *(option for parameter in command.params for option in parameter.opts + parameter.secondary_opts)}
