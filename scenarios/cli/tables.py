"""Commands that study a table as it is, without a campaign: trim it, and find the causal graph of its columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from typer.core import TyperCommand

from scenarios.cli import completion
from scenarios.cli.options import Debug, Decimal, Delimiter, FamilyName, Json, Missing, Quiet, Sheet
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes

VALID_RANGE: Final = "--valid-range"

AnyTable = Annotated[
    str, typer.Argument(help="A table, or a scenario whose pool is one.", autocompletion=completion.scenarios)
]
Keep = Annotated[str, typer.Option(help="How many rows to keep: a number, or a share such as 30%.")]
Family = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the family of a row.")]
Property = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the property whose entropy counts.")]
Id = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with ids; they are checked to be distinct.")]
Unit = Annotated[str | None, typer.Option(help="Unit of the property, for the figure.")]
ValidRange = Annotated[
    str | None,
    typer.Option(
        VALID_RANGE,
        metavar="LOW,HIGH",
        help="Smallest and largest value of the property that can be true; rows outside are left out.",
    ),
]
RandomTrims = Annotated[int, typer.Option(min=0, max=1000, help="How many random trims to compare with.")]
Estimator = Annotated[
    str, typer.Option(help="Measures the figures: m_spacing, kozachenko_leonenko, gaussian_kernel, published.")
]
Resolution = Annotated[
    float | None,
    typer.Option(help="Smallest difference of values that counts; by default a thousandth of their deviation."),
]
TrimFolder = Annotated[Path | None, typer.Option(help="Folder for the results; by default a new one, runs/trim-TABLE.")]

Table = Annotated[str, typer.Argument(help="A table.")]
Columns = Annotated[
    str, typer.Option(help="Columns of numbers, separated by commas, what is preferred first; globs such as feat_*.")
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Column that causes none of the others: what is measured last.")
]
Forbidden = Annotated[
    list[str] | None, typer.Option(metavar="CAUSE:EFFECT", help="An edge that is not there. Repeatable.")
]
Required = Annotated[list[str] | None, typer.Option(metavar="CAUSE:EFFECT", help="An edge that is there. Repeatable.")]
Samples = Annotated[
    int, typer.Option(min=2, max=10_000, help="How many bootstrap samples of the rows get a graph each.")
]
SampleSeed = Annotated[int, typer.Option(min=0, help="Seed of the samples.")]
MostVif = Annotated[
    float, typer.Option(min=1.0, help="A column is left out above this variance inflation factor: others tell it.")
]
DropMissing = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out rows with an empty cell; else they are an error.")
]
GraphFolder = Annotated[
    Path | None, typer.Option(help="Folder for the results; by default a new one, runs/graph-TABLE.")
]

app = typer.Typer()


class TrimCommand(TyperCommand):
    """`trim`, whose range of values may also be written as two arguments: `--valid-range 0 500`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what follows the command, with the two numbers after the range's option joined."""
        for place, each in enumerate(args):
            if each == VALID_RANGE and all(map(_is_number, args[place + 1 : place + 3])) and len(args) > place + 2:
                args = [*args[: place + 1], ",".join(args[place + 1 : place + 3]), *args[place + 3 :]]
                break
        return super().parse_args(ctx, args)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@app.command(cls=TrimCommand)
