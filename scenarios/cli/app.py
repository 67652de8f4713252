"""The command `entropilot`. Commands are thin: they read the settings, call what does the work, and print.

What a command needs is imported when it is called, and its own module when it is named, so that `--help` comes at once.
Help is plain text: it reads the same in a pipe, in a file and by a screen reader, and takes nothing for markup.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from scenarios.cli.commands import GROUPS, LazyCommands
from scenarios.display.terminal import speaking

MAX_HELP_WIDTH: Final = 100
"""Longest line of help [character]: longer ones are hard to read, however wide the window is."""


class LazyGroup(TyperGroup):
    """The commands, which are imported when they are named, and listed by what `commands` says of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"commands": None})
        self.commands = LazyCommands()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as typer calls it
        """Return the names."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as typer calls it
        """List the commands by their groups."""
        widest = max(len(name) for name in self.commands)
        for title, commands in GROUPS.items():
            with formatter.section(_heading(title)):
                formatter.write_dl([(each.name.ljust(widest), each.about) for each in commands])


app = typer.Typer(
    name="entropilot",
    cls=LazyGroup,
    help="An autonomous-lab agent that keeps a materials dataset from becoming biased.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start with `entropilot run emt_alloys`; `entropilot list` shows the scenarios, `entropilot COMMAND --help` "
    "explains a command.",
    context_settings={"max_content_width": MAX_HELP_WIDTH},
)


def _heading(title: str) -> str:
    """Return a title, bold where a person sees it."""
    return typer.style(title, bold=True) if sys.stdout.isatty() else title


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if wanted:
        from importlib.metadata import version

        typer.echo(f"entropilot {version('entropilot')}")
        raise typer.Exit


@app.callback()
def entropilot(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """Keep a materials dataset from becoming biased."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    with speaking():
        app(args=arguments, prog_name="entropilot")


if __name__ == "__main__":
    main()
