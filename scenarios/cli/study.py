"""Commands that study a scenario without running it: compare policies, forecast, find the graph of all its rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import AllowCode, Budget, Debug, Json, Quiet, ScenarioName, Set, SettingsFile, allowing_code
from scenarios.cli.settings import build_world_for, load_settings
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
    out: Annotated[
        Path | None, typer.Option(help="Folder for figures, CSV and JSON; by default a new one, runs/compare-SCENARIO.")
    ] = None,
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
        from scenarios.compare.files import WRITTEN, write_comparison
        from scenarios.sources.result_folder import new_folder, require_free
        from scenarios.sources.scenario import runs_folder

        require_free(out, WRITTEN)
        resolved = load_settings(scenario, {"budget": budget}, settings, settings_file, quiet=quiet or json)
        names = None if policies is None else [name.strip() for name in policies.split(",") if name.strip()]
        with progress_on_stderr(quiet=quiet or json) as progress:
            comparison = compare_policies(resolved.settings, names, range(seeds), progress, downstream=downstream)
        written = write_comparison(comparison, out or new_folder(runs_folder() / f"compare-{resolved.settings.name}"))
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
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; by default a new one, runs/forecast-SCENARIO.")
    ] = None,
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
        from scenarios.forecast.report import WRITTEN, forecast_json, forecast_table, write_forecast
        from scenarios.sources.result_folder import new_folder, require_free
        from scenarios.sources.scenario import runs_folder

        require_free(out, WRITTEN)
        resolved = load_settings(scenario, {"budget": budget}, settings, settings_file, quiet=quiet or json)
        with progress_on_stderr(quiet=quiet or json) as progress:
            told = forecast_campaigns(resolved.settings, draws, seed, progress)
        written = write_forecast(told, out or new_folder(runs_folder() / f"forecast-{resolved.settings.name}"))
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
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the graph, to be laid over the scenario by --settings; by default a new global_graph.toml."
        ),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find the causal graph of all rows of a scenario whose values are known: what causal_reference is told.

    A laboratory has no such graph before it has measured everything; this is for comparisons with the published method.
    """
    with reported_errors(debug=debug):
        from scenarios.global_graph.global_graph import global_graph as graph_of_all
        from scenarios.global_graph.global_graph import write_global_graph
        from scenarios.sources.result_folder import new_file, require_new

        require_new(out)
        resolved = load_settings(scenario, {}, settings, settings_file, quiet=quiet)
        names = [name.strip() for name in (features or "").split(",") if name.strip()]
        with progress_on_stderr(quiet=quiet) as progress:
            graph, rows = graph_of_all(resolved.settings, names, progress)
        path = out or new_file(Path("global_graph.toml"))
        write_global_graph(path, graph, rows)
        if not quiet:
            show(f"{int((graph.weights != 0.0).sum())} edges between {len(graph.names)} variables of {rows:,} rows")
            show(f"  {path}")


@app.command()
def pool(
    scenario: ScenarioName,
    out: Annotated[
        Path | None, typer.Option(help="CSV file for the candidates with their ids; by default nothing is written.")
    ] = None,
    features: Annotated[bool, typer.Option("--features", help="Write the features, too, as feature_NAME.")] = False,
    settings: Set = None,
    settings_file: SettingsFile = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make the pool of a scenario, say what is in it, and write it as a table.

    Embeddings of your own, computed for the rows of that table, become the features by [pool.features].
    """
    with reported_errors(debug=debug):
        from scenarios.pool.pool import pool_in_words, write_pool
        from scenarios.sources.result_folder import require_new

        require_new(out)
        resolved = load_settings(scenario, {}, settings, settings_file, quiet=quiet)
        world = build_world_for(resolved.settings, quiet=quiet)
        if out is not None:
            write_pool(world, resolved.settings, out, features=features)
        if not quiet:
            for line in pool_in_words(world):
                show(line)
            if out is not None:
                show(f"  {out}")
