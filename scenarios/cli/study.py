"""Commands that study a table or a scenario without running it: compare policies, forecast, find a graph, trim."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import AllowCode, Budget, Debug, Json, Quiet, ScenarioName, Set, SettingsFile, allowing_code
from scenarios.cli.settings import load_settings
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes

if TYPE_CHECKING:
    from scenarios.compare.comparison import Comparison

app = typer.Typer()


@app.command()
def compare(
    scenario: ScenarioName,
    policies: Annotated[
        str | None,
        typer.Option(
            help="Exactly these policies, separated by commas, the one to judge first; by default the scenario's own, "
            "then random, round_robin, coverage and joint_entropy.",
            autocompletion=completion.several_policies,
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            help="How many seeds, each with its own start set; fewer than 8 can show nothing against four others.",
        ),
    ] = 10,
    budget: Budget = None,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="Train models on what was acquired too ([evaluation] says which).")
    ] = False,
    settings: Set = None,
    settings_file: SettingsFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for figures, CSV and JSON.")] = None,
    quiet: Quiet = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Compare policies on a scenario over seeds, from the same starts, without broker or lab.

    The first policy is held against every other one, seed by seed; what is shown is said in a sentence per figure.
    """
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.compare.compare import compare_policies
        from scenarios.compare.files import write_comparison

        resolved = load_settings(scenario, {"budget": budget}, settings, settings_file, quiet=quiet or json)
        names = None if policies is None else [name.strip() for name in policies.split(",") if name.strip()]
        with progress_on_stderr(quiet=quiet or json) as progress:
            comparison = compare_policies(resolved.settings, names, range(seeds), progress, downstream=downstream)
        folder = out or Path("runs") / f"compare-{resolved.settings.name}"
        written = write_comparison(comparison, folder)
        if json:
            print_json(comparison.json())
        elif not quiet:
            _show_comparison(comparison, written)


def _show_comparison(comparison: Comparison, written: Iterable[Path]) -> None:
    """Show the tables, then a sentence for each figure, then the files."""
    from scenarios.compare.tables import conclusions, tables

    for table in tables(comparison):
        show(table)
        show("")
    for sentence in conclusions(comparison):
        show(sentence)
    show("")
    for path in written:
        show(f"  {path}")


@app.command()
def forecast(
    scenario: ScenarioName,
    budget: Budget = None,
    draws: Annotated[
        int, typer.Option(min=2, max=100, help="How many pools to draw; each is played by both policies.")
    ] = 8,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the draws; by default that of the campaign.")] = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; by default runs/forecast-SCENARIO.")] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell what a budget can buy, before anything is spent: from the start set and the features alone.

    Values of all other candidates are drawn from a model of those that are known, several times, and campaigns are
    played against them by gap_gain and at random. True values that a table may hold are not looked at.

    It tells how even the dataset may become and where that flattens, which families cannot be helped, and whether
    random would do as well.
    """
    with reported_errors(debug=debug):
        from scenarios.forecast.forecast import forecast as forecast_campaigns
        from scenarios.forecast.report import forecast_json, forecast_table, write_forecast

        resolved = load_settings(scenario, {"budget": budget}, settings, settings_file, quiet=quiet or json)
        with progress_on_stderr(quiet=quiet or json) as progress:
            told = forecast_campaigns(resolved.settings, draws, seed, progress)
        written = write_forecast(told, out or Path("runs") / f"forecast-{resolved.settings.name}")
        if json:
            print_json(forecast_json(told))
            return
        show_notes(told.notes)
        if not quiet:
            show(forecast_table(told))
            for path in written:
                show(f"  {path}")


@app.command()
def global_graph(
    scenario: ScenarioName,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Features of the graph, separated by commas; globs. By default all of the pool's."
        ),
    ] = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    out: Annotated[Path, typer.Option(help="File for the graph, to be laid over the scenario by --settings.")] = Path(
        "global_graph.toml"
    ),
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find the causal graph of all rows of a scenario whose values are known: what causal_reference is told.

    A laboratory has no such graph before it has measured everything; this is for comparisons with the published method.
    """
    with reported_errors(debug=debug):
        from scenarios.global_graph.global_graph import global_graph as graph_of_all
        from scenarios.global_graph.global_graph import write_global_graph

        resolved = load_settings(scenario, {}, settings, settings_file, quiet=quiet)
        names = [name.strip() for name in (features or "").split(",") if name.strip()]
        with progress_on_stderr(quiet=quiet) as progress:
            graph, rows = graph_of_all(resolved.settings, names, progress)
        write_global_graph(out, graph, rows)
        if not quiet:
            show(f"{int((graph.weights != 0.0).sum())} edges between {len(graph.names)} variables of {rows:,} rows")
            show(f"  {out}")


