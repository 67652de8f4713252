"""Where a run lives on disk: its folder, the files in it, and which campaign a command means.

Light to import: shell completion asks it for names.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.run_files import DATABASE, DATABASE_PLACE, RECORDING
from protocols.errors import SettingsError, StoreError
from protocols.wire.limits import MAX_ID_LENGTH

RUNS: Final = Path("runs")
"""Where runs go, below the folder that a command is started in."""

RUNS_VARIABLE: Final = "ENTROPILOT_RUNS"
"""Names another folder for them."""

TRAJECTORY: Final = "trajectory.csv"
DATASET: Final = "dataset.csv"
FIGURE: Final = "bias.png"
METRICS_FIGURE: Final = "metrics.png"
EFFECTS: Final = "effects.csv"
EFFECTS_FIGURE: Final = "effects.png"
"""Of a campaign that is not after its families' evenness."""
GRAPH: Final = "graph.csv"
GRAPH_FIGURE: Final = "graph.png"
GRAPH_LOSS: Final = "graph_loss.csv"
GRAPH_LOSS_FIGURE: Final = "graph_loss.png"
"""Of a campaign of interventions in a system."""
FOUND: Final = "found.csv"
FOUND_FIGURE: Final = "found.png"
"""Of a campaign that seeks molecules above a threshold."""
SUMMARY: Final = "summary.json"
SHADOW_SUMMARY: Final = "shadow.json"
"""What the summary is for a run; of a shadow, in a folder of its own."""

COMPARISONS: Final = "shadow.jsonl"
"""The decisions of a lab with those of a shadow beside them."""

SHADOW_FILES: Final = (SHADOW_SUMMARY, COMPARISONS)
"""What only a shadow writes."""

MAX_NAMES_SHOWN: Final = 10

MAX_NAMES_LISTED: Final = 10_000
"""Most run folders that are looked through for a name [folder]."""


def is_run_folder(folder: Path) -> bool:
    """Tell whether a folder is that of a run or of a shadow, however it stands: finished, interrupted or running."""
    try:
        return any((folder / name).is_file() for name in (DATABASE, DATABASE_PLACE, RECORDING, SUMMARY, *SHADOW_FILES))
    except OSError:
        return False  # such as a name that is too long to be one


def run_names(runs: Path) -> list[str]:
    """Return the names of the runs and shadows below a folder."""
    try:
        folders = list(itertools.islice(runs.iterdir(), MAX_NAMES_LISTED))
    except OSError:
        return []
    return sorted(folder.name for folder in folders if is_run_folder(folder))


def choose_campaign(
    runs: Path, scenario: str, campaign: str | None, *, resume: bool, numbered: bool = True, database: str | None = None
) -> str:
    """Return the name of the campaign that a command means.

    A new run takes the scenario's name, numbered if it is taken; a resumed one the latest of these. An agent alone must
    not number: its simulators, on other machines, were told the scenario's name.

    Args:
        runs: Where run folders are.
        scenario: Name of the scenario.
        campaign: The name that was asked for.
        resume: Whether it has begun.
        numbered: Whether a new one may be numbered.
        database: Where its database is, if a person said so: then no folder need know it, one that was lost included.

    Raises:
        SettingsError: When the name cannot be one.
        StoreError: When there is nothing to resume.
    """
    require_campaign_name(scenario if campaign is None else campaign)
    campaign = scenario if campaign is None and not numbered else campaign
    if campaign is not None:
        if resume and database is None and not _has_database(runs / campaign):
            raise _nothing_to_resume(runs, campaign)
        return campaign
    taken = list(itertools.takewhile(lambda name: (runs / name).exists(), names_in_turn(scenario)))
    if resume:
        begun = [name for name in taken if _has_database(runs / name)]
        if not begun and database is None:
            raise _nothing_to_resume(runs, scenario)
        return begun[-1] if begun else scenario
    return f"{scenario}-{len(taken) + 1}" if taken else scenario


def names_in_turn(name: str) -> Iterator[str]:
    """Yield the names of folders that belong to one: itself, then with a number from 2 on."""
    yield name
    yield from (f"{name}-{number}" for number in itertools.count(2))


def require_campaign_name(name: str) -> None:
    """Check that a campaign's name fits a topic level, a folder and a client id.

    Raises:
        SettingsError: When it does not.
    """
    from protocols.wire.messages import ID_PATTERN

    if re.fullmatch(ID_PATTERN, name) is None:
        raise SettingsError(
            f"{name[:MAX_ID_LENGTH]!r} cannot be the name of a campaign",
            expected=f"small letters, digits, - and _, beginning with a letter or digit, at most {MAX_ID_LENGTH}",
            action="choose another --campaign",
        )


def summary_of_shadow(folder: Path) -> Path | None:
    """Return the summary in the folder of a shadow; None where the folder is that of a run.

    Raises:
        StoreError: When the shadow was never ended in order.
    """
    if (folder / SUMMARY).is_file() or not any((folder / name).is_file() for name in SHADOW_FILES):
        return None
    if (folder / SHADOW_SUMMARY).is_file():
        return folder / SHADOW_SUMMARY
    raise StoreError(
        f"The shadow {folder} is listening, or was killed",
        expected=f"one that has ended, with {SHADOW_SUMMARY}",
        action="`entropilot watch` shows it as it stands; end it with Ctrl-C, or --resume it and end it then",
    )


def _has_database(folder: Path) -> bool:
    return any((folder / name).exists() for name in (DATABASE, DATABASE_PLACE))


def _nothing_to_resume(runs: Path, name: str) -> StoreError:
    known = [each for each in run_names(runs) if _has_database(runs / each)][:MAX_NAMES_SHOWN]
    return StoreError(
        f"There is no run to resume at {runs / name}",
        expected="a run folder" + (f", one of: {', '.join(known)}" if known else " (there are none yet)"),
        action="start without --resume, name another --campaign, or say where its --database is",
    )
