"""Commands that keep what was made: check a run, pack it, give it to other programs, back it up, write schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import (
    Database,
    Debug,
    Json,
    Quiet,
    RunName,
    Runs,
    ScenarioOfRecording,
    Set,
    SettingsFile,
)
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes

app = typer.Typer()


@app.command()
def verify(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run folder, the name of a campaign, a recording, or a pack.",
            autocompletion=completion.recordings,
        ),
    ],
    anchor: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file of somebody else's that names rows of the journal and their digests: receipts, reports or a "
            "log as JSON lines, a simulator's memory, another recording. May be given several times.",
        ),
    ] = None,
    memory: Annotated[
        Path | None,
        typer.Option(help="A folder with simulators' memories, where these are not in the run folder."),
    ] = None,
    runs: Runs = Path("runs"),
    database: Database = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check a run: its journal against itself, its recording and the simulators' memories, and all that follows."""
    with reported_errors(debug=debug):
        from scenarios.verify.run_check import Outside, require_sound
        from scenarios.verify.verify import verification_json, verification_table, verify

        with progress_on_stderr(quiet=json) as progress:
            parts = verify(run, runs, database, progress, Outside(tuple(anchor or ()), memory))
        if json:
            print_json(verification_json(parts))
        else:
            show(verification_table(parts))
        require_sound(parts, run)


@app.command()
def pack(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_SCENARIO",
            help="A run folder, the name of a campaign, a recording, or a scenario (its name or TOML file).",
            autocompletion=completion.runs_and_scenarios,
        ),
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The pack; by default NAME.pack.")] = None,
    scenario: ScenarioOfRecording = None,
    no_recording: Annotated[
        bool, typer.Option("--no-recording", help="Of a run only its scenario and tables.")
    ] = False,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pack scenario, tables and recording into one file that run, replay and verify take on any machine."""
    with reported_errors(debug=debug):
        from scenarios.pack.content import content_of
        from scenarios.pack.report import packed_json, table_to_pack
        from scenarios.pack.writer import default_path, write_pack

        with progress_on_stderr(quiet=quiet or json) as progress:
            content = content_of(what, runs, progress, scenario=scenario, with_recording=not no_recording)
            packed = write_pack(content, out or default_path(content), progress)
        if json:
            print_json(packed_json(packed))
            return
        show_notes(packed.notes)
        if not quiet:
            show(table_to_pack(packed))


@app.command()
def export(
    run: RunName,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            help="ro-crate: a research object crate, with all that is known of the run; csv: tables with a Data "
            "Package; json: one file; parquet: tables with units in their columns (extra parquet).",
            autocompletion=completion.export_forms,
        ),
    ] = "ro-crate",
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="A new folder or .zip file (of json a new file); by default runs/export-RUN-FORM."
        ),
    ] = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    no_recording: Annotated[bool, typer.Option("--no-recording", help="Of a crate: without the recording.")] = False,
    runs: Runs = Path("runs"),
    database: Database = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Give a run out to other programs: dataset, trajectory, decisions and journal, with units, licence and provenance.

    What is said of the dataset stands in [dataset] of the scenario; --set and --settings say it of a run that is there.

    entropilot export mine --as ro-crate --to mine.zip --set dataset.licence=CC-BY-4.0
    """
    with reported_errors(debug=debug):
        from scenarios.export.export import ExportRequest
        from scenarios.export.export import export as give_out
        from scenarios.export.report import export_json, table_of_export

        request = ExportRequest(form, to, tuple(settings or ()), settings_file, with_recording=not no_recording)
        with progress_on_stderr(quiet=quiet or json) as progress:
            written = give_out(run, runs, request, database, progress)
        if json:
            print_json(export_json(written))
            return
        show_notes(written.notes)
        if not quiet:
            show(table_of_export(written))


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Folder to write to; by default the package's own.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the written files are up to date.")] = False,
    debug: Debug = False,
) -> None:
    """Write the protocol's JSON Schemas and its AsyncAPI document."""
    with reported_errors(debug=debug):
        from protocols.errors import SettingsError
        from protocols.schema.files import SCHEMA_FOLDER, drift, write_documents

        folder = out or SCHEMA_FOLDER
        if check:
            if stale := drift(folder):
                raise SettingsError(
                    "; ".join(stale), expected="documents generated from this code", action="run `entropilot schema`"
                )
            show(f"The documents in {folder} are up to date.")
        else:
            written = write_documents(folder)
            for path in written:
                show(f"  {path}")
            if not written:
                show(f"The documents in {folder} were up to date already.")


@app.command()
def backup(
    run: RunName,
    to: Annotated[
        Path | None,
        typer.Argument(metavar="[TO]", help="Folder that gets the backup's own folder; by default RUNS/.backups."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Then remove all but the latest N of this campaign there.")
    ] = None,
    runs: Runs = Path("runs"),
    database: Database = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Back a campaign up while it works: journal and recording as they stood at one commit, sealed.

    The agent neither waits nor knows of it.
    """
    with reported_errors(debug=debug):
        import dataclasses

        from scenarios.backup.backup import back_up
        from scenarios.backup.keeping import remove_older
        from scenarios.backup.report import backup_json, backup_table

        with progress_on_stderr(quiet=quiet or json) as progress:
            made = back_up(run, runs, to, database, progress)
        if keep is not None:
            made = dataclasses.replace(made, removed=remove_older(made.path, made.manifest, keep))
        if json:
            print_json(backup_json(made))
        elif not quiet:
            show(backup_table(made))


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that `entropilot backup` made.")],
    runs: Runs = Path("runs"),
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="An empty database on a server that gets the journal, in place of a file."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a run folder of a backup, checked byte for byte; `--resume`, `replay` and `verify` go on from there.

    It has the campaign's name, below --runs. Nothing is overwritten.
    """
    with reported_errors(debug=debug):
        from scenarios.backup.report import restored_in_words, restored_json
        from scenarios.backup.restore import restore as restore_run

        with progress_on_stderr(quiet=quiet or json) as progress:
            made = restore_run(backup, runs, database, progress)
        if json:
            print_json(restored_json(made))
            return
        show_notes(made.notes)
        if not quiet:
            show(restored_in_words(made))