@app.command()
def trim(
    table: Annotated[
        str,
        typer.Argument(
            help="A .csv, .csv.gz or .parquet file, or a scenario whose pool is such a table.",
            autocompletion=completion.scenarios,
        ),
    ],
    keep: Annotated[str, typer.Option(help="How many rows to keep: a number, or a share such as 30%.")],
    family: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column with the family of a row.")] = None,
    property: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column with the property whose entropy counts.")
    ] = None,
    id: Annotated[  # noqa: A002 - the flag
        str | None, typer.Option(metavar="COLUMN", help="Column with ids; they are checked to be distinct.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the property, for the figure.")] = None,
    seeds: Annotated[int, typer.Option(min=0, max=1000, help="How many random trims to compare with.")] = 20,
    estimator: Annotated[
        str, typer.Option(help="Measures the figures: m_spacing, kozachenko_leonenko, gaussian_kernel, published.")
    ] = "m_spacing",
    resolution: Annotated[
        float | None,
        typer.Option(help="Smallest difference of values that counts; by default a thousandth of their deviation."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; by default runs/trim-TABLE.")] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Trim a table to a given size with the least bias and the least loss of entropy.

    Rows go where values of a family crowd together, from families rich in rows; scarce families and rare values stay.
    No family's entropy counts beyond that of the richest one, so that the gap between families closes.

    Rows without a family or a value are left out and counted. The folder gets the kept rows in the format of the
    table, as they stand there and in their order, trim.csv with all figures, and trim.png.

    entropilot trim alloys.csv --keep 30% --family crystal_system --property energy --unit eV/atom
    """
    with reported_errors(debug=debug):
        from scenarios.trim import trim as trimming
        from scenarios.trim.report import trim_json, trim_table, write_trim
        from scenarios.trim.source import NamedColumns, read_source

        with progress_on_stderr(quiet=quiet or json) as progress:
            source = read_source(table, NamedColumns(family, property, id, unit))
            rows = trimming.rows_wanted(keep, source)
            measure = trimming.measure_for(source.values, estimator, resolution)
            trimmed = trimming.trim(source, rows, measure, seeds, progress)
            files = write_trim(trimmed, out or Path("runs") / f"trim-{source.name}", progress)
        if json:
            print_json(trim_json(trimmed, files))
            return
        show_notes(trimmed.notes())
        if not quiet:
            show(trim_table(trimmed))
            for path in files:
                show(f"  {path}")


@app.command()
def graph(
    table: Annotated[str, typer.Argument(help="A .csv, .csv.gz or .parquet file.")],
    columns: Annotated[
        str,
        typer.Option(help="Columns of numbers, separated by commas, what is preferred first; globs such as feat_*."),
    ],
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that causes none of the others: what is measured last.")
    ] = None,
    forbid: Annotated[
        list[str] | None, typer.Option(metavar="CAUSE:EFFECT", help="An edge that is not there. Repeatable.")
    ] = None,
    require: Annotated[
        list[str] | None, typer.Option(metavar="CAUSE:EFFECT", help="An edge that is there. Repeatable.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=2, max=10_000, help="How many bootstrap samples of the rows get a graph each.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the samples.")] = 0,
    most_vif: Annotated[
        float,
        typer.Option(min=1.0, help="A column is left out above this variance inflation factor: others tell it."),
    ] = 10.0,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out rows with an empty cell; else they are an error.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; by default runs/graph-TABLE.")] = None,
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
        from scenarios.graph.report import graph_json, graph_table, write_files
        from scenarios.graph.source import Question, read_source
        from scenarios.sources.identify import identify
        from scenarios.sources.kinds import TablePath
        from scenarios.sources.scenario import runs_folder

        names = tuple(name.strip() for name in columns.split(",") if name.strip())
        question = Question(names, target, tuple(forbid or ()), tuple(require or ()), most_vif, drop_missing)
        found = identify(table, runs_folder(), TablePath)
        with progress_on_stderr(quiet=quiet or json) as progress:
            source = read_source(found.path, found.stem, question)
            told = graph_of(source, samples, seed, progress)
            files = write_files(told, out or Path("runs") / f"graph-{found.stem}")
        if json:
            print_json(graph_json(told, files))
            return
        show_notes(source.notes())
        for each in () if quiet else (graph_table(told), *(f"  {path}" for path in files)):
            show(each)
