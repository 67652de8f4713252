"""The command that writes something of one's own to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from protocols.errors import SettingsError
from scenarios.cli import completion
from scenarios.cli.options import Debug, Decimal, Delimiter, Missing, Quiet, Sheet
from scenarios.display.console import reported_errors, show

LAB: Final = "lab"

app = typer.Typer()


@app.command(name="init")
def init(
    what: Annotated[
        str, typer.Argument(help="lab: a scenario for a table and a lab.", autocompletion=completion.starts)
    ],
    table: Annotated[str, typer.Argument(help="The table: a row per candidate, with the numbers that the lab sets.")],
    property: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column that is measured; empty where it is not yet.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Its unit; by default what stands in brackets behind it.")] = None,
    id: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column with the names of the candidates.")
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the family of a row.")] = None,
    instrument: Annotated[str, typer.Option(metavar="ID", help="Our id of the first instrument.")] = "lab",
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    sheet: Sheet = None,
    missing: Missing = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; by default TABLE-lab.toml.")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a commented scenario for a table and a lab that speaks its own messages; it loads as it is.

    entropilot init lab recipes.csv --property strength --unit MPa
    """
    with reported_errors(debug=debug):
        from scenarios.init.columns import Asked
        from scenarios.init.report import start_table
        from scenarios.init.start import write_start
        from scenarios.sources.identify import identify
        from scenarios.sources.kinds import TablePath
        from scenarios.sources.named_table import table_format
        from scenarios.sources.scenario import runs_folder

        if what != LAB:
            raise SettingsError(f"There is no `entropilot init {what}`", expected=LAB)
        form = table_format(delimiter, decimal, sheet, missing or ())
        found = identify(table, runs_folder(), TablePath)
        written = write_start(found.path, Asked(property, unit, id, family, form), instrument=instrument, out=out)
        if not quiet:
            show(start_table(written))
