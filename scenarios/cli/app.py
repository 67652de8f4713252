"""The command `entropilot`. Commands are thin: they read the settings, call what does the work, and print.

Heavy packages are imported inside the commands, so that `--help` comes at once.
"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from scenarios.cli import alerts, doctor, keys, lab, look, maintain, mapping, operate, replay, run, study, tables, watch
from scenarios.cli.plain_help import PlainHelpCommand
from scenarios.display.terminal import speaking

GROUPS: Final = {
    "Run": run.app.registered_commands,
    "Look": [*look.app.registered_commands, *watch.app.registered_commands],
    "Replay": replay.app.registered_commands,
    "Study": [*study.app.registered_commands, *tables.app.registered_commands],
    "Operate": [*operate.app.registered_commands, *alerts.app.registered_commands],
    "Lab": [
        *lab.app.registered_commands,
        *mapping.app.registered_commands,
        *keys.app.registered_commands,
        *doctor.app.registered_commands,
    ],
    "Maintain": maintain.app.registered_commands,
}
"""Title in `--help` -> its commands."""

app = typer.Typer(
    name="entropilot",
    help="An autonomous-lab agent that keeps a materials dataset from becoming biased.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Start with [bold]entropilot run emt_alloys[/bold]; [bold]entropilot list[/bold] shows the scenarios.",
)

for title, commands in GROUPS.items():
    for command in commands:
        command.rich_help_panel = title
        if command.cls is None or not issubclass(command.cls, PlainHelpCommand):
            command.cls = PlainHelpCommand
        app.registered_commands.append(command)


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
