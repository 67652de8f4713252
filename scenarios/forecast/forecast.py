"""Forecasts campaigns: `gap_gain` and random, each against the same drawn pools, in a few processes.

A campaign is a pure function of (ground, draw, policy), so neither order nor number of the processes changes a figure.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray
from agent.acquisition.ceilings import ceilings
from agent.acquisition.model_skill import model_skills
from agent.campaign.plan import CampaignPlan
from agent.entropy.bias import BIAS_METRICS
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill
from agent.settings import CampaignSettings
from scenarios.forecast.courses import Course
from scenarios.forecast.ground import Ground, drawn_values, ground_of
from scenarios.run.offline import run_offline
from scenarios.run.offline_campaign import OFFLINE
from scenarios.run.trajectory import Trajectory
from scenarios.settings.model import Scenario
from scenarios.world.workers import end_with_parent, interrupts_deferred, one_thread_each, workers
from scenarios.world.world import ProgressCall, build_world

PLAYED: Final = ("gap_gain", "random")
"""The policies that are forecast: the default, and what anybody could do without one."""

MAX_PROCESSES: Final = 8
"""Most campaigns at once; each process holds the pool."""

CAMPAIGNS: Final = "campaigns on drawn pools"
CEILINGS: Final = "what every family can reach"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a budget can buy.

    Attributes:
        scenario: Its name.
        property: The properties that are balanced.
        unit: Unit of the first.
        budget: Observations that are played.
        draws: Pools that were drawn.
        seed: Of the draws.
        start: Values of the start set.
        candidates: Candidates of the whole pool.
        courses: Policy -> figure of bias -> its course.
        ceilings: What every family could have at most.
        notes: What a person should know.
        skills: What the model of each property knows of it; empty with few values.
    """

    scenario: str
    property: str
    unit: str
    budget: int
    draws: int
    seed: int
    start: int
    candidates: int
    courses: Mapping[str, Mapping[str, Course]]
    ceilings: tuple[Ceiling, ...]
    notes: tuple[str, ...]
    skills: tuple[ModelSkill, ...] = ()


def forecast(
    scenario: Scenario, draws: int, seed: int | None = None, progress: ProgressCall = lambda *_: None
) -> Forecast:
    """Forecast what the budget of a scenario can buy, from its start set and its features alone.

    Args:
        scenario: Its own policy is replaced.
        draws: How many pools to draw, at least 1.
        seed: Of the draws; by default that of the campaign.
        progress: For a progress bar.

    Raises:
        SettingsError: When the start set tells too little.
        TableError: When the pool has one family, or no features.
    """
    world = build_world(scenario, progress)
    ground = ground_of(world.pool, world.start, world.balanced[world.start], scenario.campaign)
    chosen = scenario.campaign.seed if seed is None else seed
    return forecast_from(ground, scenario.name, draws=draws, seed=chosen, progress=progress)


def forecast_from(
    ground: Ground,
    name: str,
    *,
    draws: int,
    seed: int,
    progress: ProgressCall = lambda *_: None,
    processes: int = 0,
) -> Forecast:
    """Forecast from what a campaign would know.

    Args:
        ground: What it would know.
        name: Of the scenario.
        draws: How many pools to draw.
        seed: Of the draws.
        progress: For a progress bar.
        processes: How many at once; 0 for one for each core.
    """
    plan = plan_of(ground)
    families = len(ground.pool.families)
    found = ceilings(
        ground.known(plan), ground.settings.budget, seed=seed, on_family=lambda done: progress(CEILINGS, done, families)
    )
    pools = drawn_values(ground, draws, seed)
    played = _played(ground, pools, seed, progress, processes or min(MAX_PROCESSES, os.cpu_count() or 1))
    return Forecast(
        name,
        plan.label,
        plan.unit,
        ground.settings.budget,
        draws,
        seed,
        len(ground.start),
        ground.candidates,
        {policy: _courses([played[policy, draw] for draw in range(draws)], ground) for policy in PLAYED},
        found,
        ground.notes,
        model_skills(ground.known(plan)),
    )


def plan_of(ground: Ground) -> CampaignPlan:
    """Return the plan of a campaign that begins so: what it measures with."""
    return ground.settings.plan(
        campaign=OFFLINE,
        uid=OFFLINE,
        fingerprint="",
        recipients=(OFFLINE,),
        pool=ground.pool,
        start_values=ground.values[:, 0].tolist(),
        start_additional=[tuple(row) for row in ground.values[:, 1:].tolist()] if ground.values.shape[1] > 1 else (),
    )


def play(ground: Ground, values: FloatArray, policy: str, seed: int) -> Trajectory:
    """Play one campaign on a drawn pool.

    Args:
        ground: What is known.
        values: Of the pool, shape (n, p).
        policy: A built-in policy.
        seed: Of the campaign.
    """
    return run_offline(ground.pool, values, ground.start.tolist(), settings_of(ground.settings, policy, seed))


def settings_of(settings: CampaignSettings, policy: str, seed: int) -> CampaignSettings:
    """Return the same terms for another policy and seed."""
    return settings.model_copy(update={"policy": policy, "policy_options": {}, "seed": seed})


def _courses(trajectories: list[Trajectory], ground: Ground) -> dict[str, Course]:
    length = ground.settings.budget + 1
    made: dict[str, Course] = {}
    for metric in BIAS_METRICS:
        draws = np.full((len(trajectories), length), np.nan)
        for row, trajectory in zip(draws, trajectories, strict=True):
            figures = [getattr(point, metric.name) for _, point in trajectory.points[:length]]
            row[: len(figures)] = [np.nan if each is None else each for each in figures]
            row[len(figures) :] = row[len(figures) - 1]  # a campaign that ended early stays where it ended
        made[metric.name] = Course(draws)
    return made


def _played(
    ground: Ground, pools: FloatArray, seed: int, progress: ProgressCall, processes: int
) -> dict[tuple[str, int], Trajectory]:
    jobs = [(policy, draw) for draw in range(len(pools)) for policy in PLAYED]
    progress(CAMPAIGNS, 0, len(jobs))
    done: dict[tuple[str, int], Trajectory] = {}
    if processes == 1:
        for policy, draw in jobs:
            done[policy, draw] = play(ground, pools[draw], policy, seed + draw)
            progress(CAMPAIGNS, len(done), len(jobs))
        return done
    with one_thread_each(), tempfile.TemporaryDirectory(prefix="entropilot-forecast-") as scratch:
        shared = Path(scratch) / "ground.pickle"  # not through the pipe that a process starts with: it would wait
        with shared.open("wb") as file:
            pickle.dump((ground, pools), file)
        with workers(min(processes, len(jobs)), _read_ground, (shared,)) as executor:
            with interrupts_deferred():
                running = {executor.submit(_play_drawn, *job, seed + job[1]): job for job in jobs}
            for future in as_completed(running):
                done[running[future]] = future.result()
                progress(CAMPAIGNS, len(done), len(jobs))
    return done


_SHARED: dict[str, tuple[Ground, FloatArray]] = {}
"""What a worker process was given once; it is its own."""


def _read_ground(shared: Path) -> None:
    end_with_parent()
    with shared.open("rb") as file:
        _SHARED["ground"] = pickle.load(file)  # noqa: S301 - our own, in a folder that nobody else can write


def _play_drawn(policy: str, draw: int, seed: int) -> Trajectory:
    ground, pools = _SHARED["ground"]
    return play(ground, pools[draw], policy, seed)
