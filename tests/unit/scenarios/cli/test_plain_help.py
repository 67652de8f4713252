"""What a help text says in brackets is shown, on every page."""

from __future__ import annotations

import inspect
import re

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from scenarios.cli.app import GROUPS, app
from scenarios.cli.plain_help import PlainHelpCommand

COMMANDS = {
    command.name or command.callback.__name__.replace("_", "-"): command.callback
    for commands in GROUPS.values()
    for command in commands
    if command.callback is not None
}
WIDE = {"COLUMNS": "400", "TERMINAL_WIDTH": "400"}


def words(text: str) -> str:
    """A text without its line breaks and the frame around it."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


def help_texts(command: str) -> list[str]:
    """What the source says of a command and its options, as it stands there."""
    callback = COMMANDS[command]
    said = [inspect.getdoc(callback) or ""]
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        said += [each.help for each in getattr(parameter.annotation, "__metadata__", ()) if each.help]
    return said


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_shows_what_the_source_says_brackets_included(command: str) -> None:
    shown = words(CliRunner(env=WIDE).invoke(app, [command, "--help"]).output)
    said = help_texts(command)
    assert len(said) > 1
    for text in said:
        for paragraph in text.split("\n\n"):
            assert words(paragraph) in shown


def test_help_has_brackets_to_show() -> None:
    assert any("[evaluation]" in text for text in help_texts("compare"))


def test_brackets_of_any_kind_survive_in_a_command_and_in_the_list() -> None:
    own = typer.Typer(rich_markup_mode="rich")

    @own.command(cls=PlainHelpCommand)
    def first(
        flag: bool = typer.Option(False, "--flag", help="As [pool.columns] and [[fault]] say, [bold]and[/bold]."),
    ) -> None:
        """Read [pool] and [/nothing]."""

    @own.command(cls=PlainHelpCommand)
    def second() -> None:
        """Take [dim] things."""

    assert "As [pool.columns] and [[fault]] say, [bold]and[/bold]." in words(
        CliRunner(env=WIDE).invoke(own, ["first", "--help"]).output
    )
    listed = words(CliRunner(env=WIDE).invoke(own, ["--help"]).output)
    assert "Read [pool] and [/nothing]." in listed
    assert "Take [dim] things." in listed
    made = typer.main.get_command(own)
    assert Text.from_markup(made.commands["second"].help).plain == "Take [dim] things."  # type: ignore[attr-defined]
