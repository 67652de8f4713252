"""What a run came to: the file `summary.json`.

The file has sorted keys and no NaN, so that two runs can be compared line by line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from agent.entropy.best import Best
from agent.entropy.bias import BiasPoint
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill
from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write
from protocols.tables.account import Account
from scenarios.effects.truth import AgainstTruth
from scenarios.run.summary.points import bands_of, best_fields, best_tree, bias_fields, bias_tree
from scenarios.run.trajectory import Bands

SUMMARY_FORMAT: Final = 1
"""Version of `summary.json`."""

SEAL: Final = "digest"
"""Member of `summary.json` that covers all others; summaries of old have none."""

MAX_SUMMARY_BYTES: Final = 4 * 1024 * 1024
"""Largest summary read back [byte]: MAX_FAMILIES families three times, and room."""

MOMENTS: Final = ("before", "after", "random")
"""When a summary tells of the bias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run: finished, stopped, or as it stands.

    Attributes:
        campaign: Its name.
        scenario: Name of the scenario; empty for a run without one.
        policy: The policy.
        seed: Seed of the campaign.
        property: The property whose entropy is balanced.
        unit: Its unit.
        budget: Requests allowed.
        spent: Requests that counted.
        observations: Results in the dataset, start set included.
        abandoned: Candidates abandoned after failures.
        excluded: Candidates that an operator took out.
        retries: Second and further attempts.
        quarantined: Messages that were not ours.
        duplicates: Results that had come before.
        contradictions: Results that say something else than the first one of their attempt, which stays.
        contradicted: The first few of them in words, a line each.
        stopped_because: Why it ended, in one sentence; empty while it goes on.
        shortfall: How it fell short and why, a line each: no result, or most candidates abandoned; empty otherwise.
        wall_time_s: How long the last process ran the campaign [s]; of one that has not ended in order, from the first
            row of its journal to the last.
        per_second: Results that it accepted per second; None when nothing was timed.
        accepted_here: Results that it accepted; None in summaries of old.
        before: Bias of the start set.
        after: Bias at the end.
        best: The best that each figure was, and where; empty in summaries of old.
        found: What holds of the mean gap at the end: that it is even, or that it has stalled; empty where neither does.
        random: Bias of a run at random with the same start, budget and seed, if one was made.
        bands_before: Band of every family's entropy, in the order of `before`; empty in summaries of old.
        bands_after: The same of `after`.
        ceilings: What every family could have at most at the end; empty in summaries of old, and of a campaign that is
            not over.
        further: How many more values of its own each was given for that.
        skills: What the model of each property knows at the end; empty likewise, and with few values.
        journal_rows: Rows of the journal when this was written.
        journal_digest: Digest of the last of them, by which a journal that lost its end is found out.
        effects: What is believed of the effects of interventions, a line each; empty where the policy is after none.
        against_truth: How far off that is, "before", "after" and at "random"; empty where nobody knows the truth.
        shares: What each kind of factor explains of the variance of the property, a line each; empty likewise.
        reading: What of the pool's table was not taken as it stands, as the journal has it.
        account: What its policy was told and what that cost, in words; empty where there is nothing to say.
        brought: What results brought beside their values, in a line; empty where they brought nothing.
        findings: What else was found, a line each: a graph, molecules.
        files: Files written, relative to the run folder.
        versions: Versions of what computed it, by name.
        budget_unit: What the budget counts, in the plural.
    """

    campaign: str
    scenario: str
    policy: str
    seed: int
    property: str
    unit: str
    budget: int
    spent: int
    observations: int
    abandoned: int
    excluded: int
    retries: int
    quarantined: int
    duplicates: int
    contradictions: int = 0
    contradicted: tuple[str, ...] = ()
    stopped_because: str
    wall_time_s: float
    per_second: float | None
    accepted_here: int | None = None
    before: BiasPoint
    after: BiasPoint
    best: tuple[Best, ...] = ()
    found: str = ""
    random: BiasPoint | None = None
    bands_before: Bands = ()
    bands_after: Bands = ()
    ceilings: tuple[Ceiling, ...] = ()
    further: int = 0
    skills: tuple[ModelSkill, ...] = ()
    shortfall: tuple[str, ...] = ()
    journal_rows: int = 0
    journal_digest: str = ""
    effects: tuple[str, ...] = ()
    against_truth: Mapping[str, AgainstTruth] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    reading: Account = ()
    account: str = ""
    brought: str = ""
    findings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    budget_unit: str = "candidates"


def write_summary(path: Path, summary: RunSummary) -> None:
    """Write `summary.json`.

    Raises:
        StoreError: When it cannot be written.
        ValueError: When a figure is not finite.
    """
    content = summary_json(summary).encode()
    with atomic_write(path) as file:
        file.write(content)


def summary_json(summary: RunSummary) -> str:
    """Return the summary as JSON, keys sorted, families as a list of objects.

    Raises:
        ValueError: When a figure is not finite.
    """
    tree: dict[str, Any] = {each.name: getattr(summary, each.name) for each in dataclasses.fields(summary)}
    bands = {name: tree.pop(f"bands_{name}", ()) for name in MOMENTS}
    tree |= {name: bias_tree(tree[name], bands[name]) for name in MOMENTS if tree[name] is not None}
    tree |= {"format": SUMMARY_FORMAT, "versions": dict(summary.versions), "best": best_tree(summary.best)}
    tree["ceilings"] = [dataclasses.asdict(each) for each in summary.ceilings]
    tree["skills"] = [dataclasses.asdict(each) for each in summary.skills]
    tree["reading"] = [each.model_dump(mode="json") for each in summary.reading]
    tree["against_truth"] = {moment: dataclasses.asdict(each) for moment, each in summary.against_truth.items()}
    tree[SEAL] = seal_of(tree)
    return json.dumps(tree, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def seal_of(tree: Mapping[str, Any]) -> str:
    """Return the digest of a summary's JSON: half of what it tells (times, what random came to) follows from nothing.

    Args:
        tree: The whole of it, with or without its digest.
    """
    told = {name: value for name, value in tree.items() if name != SEAL}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def read_summary(path: Path) -> RunSummary:
    """Read what `write_summary` wrote.

    Raises:
        StoreError: When the file is missing, not ours, or of another format.
    """
    try:
        with path.open("rb") as file:
            tree = json.loads(file.read(MAX_SUMMARY_BYTES))
        if tree.pop("format") != SUMMARY_FORMAT:
            raise StoreError(f"{path} has another format", expected=f"format {SUMMARY_FORMAT}", action="run it again")
        tree |= {f"bands_{name}": bands_of(tree[name]) for name in ("before", "after")}
        tree |= {name: bias_fields(tree[name]) for name in MOMENTS if tree.get(name) is not None}
        tree["best"] = best_fields(tree.get("best", {}), tree["after"])
        adapter = TypeAdapter(RunSummary)
        return adapter.validate_python(tree)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        found = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        found = f"{len(error.errors())} fields are wrong" if isinstance(error, ValidationError) else found
        raise StoreError(
            f"{path} is not a summary ({found})",
            expected="the summary.json of a run",
            action="move it away and run with --resume",
        ) from error
