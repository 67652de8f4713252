"""Commands that look at what is there and change nothing: what there is, a run, one decision, two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import (
    AllowCode,
    Database,
    Debug,
    Json,
    Quiet,
    RunName,
    Runs,
    allowing_code,
)
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes

app = typer.Typer()


@app.command("list")
def list_all(runs: Runs = Path("runs"), json: Json = False) -> None:
    """Show the scenarios and recordings that come with Entropilot and what they are for, and the runs here."""
    with reported_errors(debug=False):
        from scenarios.listing.listing import listing, listing_json

        if json:
            print_json(listing_json(runs))
        else:
            show(listing(runs))


@app.command()
def report(
    run: RunName,
    runs: Runs = Path("runs"),
    database: Database = None,
    json: Json = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the run as one HTML page instead, with any moment of its past.",
        ),
    ] = None,
    meanings: Annotated[bool, typer.Option("--meanings", help="Say below what each figure means.")] = False,
    debug: Debug = False,
) -> None:
    """Show a run again, from what it wrote: the summary, and where its files are."""
    with reported_errors(debug=debug):
        if html is not None:
            from scenarios.watch.saved_page import save_page

            with progress_on_stderr(quiet=json):
                saved = save_page(run, runs, database, html)
            print_json(saved.as_json()) if json else show(f"  {saved.path} ({saved.size_bytes / 1e6:.1f} MB)")
            return
        from scenarios.display.progress import late
        from scenarios.listing.listing import run_json, run_report
        from scenarios.sources.identify import identify
        from scenarios.sources.kinds import RunPath

        folder = identify(run, runs, RunPath).path
        with progress_on_stderr(quiet=json) as progress:
            told = run_json(folder, database_url=database) if json else run_report(folder, late(progress), database)
        if isinstance(told, str):
            print_json(told)
            return
        show(told)
        if meanings:
            from scenarios.display.meanings import meanings_table

            show("")
            show(meanings_table())


@app.command()
def why(
    run: RunName,
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="Number of a decision from 0, last, or the id of a candidate.")
    ],
    runs: Runs = Path("runs"),
    database: Database = None,
    no_figure: Annotated[bool, typer.Option("--no-figure", help="Only words; the run folder is not touched.")] = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Explain one decision of a run, in words and as a figure, and ask whether it would be made again."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.why.as_json import explanation_json
        from scenarios.why.why import draw_decision, explain_run
        from scenarios.why.words import explanation_in_words

        with progress_on_stderr(quiet=json) as progress:
            folder, explanation = explain_run(run, decision, runs, database, progress)
            figure = None if no_figure else draw_decision(folder, explanation)
        if json:
            print_json(explanation_json(explanation, figure=None if figure is None else str(figure)))
            return
        show(explanation_in_words(explanation))
        if figure is not None:
            show(f"  {figure}")


ComparedName = Annotated[
    str,
    typer.Argument(
        help="A run folder, a campaign's name, a recording's file or name, or a pack.",
        autocompletion=completion.recordings,
    ),
]


@app.command()
def diff(
    one: ComparedName,
    other: ComparedName,
    runs: Runs = Path("runs"),
    database: Database = None,
    other_database: Annotated[
        str | None, typer.Option(metavar="URL", help="Likewise of OTHER, where --database is that of ONE.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture, a .png file; by default runs/diff-ONE-OTHER.png.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell two runs or recordings apart: settings, the first event and the first decision that differ, in words.

    What differs between any two runs (ids, times) does not count. Exit code 1 when they are not the same.
    """
    with reported_errors(debug=debug):
        from scenarios.diff.diff import diff as compare_journals
        from scenarios.diff.diff import load_journal
        from scenarios.diff.report import diff_json, diff_table, draw_diff, require_picture

        named = "-".join(Path(name).name.partition(".")[0] for name in (one, other))
        path = out or runs / f"diff-{named}.png"
        require_picture(path)
        with progress_on_stderr(quiet=quiet or json) as progress:
            found = compare_journals(
                load_journal(one, runs, progress, database), load_journal(other, runs, progress, other_database)
            )
            picture = draw_diff(found, path)
        show_notes(f"{told.name}: {told.note}" for told in (found.one, found.other) if told.note)
        if json:
            print_json(diff_json(found))
        elif not quiet:
            show(diff_table(found))
            show(f"  {picture}")
        raise SystemExit(0 if found.is_same else 1)
