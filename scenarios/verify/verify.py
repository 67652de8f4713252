"""What `entropilot verify` checks and shows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from agent.run_files import DATABASE, RECORDING
from protocols.errors import StoreError
from scenarios.display.progress import ProgressCall
from scenarios.sources.identify import identify
from scenarios.sources.kinds import PackPath, RecordingPath, RunPath
from scenarios.sources.run_folder import SUMMARY, TRAJECTORY
from scenarios.verify.files_check import check_message_log
from scenarios.verify.pack_check import pack_parts
from scenarios.verify.part import CheckedPart
from scenarios.verify.run_check import NOTHING_OUTSIDE, Outside, RunFiles, verify_run

FILES: Final = RunFiles(DATABASE, RECORDING, TRAJECTORY, SUMMARY)

PARTS: Final = 17
"""How many parts a whole run of one simulator has at most, for the progress bar."""


def verify(
    run: str, runs: Path, database_url: str | None, progress: ProgressCall, outside: Outside = NOTHING_OUTSIDE
) -> tuple[CheckedPart, ...]:
    """Check a run folder, or a recording or a pack by itself.

    Args:
        run: Of a run, a recording or a pack.
        runs: Where run folders are.
        database_url: Of another database than the folder's own file, or than it remembers.
        progress: Called with every part.
        outside: What others know of the run.

    Raises:
        StoreError: When there is no such run, its database is no Entropilot's, or what is held against others is none.
    """
    found = identify(run, runs, RunPath, RecordingPath, PackPath)
    if outside != NOTHING_OUTSIDE and not isinstance(found, RunPath):
        raise StoreError(
            f"{found.path} has no journal",
            expected="a run, for receipts and simulators' memories are held against a journal",
            action="name the run folder, or leave --anchor and --memory out",
        )
    if isinstance(found, PackPath):
        return pack_parts(found.path, progress)
    if not isinstance(found, RunPath):
        return (check_message_log(found.path),)
    if found.is_shadow and database_url is None:
        raise StoreError(
            f"{found.path} is the folder of a shadow, which has no journal",
            expected="a run folder, or the recording of what the shadow heard",
            action=f"`entropilot verify {found.path / RECORDING}`",
        )
    done = 0

    def count(_part: CheckedPart) -> None:
        nonlocal done
        done += 1
        progress("checking", done, max(done, PARTS))

    return verify_run(found.path, FILES, database_url=database_url, outside=outside, on_part=count)


def verification_table(parts: tuple[CheckedPart, ...]) -> Table:
    """Return what was found, a row a part."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("part", style="bold")
    table.add_column("sound", justify="right")
    table.add_column("")
    for part in parts:
        verdict = Text(part.problem, style="bold red") if part.problem else Text(part.note or "sound", style="dim")
        table.add_row(Text(part.name), f"{part.rows:,}", verdict)
    return table


def verification_json(parts: tuple[CheckedPart, ...]) -> str:
    """Return the same as JSON."""
    sound = not any(part.problem for part in parts)
    return json.dumps({"sound": sound, "parts": [dataclasses.asdict(part) for part in parts]}, indent=2)
