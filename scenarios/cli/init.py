"""The command that writes something of one's own to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from protocols.errors import SettingsError
from scenarios.cli import completion
from scenarios.cli.options import Debug, Decimal, Delimiter, Missing, Quiet, Sheet
from scenarios.display.console import progress_on_stderr, reported_errors, show, show_notes, tell

if TYPE_CHECKING:
    from scenarios.init.cells import Cells
    from scenarios.init.table_columns import Said

EXAMPLE: Final = "example"
LAB: Final = "lab"
SCENARIO: Final = "scenario"
PACKAGES: Final = ("policy", "evaluator", "reader")
WHAT: Final = (SCENARIO, EXAMPLE, LAB, *PACKAGES)

ONLY_FOR: Final = {"--instrument": (LAB,), "--features": (SCENARIO,), "--yes": (SCENARIO,)}
"""Option -> what it says something of, where that is not all that is made from a table."""

MOST_SHOWN: Final = 6
"""Most columns that a question names."""

NO_UNIT: Final = "-"
"""The answer of who has no unit to tell."""

app = typer.Typer()


@app.command(name="init")
def init(
    what: Annotated[
        str,
        typer.Argument(
            help="scenario: of a table; example: a copy of a scenario that comes with Entropilot; lab: a scenario of a "
            "table and a lab with messages of its own; policy, evaluator, reader: a package of yours.",
            autocompletion=completion.starts,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="The table; of an example its name, and of a package the name that it gets."),
    ] = None,
    property: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column that is measured; empty where it is not yet.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Its unit; by default what stands in brackets behind it.")] = None,
    id: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column with the names of the candidates.")
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the family of a row.")] = None,
    features: Annotated[
        str | None,
        typer.Option(metavar="COLUMNS", help="Of a scenario: columns of numbers known of every row, with commas."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Of a scenario: ask nothing, assume.")] = False,
    instrument: Annotated[
        str | None, typer.Option(metavar="ID", help="Of a lab: our id of the first instrument; by default lab.")
    ] = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    sheet: Sheet = None,
    missing: Missing = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to: a file, or the folder of an example or a package."),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write something of your own to start from, with comments; it works as it is.

    entropilot init scenario alloys.csv --property hardness --unit GPa

    entropilot init example oracle_table

    entropilot init lab recipes.csv --property strength --unit MPa

    entropilot init policy nearest_first
    """
    with reported_errors(debug=debug):
        given = {"--instrument": instrument, "--features": features, "--yes": yes}
        _require_known(what, name, {option for option, value in given.items() if value})
        form = (delimiter, decimal, sheet, tuple(missing or ()))
        told = (property, unit, id, family)
        if what == LAB:
            _write_lab(str(name), told, form, instrument or LAB, out, quiet=quiet)
        elif what == SCENARIO:
            columns = None if features is None else tuple(each.strip() for each in features.split(",") if each.strip())
            _write_scenario(str(name), told, columns, form, out, asks=not (yes or quiet), quiet=quiet)
        elif what == EXAMPLE:
            from scenarios.init.example import write_example

            example = write_example(str(name), out)
            if not quiet:
                _tell(example.files, f"Run it: entropilot run {example.path}")
        else:
            from scenarios.init.package import write_package

            package = write_package(what, str(name), out)
            if not quiet:
                _tell(package.files, f"Try it: cd {package.folder}, pip install -e '.[test]', pytest")


Told = tuple[str | None, str | None, str | None, str | None]
"""What the command line says of a table: property, unit, id, family."""

Form = tuple[str | None, str, str | None, tuple[str, ...]]
"""How it is written: delimiter, decimal mark, sheet, marks for a missing cell."""


def _require_known(what: str, name: str | None, given: set[str]) -> None:
    """Check what is to be written, and that what is said belongs to it.

    Raises:
        SettingsError: When it does not.
    """
    if what not in WHAT:
        is_table = Path(what).suffix != ""
        raise SettingsError(
            f"There is no `entropilot init {what}`",
            expected=", ".join(WHAT),
            action=f"say for what: `entropilot init scenario {what}`, or `entropilot init lab {what}`"
            if is_table
            else "",
        )
    if not name:
        of = {SCENARIO: "a table", LAB: "a table", EXAMPLE: "the name of a scenario"}.get(what, "the name it shall get")
        raise SettingsError(f"`entropilot init {what}` is not told of what", expected=of)
    for option in sorted(given):
        if what not in ONLY_FOR[option]:
            only = " and ".join(ONLY_FOR[option])
            raise SettingsError(
                f"{option} says nothing of `init {what}`", expected=f"it with {only}", action="leave it out"
            )


