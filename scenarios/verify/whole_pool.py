"""The whole pool of a run, without which declared metrics cannot be computed again: or why it is not to be had."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import declared_metrics, make_meter, policy_fingerprint
from agent.campaign.context import pool_arrays
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from protocols.errors import EntropilotError, StoreError
from protocols.tables.account import Account
from scenarios.display.progress import ProgressCall
from scenarios.settings.model import Scenario
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.run_world import world_of_run
from scenarios.world.world import World

NOT_COMPUTED = "what the policy declares was not computed again"
"""What is said where it is so, before the reason."""

LIMIT_S: Final = 600.0
"""Longest time that a pool is made again [s]: the default crystals take half a minute, and the scenario in a stranger's
recording may ask for any number of them."""

MOST_ROWS: Final = 100_000
"""Most rows of a structural model, which are made without a look at the clock: a minute or two of work."""


@dataclass(frozen=True, slots=True)
class WholePool:
    """What a journal is folded over.

    Attributes:
        pool: The whole pool; None where it cannot be had, or nothing needs it.
        true_effects: What effects are, where the scenario knows it.
        why_not: Why declared metrics are not computed again; empty where they are, or there are none.
        reading: What of the pool's table is not taken as it stands today; None where it was not read again.
    """

    pool: Pool | None = None
    true_effects: Mapping[str, float] = field(default_factory=dict)
    why_not: str = ""
    reading: Account | None = None


def whole_pool(folder: Path, plan: CampaignPlan) -> WholePool:
    """Make the pool of a run again where its policy declares metrics.

    Those of a user's own code are not computed, for no code of a run is run here; nor those of other versions, whose
    arithmetic may differ.

    Args:
        folder: The run folder; it is only read.
        plan: What its campaign was started with.
    """
    if not plan.metrics:
        return WholePool()
    name, options = plan.metered_by
    if name not in BUILT_IN or plan.policy not in BUILT_IN:
        return WholePool(why_not=f"{NOT_COMPUTED}: that takes code of the user's own")
    if plan.fingerprint != policy_fingerprint(plan.policy, plan.policy_options):
        return WholePool(why_not=f"{NOT_COMPUTED}: other versions computed it")
    try:
        world = bounded_world(folder, plan)
        arrays = pool_arrays(world.pool)
        if declared_metrics(name, options, plan.unit, arrays) != plan.metrics:
            return WholePool(why_not=f"{NOT_COMPUTED}: other versions computed it")
        make_meter(name, options, arrays, plan.property_names, seed=plan.seed)
    except EntropilotError as error:
        return WholePool(why_not=f"{NOT_COMPUTED}: {error.found.rstrip('.')}")
    return WholePool(world.pool, world.true_effects, reading=world.account)


def bounded_world(folder: Path, plan: CampaignPlan, clock: Callable[[], float] = time.monotonic) -> World:
    """Make the world of a run again, as `world_of_run` does, unless that takes more than a run is worth.

    Args:
        folder: The run folder; it is only read.
        plan: What its campaign was started with.
        clock: Monotonic time [s].

    Raises:
        StoreError: When it would take longer or more rows than allowed, or as of `world_of_run`.
        EntropilotError: As of `world_of_run`.
    """
    try:
        rows = _rows_of_model(recorded_scenario(folder / RECORDING))
    except OSError as error:
        raise StoreError(str(error), expected="the recording of the run") from error
    if rows > MOST_ROWS:
        raise StoreError(f"its structural model has {rows:,} rows", expected=f"at most {MOST_ROWS:,}")
    return world_of_run(folder, plan.pool_digest, _until(clock() + LIMIT_S, clock))[1]


def _rows_of_model(scenario: Scenario) -> int:
    """Return how many rows a structural model makes: those without an intervention, and two for each variable set."""
    model = scenario.pool.structural_model
    return 0 if model is None else model.passive_rows + 2 * (len(model.variables) - 1) * model.repeats


def _until(deadline_s: float, clock: Callable[[], float]) -> ProgressCall:
    """Return progress that ends the work when its time is over."""

    def look(what: str, done: int, total: int) -> None:
        if clock() > deadline_s:
            found = f"making its pool again takes longer than {LIMIT_S:g} s ({what}: {done:,} of {total:,})"
            raise StoreError(found, expected="a pool that is made sooner")

    return look
