"""Compares policies over seeds: the same pool, and for each seed the same start set and test set for every policy.

Campaigns first, then the downstream models, each job in one of a few processes that hold the pool. A job is a pure
function of (scenario, pool, seed), so neither order nor number of the processes changes a result.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from agent.acquisition.base import IndexArray
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import declared_metrics, make_policies, require_fixed_pool
from agent.campaign.context import pool_arrays
from agent.campaign.stop_rules import never_fires
from agent.pool.candidates import Pool
from agent.settings import CampaignSettings
from protocols.errors import SettingsError, TableError
from scenarios.compare.comparison import CampaignEnd, Comparison
from scenarios.compare.downstream import Score, Target, require_rows, scores_of, targets_of
from scenarios.compare.model_measures import ModelScores
from scenarios.compare.trials import Trial, make_trials, open_pool
from scenarios.effects.effects import effects_of
from scenarios.run.offline import play_offline
from scenarios.run.trajectory import Trajectory
from scenarios.settings.model import Scenario
from scenarios.settings.models import ModelName
from scenarios.sources.code_sources import Namer, place_of
from scenarios.world.workers import end_with_parent, interrupts_deferred, one_thread_each, workers
from scenarios.world.world import ProgressCall, World, build_world

MAX_PROCESSES: Final = 8
"""Most jobs at once; each process holds the pool."""

BASELINES: Final = ("random", "round_robin", "coverage", "joint_entropy")
"""What a policy must beat to be worth its trouble: no thought, equal shares, an even spread over the features, and the
most information in all."""

PlaybackCounts = tuple[Trajectory, IndexArray, CampaignEnd]
"""A campaign: its trajectory, the indices in the whole pool of what it acquired, in order, and how it ended."""

Key = TypeVar("Key")
Result = TypeVar("Result")


def compare_policies(
    scenario: Scenario,
    policies: Sequence[str] | None,
    seeds: Iterable[int],
    progress: ProgressCall = lambda *_: None,
    *,
    downstream: bool = False,
) -> Comparison:
    """Run every policy with every seed, in parallel processes.

    Args:
        scenario: Pool, start set, budget, evaluation; its own policy and seed are replaced.
        policies: Built-in names, or classes of the user's own, the one to judge first; None for the scenario's own
            beside the baselines.
        seeds: Seeds of campaign, start set and test set.
        progress: For a progress bar.
        downstream: Whether to hold out test rows, and to train and score the models of `scenario.evaluation`.

    Raises:
        SettingsError: When a policy or a target does not exist, or start set or test set cannot be made as asked.
        TableError: When the value of a candidate is not known, or a target is known for too few.
    """
    settings_of = _settings_of_each(scenario, (scenario.campaign.policy, *BASELINES) if policies is None else policies)
    names = tuple(settings_of)
    world = build_world(scenario, progress)
    if not world.all_known:
        raise TableError(
            "Some candidates have no known value, so nobody can tell what another choice would have given",
            expected="a value for every candidate",
            action="compare on a table that is complete",
        )
    if downstream and (world.pool.designs is not None or world.pool.interventions is not None):
        raise SettingsError(
            "No rows can be held out of a pool of designs or interventions: an effect is an average over all of them",
            expected="a pool whose candidates stand for themselves",
            action="compare without --downstream",
        )
    targets = targets_of(scenario, world) if downstream else ()
    trials = make_trials(scenario, world, seeds, scenario.evaluation.test_fraction if downstream else 0.0)
    require_rows(targets, trials)
    with _processes(scenario, world, len(names) * len(trials)) as executor:
        campaigns = {(name, trial.seed): (settings_of[name], trial) for name in names for trial in trials}
        played = _all_done(executor, _play, campaigns, partial(progress, "campaigns"))
        acquired = {(name, seed): (trial, played[name, seed][1]) for (name, seed), (_, trial) in campaigns.items()}
        wanted = [(target, model) for target in targets for model in scenario.evaluation.models]
        models = _scored(executor, wanted, acquired, progress)
    return Comparison(
        scenario.name,
        tuple(trial.seed for trial in trials),
        {name: [played[name, trial.seed][0] for trial in trials] for name in names},
        models,
        tuple(len(trial.test) for trial in trials),
        len(world.pool),
        {name: tuple(played[name, trial.seed][2] for trial in trials) for name in names},
        (
            *map(str, world.account),
            *_judged_by(scenario.campaign, world.pool),
            *_rules_in_vain(world, settings_of),
        ),
    )


def _settings_of_each(scenario: Scenario, policies: Sequence[str]) -> dict[str, CampaignSettings]:
    """Return the campaign by policy; the scenario's options are of its own policy, another one has its defaults."""
    if not policies:
        raise SettingsError("No policies to compare", expected="names separated by commas", action="give --policies")
    person, own = Namer.person({}), scenario.campaign
    settings_of: dict[str, CampaignSettings] = {}
    for policy in policies:
        if policy == own.policy and not own.code.named_by:
            settings = own
        else:  # whoever names a policy on the command line allows it
            options = own.policy_options if policy == own.policy else {}
            name, code = place_of(policy, person)
            same_code = name in BUILT_IN and not own.code.named_by
            settings = own.decided_by(name, options).with_code(own.code if same_code else code)
            if not same_code and settings.metrics_of not in BUILT_IN:  # declared by code that this policy may not run
                settings = settings.model_copy(update={"metrics_of": "", "metrics_options": {}})
        make_policies(settings.policy, settings.policy_options, settings.code, rest=settings.stop.rest_policy)
        require_fixed_pool(settings.policy, settings.code)
        settings_of[settings.policy] = settings
    return settings_of