def _write_lab(table: str, told: Told, form: Form, instrument: str, out: Path | None, *, quiet: bool) -> None:
    from scenarios.init.columns import Asked
    from scenarios.init.report import start_table
    from scenarios.init.start import write_start
    from scenarios.init.written_as import written_as
    from scenarios.sources.identify import identify
    from scenarios.sources.kinds import TablePath
    from scenarios.sources.named_table import table_format, told_by_options
    from scenarios.sources.scenario import runs_folder

    found = identify(table, runs_folder(), TablePath)
    with told_by_options():
        asked = Asked(*told, written_as(found.path, table_format(*form)))
        written = write_start(found.path, asked, instrument=instrument, out=out)
    if not quiet:
        show(start_table(written))


def _write_scenario(
    table: str, told: Told, features: tuple[str, ...] | None, form: Form, out: Path | None, *, asks: bool, quiet: bool
) -> None:
    from scenarios.cli.settings import told_in_short
    from scenarios.display.progress import late
    from scenarios.init.cells import cells_of
    from scenarios.init.report import scenario_table
    from scenarios.init.table_columns import Said, assumed_of
    from scenarios.init.table_scenario import write_table_scenario
    from scenarios.init.written_as import written_as
    from scenarios.sources.identify import identify
    from scenarios.sources.kinds import TablePath
    from scenarios.sources.named_table import table_format, told_by_options
    from scenarios.sources.scenario import runs_folder

    path = identify(table, runs_folder(), TablePath).path
    with told_by_options():
        said = Said(*told, features, written_as(path, table_format(*form)))
        with progress_on_stderr(quiet=quiet) as progress:
            cells = cells_of(path, said.format, (*told[:1], *told[2:], *(features or ())), late(progress))
        if asks and sys.stdin.isatty() and sys.stderr.isatty():
            said = _asked(path, cells, said)
        assumed = assumed_of(path, cells, said)
        with progress_on_stderr(quiet=quiet) as progress:
            written = write_table_scenario(assumed, out, late(progress))
    show_notes((*written.notes, *told_in_short(written.account)))
    if not quiet:
        show(scenario_table(written))


def _asked(path: Path, cells: Cells, said: Said) -> Said:
    """Ask for what was not said, with what would be assumed as the answer of who only presses Enter."""
    from dataclasses import replace

    from scenarios.init.property_column import WhichPropertyError
    from scenarios.init.table_columns import assumed_of

    if said.property is None:
        try:
            guess = assumed_of(path, cells, said)
            could_be = (guess.property, *guess.others)
        except WhichPropertyError as either:
            could_be = either.columns
        told = f"Which column is the property? (could be: {', '.join(could_be[:MOST_SHOWN])})"
        said = replace(said, property=_column(told, could_be[0], cells))
    guess = assumed_of(path, cells, said)
    if said.unit is None:
        told = typer.prompt(f"Its unit? ({NO_UNIT} for none)", default=guess.unit or NO_UNIT, err=True)
        said = replace(said, unit="" if told == NO_UNIT else told)
    if said.family is None and guess.family is not None:
        said = replace(said, family=_column("Which column is the family?", guess.family, cells))
    if said.id is None and guess.id is not None:
        said = replace(said, id=_column("Which column names a row?", guess.id, cells))
    return said


def _column(question: str, default: str, cells: Cells) -> str:
    """Ask for a column until one is named that is there."""
    from protocols.settings.suggestions import did_you_mean

    while True:
        answer: str = typer.prompt(question, default=default, err=True)
        if answer in cells.names:
            return answer
        tell(f"There is no column {answer!r}. {did_you_mean(answer, cells.names) or ', '.join(cells.names)}")


def _tell(files: tuple[Path, ...], action: str) -> None:
    for each in files:
        show(f"  {each}")
    show(action)