def trim(
    table: AnyTable,
    keep: Keep,
    family: Family = None,
    property: Property = None,  # noqa: A002 - the flag
    id: Id = None,  # noqa: A002 - the flag
    unit: Unit = None,
    valid_range: ValidRange = None,
    family_name: FamilyName = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    sheet: Sheet = None,
    missing: Missing = None,
    seeds: RandomTrims = 20,
    estimator: Estimator = "m_spacing",
    resolution: Resolution = None,
    out: TrimFolder = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Trim a table to a given size with the least bias and the least loss of entropy.

    Rows go where values of a family crowd together, from families rich in rows; scarce families and rare values stay.
    No family's entropy counts beyond that of the richest one, so that the gap between families closes.

    Rows without a family or a value, or with one that cannot be true, are left out and counted. The folder gets the
    kept rows as they stand in the table and in their order, trim.csv with all figures, trim.json with these and what
    was left out, and trim.png.

    entropilot trim alloys.csv --keep 30% --family crystal_system --property energy --unit eV/atom
    """
    with reported_errors(debug=debug):
        from scenarios.sources.named_table import number_range, renamed, table_format
        from scenarios.sources.result_folder import new_folder, require_free
        from scenarios.sources.scenario import runs_folder
        from scenarios.trim import trim as trimming
        from scenarios.trim.report import files_of, trim_json, trim_table, write_trim
        from scenarios.trim.source import NamedColumns, read_source

        believed = None if valid_range is None else number_range(valid_range)
        form = table_format(delimiter, decimal, sheet, missing or ())
        columns = NamedColumns(family, property, id, unit, believed, renamed(family_name or ()), form)
        with progress_on_stderr(quiet=quiet or json) as progress:
            source = read_source(table, columns, progress)
            require_free(out, files_of(source))
            rows = trimming.rows_wanted(keep, source)
            measure = trimming.measure_for(source.values, estimator, resolution)
            trimmed = trimming.trim(source, rows, measure, seeds, progress)
            written = write_trim(trimmed, out or new_folder(runs_folder() / f"trim-{source.name}"), progress)
        if json:
            print_json(trim_json(trimmed, written))
        else:
            _show_result(trim_table(trimmed), written.notes, written.files, quiet=quiet)


@app.command()
def graph(
    table: Table,
    columns: Columns,
    target: Target = None,
    forbid: Forbidden = None,
    require: Required = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    sheet: Sheet = None,
    missing: Missing = None,
    samples: Samples = 100,
    seed: SampleSeed = 0,
    most_vif: MostVif = 10.0,
    drop_missing: DropMissing = False,
    out: GraphFolder = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Find the causal graph of a table's columns, with the probability of every edge, and draw it.

    DirectLiNGAM finds it in bootstrap samples of the rows; an edge is believed that at least half of them have. The
    folder gets graph.png and graph.csv, which has every edge that any sample has.

    A column that is constant or a linear function of others is refused by name; one that is nearly so is left out.

    entropilot graph alloys.csv --columns volume,bulk_modulus --target energy --forbid bulk_modulus:volume
    """
    with reported_errors(debug=debug):
        from scenarios.graph.graph import graph_of
        from scenarios.graph.report import WRITTEN, graph_json, graph_table, write_files
        from scenarios.graph.source import Question, read_source
        from scenarios.sources.identify import identify
        from scenarios.sources.kinds import TablePath
        from scenarios.sources.named_table import table_format
        from scenarios.sources.result_folder import new_folder, require_free
        from scenarios.sources.scenario import runs_folder

        names = tuple(name.strip() for name in columns.split(",") if name.strip())
        form = table_format(delimiter, decimal, sheet, missing or ())
        question = Question(names, target, tuple(forbid or ()), tuple(require or ()), most_vif, drop_missing, form)
        found = identify(table, runs_folder(), TablePath)
        require_free(out, WRITTEN)
        with progress_on_stderr(quiet=quiet or json) as progress:
            source = read_source(found.path, found.stem, question)
            told = graph_of(source, samples, seed, progress)
            files = write_files(told, out or new_folder(runs_folder() / f"graph-{found.stem}"))
        if json:
            print_json(graph_json(told, files))
        else:
            _show_result(graph_table(told), source.notes(), files, quiet=quiet)


def _show_result(table: RenderableType, notes: Iterable[str], files: Iterable[Path], *, quiet: bool) -> None:
    """Show notes, and unless quiet the table and the paths of what was written."""
    show_notes(notes)
    for each in () if quiet else (table, *(f"  {path}" for path in files)):
        show(each)