def _judged_by(own: CampaignSettings, pool: Pool) -> Iterator[str]:
    """Yield whose metrics all policies are judged by, where the scenario's own declares some."""
    name, options = own.metered_by
    if declared_metrics(name, options, own.unit, pool_arrays(pool), own.code):
        yield f"All are judged by the metrics of {name}, computed alike from what each of them acquired."


def _rules_in_vain(world: World, settings_of: Mapping[str, CampaignSettings]) -> Iterator[str]:
    """Yield which stop rules can never fire, each said once."""
    families, candidates = len(world.pool.families), len(world.pool) - len(world.start)
    said = (each for own in settings_of.values() for each in never_fires(own, families=families, candidates=candidates))
    yield from dict.fromkeys(said)


def _scored(
    executor: ProcessPoolExecutor,
    wanted: Sequence[tuple[Target, ModelName]],
    acquired: Mapping[tuple[str, int], tuple[Trial, IndexArray]],
    progress: ProgressCall,
) -> tuple[ModelScores, ...]:
    """Train and score every wanted model along every campaign, which are given by policy and seed."""
    if not wanted:
        return ()
    common: dict[int, int] = {}
    for (_, seed), (_, rows) in acquired.items():
        common[seed] = min(len(rows), common.get(seed, len(rows)))
    jobs = {
        (target.name, model, *campaign): (target.name, model, trial, rows, common[trial.seed])
        for target, model in wanted
        for campaign, (trial, rows) in acquired.items()
    }
    done = _all_done(executor, _score, jobs, partial(progress, "downstream models"))
    runs: dict[tuple[str, ModelName], dict[str, tuple[tuple[Score, ...], ...]]] = {}
    for target, model, policy, seed in jobs:  # seeds in their order
        by_policy = runs.setdefault((target, model), {})
        by_policy[policy] = (*by_policy.get(policy, ()), done[target, model, policy, seed])
    return tuple(ModelScores(target.name, target.unit, model, runs[target.name, model]) for target, model in wanted)


@contextmanager
def _processes(scenario: Scenario, world: World, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that know scenario and world; what has not begun when this is left is dropped."""
    count = min(MAX_PROCESSES, os.cpu_count() or 1, jobs)
    with one_thread_each(), tempfile.TemporaryDirectory(prefix="entropilot-compare-") as scratch:
        shared = Path(scratch) / "world.pickle"  # not through the pipe that a process starts with: it would wait
        with shared.open("wb") as file:
            pickle.dump((scenario, world), file)
        with workers(count, _read_world, (shared,)) as executor:
            yield executor


def _all_done(
    executor: ProcessPoolExecutor,
    function: Callable[..., Result],
    jobs: Mapping[Key, tuple[Any, ...]],
    on_progress: Callable[[int, int], None],
) -> dict[Key, Result]:
    on_progress(0, len(jobs))
    with interrupts_deferred():
        running = {executor.submit(function, *arguments): key for key, arguments in jobs.items()}
    done: dict[Key, Result] = {}
    for future in as_completed(running):
        done[running[future]] = future.result()
        on_progress(len(done), len(jobs))
    return done


_SHARED: dict[str, tuple[Scenario, World]] = {}
"""What a worker process was given once; it is its own."""


def _read_world(shared: Path) -> None:
    with shared.open("rb") as file:
        _take_world(*pickle.load(file))  # noqa: S301 - our own, in a folder that nobody else can write


def _take_world(scenario: Scenario, world: World) -> None:
    _SHARED["world"] = (scenario, world)
    end_with_parent()


def _play(settings: CampaignSettings, trial: Trial) -> PlaybackCounts:
    _, world = _SHARED["world"]
    campaign = settings.model_copy(update={"seed": trial.seed})
    opened = open_pool(world, trial)
    told = None if world.uncertainties is None else world.uncertainties[opened.rows]
    by_method = {name: values[opened.rows] for name, values in world.fidelities.items()}
    played = play_offline(
        opened.pool, opened.values, opened.start.tolist(), campaign, uncertainties=told, fidelities=by_method
    )
    end = CampaignEnd(len(played.abandoned), played.ended, played.is_finished)
    truth = world.true_effects  # without it nothing of the effects is told, and no meter is to be made
    effects = effects_of(played.events, opened.pool, truth, campaign.code) if truth else None
    against = {} if effects is None else effects.against_truth
    return replace(played.trajectory, against_truth=against), opened.rows[played.acquired], end


def _score(target: str, model: ModelName, trial: Trial, acquired: IndexArray, common: int) -> tuple[Score, ...]:
    scenario, world = _SHARED["world"]
    (wanted,) = (each for each in targets_of(scenario, world) if each.name == target)
    every = scenario.evaluation.every
    return tuple(scores_of(world.pool, wanted, trial, acquired, model=model, every=every, common=common))
