"""Every command is listed as its own docstring says, and its help shows what the source says, brackets included."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import scenarios.cli
from scenarios.cli.app import app
from scenarios.cli.commands import GROUPS, PACKAGE, Listed

WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}
LISTED = {each.name: each for commands in GROUPS.values() for each in commands}


def callbacks() -> dict[str, Callable[..., Any]]:
    """The functions of all modules of commands, by the name of their command."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(scenarios.cli.__path__):
        brought = getattr(importlib.import_module(f"{PACKAGE}.{module.name}"), "app", None)
        if isinstance(brought, typer.Typer) and module.name != "app":
            for command in brought.registered_commands:
                assert command.callback is not None
                found[command.name or command.callback.__name__.replace("_", "-")] = command.callback
    return found


CALLBACKS = callbacks()


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def letters(text: str) -> str:
    """A text without any space: a long name is broken where it has a hyphen."""
    return "".join(text.split())


def test_every_command_of_every_module_is_listed_and_no_other() -> None:
    assert sorted(LISTED) == sorted(CALLBACKS)


@pytest.mark.parametrize("listed", LISTED.values(), ids=lambda listed: listed.name)
def test_a_command_is_listed_by_the_first_paragraph_of_its_docstring(listed: Listed) -> None:
    callback = CALLBACKS[listed.name]
    assert callback.__module__ == f"{PACKAGE}.{listed.module}"
    assert listed.about == words((inspect.getdoc(callback) or "").partition("\n\n")[0])


@pytest.mark.parametrize("command", sorted(CALLBACKS))
def test_help_shows_what_the_source_says_brackets_included(command: str) -> None:
    shown = letters(CliRunner(env=WIDE).invoke(app, [command, "--help"]).output)
    callback = CALLBACKS[command]
    said = [inspect.getdoc(callback) or ""]
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        said += [each.help for each in getattr(parameter.annotation, "__metadata__", ()) if each.help]
    assert len(said) > 1
    for text in said:
        for paragraph in text.split("\n\n"):
            assert letters(paragraph) in shown


def test_the_list_is_in_groups_and_has_no_frame() -> None:
    shown = CliRunner(env=WIDE).invoke(app, ["--help"]).output
    assert [line[:-1] for line in shown.splitlines() if re.fullmatch(r"\w+:", line)] == ["Options", *GROUPS]
    assert not set("│╭╮╰╯─") & set(shown)


def test_a_name_that_is_nearly_one_is_told_which() -> None:
    ended = CliRunner().invoke(app, ["reprot"])
    assert ended.exit_code == 2
    assert "Did you mean 'report'" in ended.output
