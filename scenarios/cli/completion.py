"""What a shell completes: scenarios, policies, runs, recordings and mappings of labs.

Asked at every press of a key, so nothing heavy is imported, and no file is opened.

Where nothing of ours fits, the shell completes paths, as it does without us.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import typer

from agent.acquisition.built_in import BUILT_IN
from protocols.settings.plug_ins import POLICIES, plug_in_names
from scenarios.settings.library import library_mappings, library_recordings, library_scenarios
from scenarios.sources.run_folder import RUNS, RUNS_VARIABLE, run_names


def scenarios(incomplete: str) -> list[str]:
    """Complete the name of a scenario that comes with the package."""
    return _beginning(incomplete, library_scenarios())


def policies(incomplete: str) -> list[str]:
    """Complete the name of a policy."""
    return _beginning(incomplete, (*BUILT_IN, *plug_in_names(POLICIES)))


def several_policies(incomplete: str) -> list[str]:
    """Complete the last of several policies that are separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in policies(last) if name not in before.split(",")]


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a run below the folder that `--runs` or the environment names."""
    return _beginning(incomplete, run_names(_runs_folder(ctx)))


def recordings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a recording: of a run, or one that comes with the package."""
    return _beginning(incomplete, [*run_names(_runs_folder(ctx)), *library_recordings()])


def runs_and_scenarios(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete what a pack is made of."""
    return _beginning(incomplete, [*run_names(_runs_folder(ctx)), *library_scenarios(), *library_recordings()])


def brokers(incomplete: str) -> list[str]:
    """Complete the kind of a broker, or what else is done with one."""
    return _beginning(incomplete, ("embedded", "mosquitto", "access", "tidy"))


def lab_actions(incomplete: str) -> list[str]:
    """Complete what is done with a mapping."""
    return _beginning(incomplete, ("try", "show"))


def starts(incomplete: str) -> list[str]:
    """Complete what a start is written for."""
    return _beginning(incomplete, ("scenario", "example", "lab", "policy", "evaluator", "reader"))


def export_forms(incomplete: str) -> list[str]:
    """Complete the form in which a run is given out."""
    return _beginning(incomplete, ("ro-crate", "json", "csv", "parquet"))


def verdicts(incomplete: str) -> list[str]:
    """Complete what is done with a proposal."""
    return _beginning(incomplete, ("approve", "reject"))


def mappings(incomplete: str) -> list[str]:
    """Complete the name of a mapping that comes with the package."""
    return _beginning(incomplete, library_mappings())


def orders(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a run, or what its campaign can be asked for."""
    from scenarios.control.verbs import VERBS

    return _beginning(incomplete, [*run_names(_runs_folder(ctx)), *VERBS])


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _runs_folder(ctx: typer.Context) -> Path:
    """Return where run folders are; a command without --runs and one whose default is not filled in yet say nothing."""
    return Path(ctx.params.get("runs") or os.environ.get(RUNS_VARIABLE) or RUNS)
