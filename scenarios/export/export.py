"""Gives a run out: reads it, says what it is, and writes it in a form that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from protocols.errors import EntropilotError, SettingsError, StoreError
from protocols.settings.layers import Layer, set_layer, toml_layer
from protocols.settings.resolve import resolve
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.export import data_package, preview, ro_crate
from scenarios.export.about import About, about_of
from scenarios.export.as_csv import as_csv
from scenarios.export.as_json import as_json
from scenarios.export.as_parquet import as_parquet
from scenarios.export.data_package import WrittenTable
from scenarios.export.own_files import PARTS, SCENARIO, own_files
from scenarios.export.place import (
    ZIP,
    Member,
    require_free_place,
    size_and_digest,
    write_file,
    write_folder,
    write_zip,
)
from scenarios.export.reading import RunRecord, read_run
from scenarios.export.ro_crate import CrateFile
from scenarios.export.run_tables import described_of, run_tables
from scenarios.export.table import Table
from scenarios.settings.dataset import DatasetSettings
from scenarios.settings.model import Scenario
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.result_folder import new_file
from scenarios.sources.run_folder import names_in_turn
from scenarios.sources.run_world import world_of_run

RO_CRATE: Final = "ro-crate"
FORMS: Final = (RO_CRATE, "json", "csv", "parquet")
TABLES: Final = "tables"
READING: Final = "reading the run"


class Said(BaseModel):
    """What a command line may say of an export."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dataset: DatasetSettings = DatasetSettings()
    """As of a scenario."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for.

    Attributes:
        form: One of `FORMS`.
        to: Where to; None for a new place beside the run.
        assignments: Settings of `[dataset]` that the command line says (`dataset.licence=CC-BY-4.0`).
        file: A file with a section `[dataset]`.
        with_recording: Whether a crate holds the recording.
    """

    form: str
    to: Path | None = None
    assignments: Sequence[str] = ()
    file: Path | None = None
    with_recording: bool = True


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes:
        path: Folder or file.
        form: As it was asked for.
        tables: Name and number of rows of each table.
        about: What is said of the run.
        notes: What a person should know.
    """

    path: Path
    form: str
    tables: tuple[tuple[str, int], ...]
    about: About
    notes: tuple[str, ...]


def export(
    name: str, runs: Path, request: ExportRequest, database: str | None = None, progress: ProgressCall = no_progress
) -> ExportResult:
    """Give a run out; the run folder is only read.

    Args:
        name: The run folder, or the name of a campaign.
        runs: Where run folders are.
        request: What is asked for.
        database: Of another database than the folder's own, or than it remembers.
        progress: For a progress bar.

    Raises:
        StoreError: When there is no such run, it cannot be read, or something is at the place.
        SettingsError: When a form or a setting cannot be meant, or an extra is not installed.
    """
    if request.form not in FORMS:
        raise SettingsError(f"A run cannot be given out as {request.form[:40]!r}", expected=" or ".join(FORMS))
    folder = _folder(name, runs)
    place = request.to or _new_place(folder, runs, request.form)
    require_free_place(place, folder)
    run = read_run(folder, database)
    scenario, notes = _scenario(folder)
    said = said_of(scenario, request)
    pool = None if scenario is None else _pool(folder, run, notes, progress)
    made_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    about = about_of(run, said, scenario, made_at=made_at, made_by=version("entropilot"))
    tables = run_tables(run, described_of(run, pool))
    if said.licence is None:
        notes.append("no licence is named, so nobody may use it: say --set dataset.licence=CC-BY-4.0, or another")
    if not said.creators:
        notes.append("no creators are named: say them in [dataset] of the scenario, or of a file for --settings")
    notes += _write(place, request, tables, about, folder)
    rows = tuple((each.name, len(each.rows)) for each in tables)
    return ExportResult(place, request.form, rows, about, tuple(notes))


def said_of(scenario: Scenario | None, request: ExportRequest) -> DatasetSettings:
    """Return what is said of the dataset: by the scenario, a file, and the command line, the later before the earlier.

    Raises:
        SettingsError: When a file or an assignment says something else, or what cannot be.
    """
    layers = [Layer("the run's scenario", {"dataset": scenario.dataset.model_dump(mode="json")})] if scenario else []
    layers += [toml_layer(request.file)] if request.file else []
    layers += [set_layer(tuple(request.assignments))] if request.assignments else []
    return resolve(Said, layers).settings.dataset


def _write(place: Path, request: ExportRequest, tables: Sequence[Table], about: About, folder: Path) -> Sequence[str]:
    """Write the form that is asked for; return notes on what is not in it."""
    notes: Sequence[str] = ()
    match request.form:
        case "json":
            write_file(place, as_json(tables, about.tree()))
            return notes
        case "csv":
            members, written = _csv_files(tables, "")
            members.append(Member.of(data_package.FILE, data_package.data_package(written, about)))
        case "parquet":
            tree = about.tree()
            members = [Member.of(f"{each.name}.parquet", as_parquet(each, tree)) for each in tables]
        case _:
            members, notes = _crate(tables, about, folder, with_recording=request.with_recording)
    (write_zip if place.suffix.lower() == ZIP else write_folder)(place, members)
    return notes


def _csv_files(tables: Sequence[Table], folder: str) -> tuple[list[Member], list[WrittenTable]]:
    """Return tables as files, and how they were written, with paths relative to their folder."""
    members = [Member.of(f"{folder}{each.name}.csv", as_csv(each)) for each in tables]
    written = [
        WrittenTable(table, f"{table.name}.csv", *size_and_digest(member))
        for table, member in zip(tables, members, strict=True)
    ]
    return members, written


def _crate(
    tables: Sequence[Table], about: About, folder: Path, *, with_recording: bool
) -> tuple[list[Member], list[str]]:
    """Return the files of a crate, and notes on what is not in it."""
    in_tables, beside = _csv_files(tables, f"{TABLES}/")
    written = [replace(each, path=f"{TABLES}/{each.path}") for each in beside]
    package = Member.of(f"{TABLES}/{data_package.FILE}", data_package.data_package(beside, about))
    own, notes = own_files(folder, with_recording=with_recording)
    others = [_crate_file(package, "Description of the tables", "Data Package", "application/json")]
    others += [_crate_file(each, *PARTS[Path(each.path).name]) for each in own]
    scenario = SCENARIO if any(each.path == SCENARIO for each in own) else None
    page = Member.of(preview.FILE, preview.preview(about, written, others))
    metadata = Member.of(ro_crate.FILE, ro_crate.crate_metadata(about, written, others, scenario))
    return [metadata, page, *in_tables, package, *own], notes


def _crate_file(member: Member, name: str, description: str, media_type: str) -> CrateFile:
    return CrateFile(member.path, name, description, media_type, *size_and_digest(member))


def _folder(name: str, runs: Path) -> Path:
    """Return the folder of a run.

    Raises:
        StoreError: When there is none, or it is a shadow's.
    """
    found = identify(name, runs, RunPath)
    if found.is_shadow:
        raise StoreError(
            f"{found.path} is the folder of a shadow, which has no dataset of its own",
            expected="the folder of a run",
            action=f"its decisions stand in {found.path}, as JSON lines",
        )
    return found.path


def _new_place(folder: Path, runs: Path, form: str) -> Path:
    """Return a place where nothing is, numbered where there is an export already."""
    base = folder.parent if folder.parent != Path() else runs
    if form == "json":
        return new_file(base / f"export-{folder.name}.json")
    names = names_in_turn(f"export-{folder.name}-{form}")
    return next(place for place in (base / each for each in names) if not place.exists())


def _scenario(folder: Path) -> tuple[Scenario | None, list[str]]:
    try:
        return recorded_scenario(folder / RECORDING), []
    except EntropilotError as error:
        return None, [f"its scenario is not known, and so no features: {error.found}"]


def _pool(folder: Path, run: RunRecord, notes: list[str], progress: ProgressCall) -> Pool | None:
    """Return the pool of a run; where it cannot be made, a note says why the dataset has no features."""
    try:
        return world_of_run(folder, run.plan.pool_digest, progress)[1].pool
    except EntropilotError as error:
        notes.append(f"the dataset has no features: {error.found}")
        return None
