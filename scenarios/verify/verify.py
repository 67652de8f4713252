"""What `entropilot verify` checks and shows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from agent.assembly import DATABASE, RECORDING
from protocols.errors import StoreError
from scenarios.display.progress import ProgressCall
from scenarios.pack.reader import is_pack
from scenarios.shadow.files import COMPARISONS
from scenarios.sources.run_folder import SHADOW_SUMMARY, SUMMARY, TRAJECTORY
from scenarios.verify.files_check import check_message_log
from scenarios.verify.pack_check import pack_parts
from scenarios.verify.part import Part
from scenarios.verify.run_check import RunFiles, verify_run

FILES: Final = RunFiles(DATABASE, RECORDING, TRAJECTORY, SUMMARY)

PARTS: Final = 11
"""How many parts a whole run has, for the progress bar."""


def verified(run: str, runs: Path, database_url: str | None, progress: ProgressCall) -> tuple[Part, ...]:
    """Check a run folder, or a recording or a pack by itself.

    Args:
        run: A folder, the name of a campaign below `runs`, a recording or a pack.
        runs: Where run folders are.
        database_url: Of a database that is not the folder's own file.
        progress: Told of every part.

    Raises:
        StoreError: When there is no such run, or its database is no Entropilot's.
    """
    if is_pack(Path(run)):
        return pack_parts(Path(run), progress)
    if Path(run).is_file():
        return (check_message_log(Path(run)),)
    folder = next((place for place in (Path(run), runs / run) if place.is_dir()), None)
    if folder is None:
        raise StoreError(
            f"There is no run {run!r}", expected="a run folder, the name of a campaign, a recording's file or a pack"
        )
    is_shadow = any((folder / name).is_file() for name in (SHADOW_SUMMARY, COMPARISONS))
    if is_shadow and database_url is None and not (folder / DATABASE).exists():
        raise StoreError(
            f"{folder} is the folder of a shadow, which has no journal",
            expected="a run folder, or the recording of what the shadow heard",
            action=f"`entropilot verify {folder / RECORDING}`",
        )
    done = 0

    def count(_part: Part) -> None:
        nonlocal done
        done += 1
        progress("checking", done, PARTS)

    return verify_run(folder, FILES, database_url=database_url, on_part=count)


def verification_table(parts: tuple[Part, ...]) -> Table:
    """Return what was found, a row a part."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("part", style="bold")
    table.add_column("sound", justify="right")
    table.add_column("")
    for part in parts:
        verdict = Text(part.problem, style="bold red") if part.problem else Text(part.note or "sound", style="dim")
        table.add_row(Text(part.name), f"{part.rows:,}", verdict)
    return table


def verification_json(parts: tuple[Part, ...]) -> str:
    """Return the same as JSON."""
    sound = not any(part.problem for part in parts)
    return json.dumps({"sound": sound, "parts": [dataclasses.asdict(part) for part in parts]}, indent=2)
