"""Compares policies over seeds: the same pool, and for each seed the same start set for every policy."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Final

from rich.table import Table

from agent.acquisition.registry import make_policy
from agent.report.figures import draw_comparison
from agent.report.trajectory import Trajectory
from agent.report.whole_file import written_whole
from protocols.errors import SettingsError, TableError
from scenarios.offline import run_offline
from scenarios.settings import Scenario
from scenarios.world import Progress, World, make_world, start_set

MAX_PROCESSES: Final = 8
"""Most campaigns at once; each holds the pool."""

FIGURES: Final[dict[str, str]] = {"entropy_range": "range", "entropy_std": "std", "mean_gap": "mean gap"}
"""Bias figure -> its column."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Trajectories by policy, one for each seed.

    Attributes:
        scenario: Its name.
        seeds: The seeds, in the order of the trajectories.
        runs: Policy -> trajectories.
    """

    scenario: str
    seeds: tuple[int, ...]
    runs: dict[str, list[Trajectory]]

    def final(self, policy: str, figure: str) -> list[float | None]:
        """Return a bias figure at the end of every seed's run [nat]."""
        return [getattr(run.points[-1][1], figure) for run in self.runs[policy]]

    def table(self) -> Table:
        """Return the mean and the standard deviation over seeds, before and at the end."""
        count = len(self.seeds)
        table = Table(title=f"{self.scenario}: bias at the end, mean ± std over {count} seed{'s' * (count != 1)} [nat]")
        table.add_column("policy")
        for name in FIGURES.values():
            table.add_column(f"{name} of entropy", justify="right")
        any_policy = next(iter(self.runs))
        start = [run.points[0][1] for run in self.runs[any_policy]]
        table.add_row("(start)", *(_mean_and_std([getattr(point, figure) for point in start]) for figure in FIGURES))
        for policy in self.runs:
            table.add_row(policy, *(_mean_and_std(self.final(policy, figure)) for figure in FIGURES))
        return table

    def json(self) -> str:
        """Return the final figures by policy and seed."""
        return json.dumps(
            {
                "scenario": self.scenario,
                "seeds": list(self.seeds),
                "final": {policy: {figure: self.final(policy, figure) for figure in FIGURES} for policy in self.runs},
            },
            indent=2,
        )

    def write(self, folder: Path) -> list[Path]:
        """Write the figure and the CSV; return their paths.

        Raises:
            StoreError: When the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        figure, table = folder / "comparison.png", folder / "comparison.csv"
        draw_comparison(figure, self.runs, title=f"{self.scenario}: entropy range over {len(self.seeds)} seeds")
        with written_whole(table) as file:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(("policy", "seed", "step", *FIGURES))
            writer.writerows(self._rows())
            file.write(text.getvalue().encode())
        return [figure, table]

    def _rows(self) -> Iterable[tuple[object, ...]]:
        for policy, runs in self.runs.items():
            for seed, run in zip(self.seeds, runs, strict=True):
                for step, point in run.points:
                    yield (policy, seed, step, *(getattr(point, figure) for figure in FIGURES))


def compare_policies(
    scenario: Scenario, policies: Sequence[str], seeds: Iterable[int], progress: Progress = lambda *_: None
) -> Comparison:
    """Run every policy with every seed, in parallel processes.

    Args:
        scenario: Pool, start set, budget; its own policy and seed are replaced.
        policies: Names or `module:Class`.
        seeds: Seeds of campaign and start set.
        progress: For a progress bar.

    Raises:
        SettingsError: When a policy does not exist.
        TableError: When the value of a candidate is not known.
    """
    if not policies:
        raise SettingsError("No policies to compare", expected="names separated by commas", action="give --policies")
    for policy in policies:
        make_policy(policy, _options(scenario, policy))
    world = make_world(scenario, progress)
    if not world.all_known:
        raise TableError(
            "Some candidates have no known value, so nobody can tell what another choice would have given",
            expected="a value for every candidate",
            action="compare on a table that is complete",
        )
    seeds = tuple(seeds)
    jobs = [(policy, seed) for policy in dict.fromkeys(policies) for seed in seeds]
    done = _run_all(scenario, world, jobs, lambda count: progress("campaigns", count, len(jobs)))
    return Comparison(scenario.name, seeds, {policy: [done[policy, seed] for seed in seeds] for policy, _ in jobs})


def _run_all(
    scenario: Scenario, world: World, jobs: Sequence[tuple[str, int]], told: Callable[[int], None]
) -> dict[tuple[str, int], Trajectory]:
    workers = min(MAX_PROCESSES, os.cpu_count() or 1, len(jobs))
    done: dict[tuple[str, int], Trajectory] = {}
    told(0)
    # One BLAS thread a process: the same sums, and processes that do not fight for the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_take_world, initargs=(scenario, world)) as executor:
        running = {executor.submit(_run_one, policy, seed): (policy, seed) for policy, seed in jobs}
        for future in as_completed(running):
            done[running[future]] = future.result()
            told(len(done))
    return done


_SHARED: dict[str, tuple[Scenario, World]] = {}
"""What a worker process was given once; it is its own."""


def _take_world(scenario: Scenario, world: World) -> None:
    _SHARED["world"] = (scenario, world)


def _run_one(policy: str, seed: int) -> Trajectory:
    scenario, world = _SHARED["world"]
    campaign = scenario.campaign.model_copy(
        update={"policy": policy, "policy_options": _options(scenario, policy), "seed": seed}
    )
    start = start_set(scenario.model_copy(update={"campaign": campaign}), world.pool, world.values)
    return run_offline(world.pool, world.values, start.tolist(), campaign)


def _options(scenario: Scenario, policy: str) -> dict[str, object]:
    """Return the scenario's options for its own policy; another one has its defaults."""
    return dict(scenario.campaign.policy_options) if policy == scenario.campaign.policy else {}


def _mean_and_std(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        return "undefined"
    spread = f" ± {stdev(known):.3f}" if len(known) > 1 else ""
    return f"{fmean(known):.3f}{spread}"
