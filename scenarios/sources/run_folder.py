"""Where a run lives on disk, and which folder a command means."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.assembly import DATABASE
from protocols.errors import SettingsError, StoreError
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN

RUNS: Final = Path("runs")
"""Where runs go, below the folder that a command is started in."""

TRAJECTORY: Final = "trajectory.csv"
FIGURE: Final = "bias.png"
SUMMARY: Final = "summary.json"
SHADOW_SUMMARY: Final = "shadow.json"
"""What the summary is for a run; of a shadow, in a folder of its own."""


def choose_campaign(runs: Path, scenario: str, campaign: str | None, *, resume: bool, numbered: bool = True) -> str:
    """Return the name of the campaign that a command means.

    A new run takes the scenario's name, numbered if it is taken; a resumed one the latest of these. An agent alone must
    not number: its simulators, on other machines, were told the scenario's name.

    Raises:
        SettingsError: When the name cannot be one.
        StoreError: When there is nothing to resume.
    """
    require_campaign_name(scenario if campaign is None else campaign)
    campaign = scenario if campaign is None and not numbered else campaign
    if campaign is not None:
        if resume and not _is_run(runs / campaign):
            raise _nothing_to_resume(runs, campaign)
        return campaign
    taken = list(itertools.takewhile(lambda name: (runs / name).exists(), names_in_turn(scenario)))
    if resume:
        begun = [name for name in taken if _is_run(runs / name)]
        if not begun:
            raise _nothing_to_resume(runs, scenario)
        return begun[-1]
    return f"{scenario}-{len(taken) + 1}" if taken else scenario


def names_in_turn(name: str) -> Iterator[str]:
    """Yield the names of folders that belong to one: itself, then with a number from 2 on."""
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def find_folder(run: str, runs: Path, *, has_database: bool = True) -> Path:
    """Return the folder of a run, however it stands: finished, interrupted or running.

    Args:
        run: A folder, or the name of a campaign below `runs`.
        runs: Where run folders are.
        has_database: Whether the folder must hold one; else it may be elsewhere.

    Raises:
        StoreError: When there is none, with what there is.
    """
    for folder in (Path(run), runs / run):
        if _is_run(folder) or (not has_database and folder.is_dir()):
            return folder
    raise StoreError(
        f"There is no run {run!r}",
        expected="a run folder, or the name of a campaign" + _known_runs(runs),
        action="name another run, or say with --runs where run folders are",
    )


def require_campaign_name(name: str) -> None:
    """Check that a campaign's name fits a topic level, a folder and a client id.

    Raises:
        SettingsError: When it does not.
    """
    if re.fullmatch(ID_PATTERN, name) is None:
        raise SettingsError(
            f"{name[:MAX_ID_LENGTH]!r} cannot be the name of a campaign",
            expected=f"small letters, digits, - and _, beginning with a letter or digit, at most {MAX_ID_LENGTH}",
            action="choose another --campaign",
        )


def _is_run(folder: Path) -> bool:
    return (folder / DATABASE).exists()


def _nothing_to_resume(runs: Path, name: str) -> StoreError:
    return StoreError(
        f"There is no run to resume at {runs / name}",
        expected="a run folder" + _known_runs(runs),
        action="start without --resume, or name another --campaign",
    )


def _known_runs(runs: Path) -> str:
    known = sorted(folder.name for folder in runs.iterdir() if _is_run(folder)) if runs.is_dir() else []
    return f", one of: {', '.join(known[:10])}" if known else " (there are none yet)"


def find_run(run: str, runs: Path) -> Path:
    """Return the folder of a run, or of a shadow.

    Args:
        run: A folder, or the name of a campaign below `runs`.
        runs: Where run folders are.

    Raises:
        StoreError: When there is none, or it was never ended in order.
    """
    for folder in (Path(run), runs / run):
        if any((folder / name).is_file() for name in (SUMMARY, SHADOW_SUMMARY)):
            return folder
    known = sorted(path.parent.name for name in (SUMMARY, SHADOW_SUMMARY) for path in runs.glob(f"*/{name}"))
    raise StoreError(
        f"There is no finished run {run!r}",
        expected=f"a folder with {SUMMARY}" + (f"; there are {', '.join(known)}" if known else ""),
        action="run it first, or take it up with --resume",
    )
