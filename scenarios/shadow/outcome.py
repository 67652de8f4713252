"""What a shadow leaves behind: the lab's bias trajectory, every choice beside ours, a picture, and the figures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from agent.pool.candidates import Pool
from agent.run_files import LOG, RECORDING
from agent.versions import versions
from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write
from protocols.storage.csv_file import write_csv
from scenarios.run.banded import ENDS, MAX_BANDED_STEPS, with_bands
from scenarios.run.summary.model import MAX_SUMMARY_BYTES
from scenarios.run.summary.points import bias_fields, bias_tree
from scenarios.run.trajectory import Trajectory, write_trajectory_csv
from scenarios.shadow.choices import DecisionComparison
from scenarios.shadow.comparison import ShadowSummary, summarise
from scenarios.shadow.figure import draw_shadow
from scenarios.shadow.files import ShadowFiles
from scenarios.shadow.lab_campaign import Shadow
from scenarios.sources.run_folder import COMPARISONS, SHADOW_SUMMARY, TRAJECTORY

CHOICES: Final = "shadow.csv"
FIGURE: Final = "shadow.png"

SHADOW_FORMAT: Final = 1
"""Version of `shadow.json`."""

FORMAT: Final = "format"
"""Member of `shadow.json` that gives it."""

COLUMNS: Final = (
    "decision", "lab_decision", "chosen_at", "observation", "starved_family", "agreement",
    "lab", "lab_source_id", "lab_family", "lab_value", "lab_entropy_gain",
    "shadow", "shadow_source_id", "shadow_family", "shadow_score", "shadow_value", "shadow_entropy_gain",
    "target_family", "runner_up", "seed", "reason",
)  # fmt: skip
"""Columns of `shadow.csv`: a row for each candidate that the lab chose. Values in the unit of the campaign, gains in
nat; empty where the lab has not measured the candidate."""

_BIAS_FIELDS: Final = ("before", "after")


def write_outcome(files: ShadowFiles, shadow: Shadow, scenario: str) -> ShadowSummary:
    """Write trajectory, table, picture and figures into the folder; return the figures.

    A decision that the lab never filled counts as it is, and so does what came after it.

    Args:
        files: The folder, opened.
        shadow: What was heard.
        scenario: Name of the scenario.
    """
    shadow.finish()
    pool = shadow.campaign.pool
    plan, folder, over = shadow.campaign.plan, files.folder, shadow.is_over
    # Every family's band at every observation takes seconds, and SIGTERM has five in all.
    trajectory = Trajectory(plan.label, plan.unit, tuple(shadow.points))
    trajectory = with_bands(trajectory, shadow.ledger.meter, MAX_BANDED_STEPS if over else ENDS)
    summary = summarise(
        shadow,
        files.rows,
        pool=pool,
        scenario=scenario,
        gaps=files.gaps,
        stopped_because=f"all {plan.budget} choices that it was to follow have their outcome"
        if over
        else "it was asked to end",
        files=(RECORDING, *[COMPARISONS] * bool(files.rows), LOG, TRAJECTORY, CHOICES, FIGURE, SHADOW_SUMMARY),
        versions=versions(),
    )
    write_trajectory_csv(folder / TRAJECTORY, trajectory)
    _write_choices(folder / CHOICES, files.rows, shadow, pool)
    draw_shadow(
        folder / FIGURE,
        trajectory,
        [each for row in files.rows for each in row.agreements(pool)],
        summary.families,
        title=f"{plan.campaign}: the lab, and {plan.policy} in its shadow",
        subtitle=agreement_sentence(summary),
    )
    with atomic_write(folder / SHADOW_SUMMARY) as file:
        file.write(shadow_json(summary).encode())
    return summary


def agreement_sentence(summary: ShadowSummary) -> str:
    """Say how far the two agree."""
    if not summary.chosen:
        return "The lab has chosen nothing that could be compared"
    same, family = (each / summary.chosen for each in (summary.same, summary.same_family))
    return (
        f"The shadow made {summary.same:,} of the lab's {summary.chosen:,} choices too ({same:.0%}), "
        f"and chose the same family in {summary.same_family:,} ({family:.0%})"
    )


def shadow_json(summary: ShadowSummary) -> str:
    """Return the figures as JSON, keys sorted."""
    tree: dict[str, Any] = dataclasses.asdict(summary)
    tree |= {name: bias_tree(getattr(summary, name)) for name in _BIAS_FIELDS}
    return json.dumps(tree | {FORMAT: SHADOW_FORMAT}, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def read_shadow(path: Path) -> ShadowSummary:
    """Read what `write_outcome` wrote as `shadow.json`.

    Raises:
        StoreError: When the file is missing, not ours, or of another format.
    """
    try:
        with path.open("rb") as file:
            tree = json.loads(file.read(MAX_SUMMARY_BYTES))
        if tree.pop(FORMAT) != SHADOW_FORMAT:
            raise StoreError(f"{path} has another format", expected=f"format {SHADOW_FORMAT}", action="run it again")
        tree |= {name: bias_fields(tree[name]) for name in _BIAS_FIELDS}
        return TypeAdapter(ShadowSummary).validate_python(tree)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{len(error.errors())} fields are wrong" if isinstance(error, ValidationError) else str(error)
        raise StoreError(
            f"{path} tells of no shadow ({found})",
            expected="a shadow.json of ours",
            action="write it again: `entropilot shadow … --resume`, then end it",
        ) from error


def gaps_before(folder: Path) -> int:
    """Return how often an earlier process of a shadow may have missed something, as far as it could write that."""
    path = folder / SHADOW_SUMMARY
    return read_shadow(path).gaps if path.exists() else 0


def _write_choices(path: Path, rows: Sequence[DecisionComparison], shadow: Shadow, pool: Pool) -> None:
    write_csv(path, COLUMNS, (cells for row in rows for cells in _cells(row, shadow, pool)))


def _cells(row: DecisionComparison, shadow: Shadow, pool: Pool) -> Iterator[tuple[object, ...]]:
    for lab, ours, agreement in zip(row.lab, _beside(row), row.agreements(pool), strict=True):
        score = dict(zip(row.shadow, row.scores, strict=True)).get(ours or "")
        yield (
            row.number, _cell(row.lab_number), row.chosen_at, row.observation, _cell(row.starved_family),
            agreement.value, *_candidate(lab, shadow, pool), *_candidate(ours, shadow, pool, _cell(score)),
            _cell(row.target_family), _cell(row.runner_up), row.seed, row.reason,
        )  # fmt: skip


def _beside(row: DecisionComparison) -> Iterator[str | None]:
    """Yield our choice for each of the lab's: the same where there is one, else the next of the others."""
    others = iter([each for each in row.shadow if each not in row.same])
    for candidate_id in row.lab:
        yield candidate_id if candidate_id in row.same else next(others, None)


def _candidate(candidate_id: str | None, shadow: Shadow, pool: Pool, *additional: object) -> tuple[object, ...]:
    if candidate_id is None:
        return ("", "", "", *additional, "", "")
    realised_gain = shadow.realised_gain.get(candidate_id)
    known = ("", "") if realised_gain is None else (repr(realised_gain.value), _cell(realised_gain.entropy_gain))
    candidate = pool.candidates[pool.index_of[candidate_id]]
    return (candidate_id, candidate.source_id, candidate.family, *additional, *known)


def _cell(value: float | str | None) -> object:
    return "" if value is None else value
