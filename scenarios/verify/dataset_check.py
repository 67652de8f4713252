"""The dataset as a file, held against the journal's own: every row and every cell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from pathlib import Path

from sqlalchemy import Connection

from agent.campaign.events import Event, ObservationAmended, ObservationRetracted
from agent.campaign.life_cycle import Phase
from agent.store.dataset_rows import DatasetRow, dataset_question, dataset_rows
from protocols.errors import EntropilotError
from scenarios.run.dataset import read_dataset_csv
from scenarios.verify.part import CheckedPart, JournalFold

NOT_THERE = "not there"


def check_dataset(
    path: Path, connection: Connection, events: Sequence[Event], fold: JournalFold, *, is_told: bool
) -> CheckedPart:
    """Compare every row of the dataset's file with the database, which was held against the journal before.

    Args:
        path: The file.
        connection: To the database.
        events: The journal.
        fold: What it comes to.
        is_told: Whether the run's summary tells of the file: those of runs before there was one do not.
    """
    is_over = fold.ledger.campaign.phase is Phase.FINISHED
    if not path.is_file():
        gone = "not there, and the campaign is finished: run it with --resume, which writes it again"
        return CheckedPart(path.name, 0, gone if is_over and is_told else "", "" if is_over and is_told else NOT_THERE)
    try:
        written = read_dataset_csv(path)
    except EntropilotError as error:
        return CheckedPart(path.name, 0, error.found)
    right = list(dataset_rows(connection.execute(dataset_question())))
    if is_over:
        return _compared(path.name, written, right)
    changed = {each.candidate_id for each in events if isinstance(each, ObservationRetracted | ObservationAmended)}
    return _older(path.name, written, right, changed)


def _compared(name: str, written: Sequence[DatasetRow], right: Sequence[DatasetRow]) -> CheckedPart:
    for sound, (one, other) in enumerate(zip(written, right, strict=False)):
        if problem := _other(one, other):
            return CheckedPart(name, sound, problem)
    if len(written) != len(right):
        return CheckedPart(name, min(len(written), len(right)), f"{len(written)} rows; the journal says {len(right)}")
    return CheckedPart(name, len(written))


def _older(
    name: str, written: Sequence[DatasetRow], right: Sequence[DatasetRow], changed: Collection[str]
) -> CheckedPart:
    """Compare what an interrupted run left: it may lack what came since, and have what was taken back since."""
    known = {(each.candidate, each.journal_row): each for each in right}
    sound = 0
    for row in written:
        other = known.get((row.candidate, row.journal_row))
        if row.candidate in changed:
            continue
        if other is None:
            return CheckedPart(name, sound, f"{row.id}: it is not in the journal's dataset")
        if problem := _other(row, other):
            return CheckedPart(name, sound, problem)
        sound += 1
    return CheckedPart(name, sound, note="" if list(written) == list(right) else "older than the journal")


def _other(written: DatasetRow, right: DatasetRow) -> str:
    """Return the first cell that differs, in words; empty when none does."""
    for field in fields(DatasetRow):
        one, other = getattr(written, field.name), getattr(right, field.name)
        if one != other:
            return f"{right.id}: {field.name} = {one!r}; the journal says {other!r}"
    return ""
