"""What a scenario stands on: the pool, what is known of it, and the start set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.built_in import BUILT_IN
from agent.acquisition.registry import grows_pool
from agent.causal.designs.effects import effect_queries
from agent.causal.designs.variance_shares import true_shares
from agent.pool.candidates import Pool
from agent.pool.limits.judge import require_fitting
from agent.pool.mapped_pool import MappedPool, mapped_pool
from agent.settings import AdditionalPropertySettings
from protocols.errors import SettingsError, TableError
from protocols.tables.account import Account
from protocols.tables.blocks.reading import is_read_in_blocks, read_in_blocks
from protocols.tables.designs import candidate_key, read_features, read_log
from protocols.tables.table import CandidateTable, read_table
from scenarios.settings.alloy_designs import AlloyDesignsSettings
from scenarios.settings.model import EMT_ALLOYS, Scenario
from scenarios.world.cache import cached
from scenarios.world.start_set import biased_start, random_start
from scenarios.world.structural_bed import make_structural_bed
from scenarios.world.structures import described_by, structure_reader
from simulators.structural_model import StructuralModel

ALLOY_DESIGNS: Final = "alloy_designs"
"""Name of a closure of alloys in the cache."""

ProgressCall = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class World:
    """A scenario made real.

    Attributes:
        pool: The candidates.
        values: The property of every candidate, NaN where nobody knows it yet, shape (n,) [unit of the campaign].
        start: Pool indices of the start set, ascending.
        warnings: What a person should know about the table.
        account: What of the table was not taken as it stands.
        additional: Additional properties by name, in pool order, shape (n,) [their units]; NaN where unknown.
        balanced_beside: Those of them that the campaign balances beside its property.
        true_effects: What interventions really do, by name [unit of the campaign]; empty where nobody knows it. No
            policy sees it.
        uncertainties: Standard uncertainties of `balanced`, shape (n, p), 0 where none is known; None where none is
            known of any.
        fidelities: Values of the property by other methods than the target, in pool order, shape (n,) [unit of the
            campaign]; NaN where unknown.
    """

    pool: Pool
    values: FloatArray
    start: IndexArray
    warnings: tuple[str, ...] = field(default=())
    additional: Mapping[str, FloatArray] = field(default_factory=dict)
    balanced_beside: tuple[str, ...] = ()
    true_effects: Mapping[str, float] = field(default_factory=dict)
    account: Account = ()
    uncertainties: FloatArray | None = None
    fidelities: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def true_shares(self) -> Mapping[str, float]:
        """What each kind of factor really explains of the variance of the property; empty where nobody knows it."""
        if self.pool.designs is None or not np.isfinite(self.values).all():
            return {}
        return true_shares(self.pool.designs, self.values)

    @property
    def balanced(self) -> FloatArray:
        """Values of the property, and of those that are balanced beside it, shape (n, p)."""
        return np.column_stack((self.values, *(self.additional[name] for name in self.balanced_beside)))

    @property
    def all_known(self) -> bool:
        """Whether the outcome of any other choice can be told."""
        return bool(np.isfinite(self.balanced).all())

    def start_observations(self) -> list[tuple[str, float]]:
        """Return candidate id and value of the start set."""
        return [(self.pool.candidate_ids[index], float(self.values[index])) for index in self.start]

    def start_additional(self) -> list[tuple[float, ...]]:
        """Return the values of what is balanced beside the property, a row for each of the start set."""
        return [tuple(row) for row in self.balanced[self.start, 1:].tolist()] if self.balanced_beside else []

    def start_uncertainties(self) -> list[tuple[float, ...]]:
        """Return the standard uncertainties of what is balanced, a row for each of the start set; none without any."""
        known = [] if self.uncertainties is None else self.uncertainties[self.start].tolist()
        return [tuple(row) for row in known] if any(map(any, known)) else []


def build_world(scenario: Scenario, progress: ProgressCall = lambda *_: None) -> World:
    """Make the pool, its known values and the start set.

    Args:
        scenario: The settings.
        progress: For a progress bar.

    Raises:
        TableError: When the table cannot be used.
        SettingsError: When the start set cannot be made as asked.
    """
    account: Account = ()
    uncertainties: FloatArray | None = None
    fidelities: Mapping[str, FloatArray] = {}
    if scenario.pool.source == EMT_ALLOYS:
        pool, values = _emt_alloys(scenario, scenario.campaign.property, progress)
        warnings: tuple[str, ...] = ()
        additional = {
            name: _emt_alloys(scenario, name, progress)[1] for name in scenario.campaign.additional_properties
        }
        pool = _redescribed(scenario, pool)
    elif scenario.pool.crystals is not None:
        from scenarios.world.crystals.pool import crystals_pool

        made = crystals_pool(scenario, progress)
        pool, warnings = _redescribed(scenario, made.pool), made.notes
        unknown = np.full(len(pool), np.nan)
        values = made.values.get(scenario.campaign.property, unknown)
        additional = {name: made.values.get(name, unknown) for name in scenario.campaign.additional_properties}
        _require_known_start(scenario, made.values)
    elif scenario.pool.structural_model is not None:
        pool, known = make_structural_bed(scenario.pool.structural_model)
        values, warnings = known[scenario.campaign.property], ()
        additional = {name: known[name] for name in scenario.campaign.additional_properties}
    elif (mapped := _in_blocks(scenario, progress)) is not None:
        pool, known = mapped
        values, warnings = known[scenario.campaign.property], pool.warnings
        additional = {name: each for name, each in known.items() if name != scenario.campaign.property}
    else:
        pool, table = _from_table(scenario, progress)
        values, warnings, account = table.values_of(pool.candidate_ids), table.warnings, table.account
        warnings = warnings if pool.designs is None else (*warnings, f"{pool.designs.in_words()}.")
        additional = {name: table.values_of(pool.candidate_ids, name) for name in table.additional}
        fidelities = {name: table.values_by(pool.candidate_ids, name) for name in table.fidelities}
        uncertainties = _uncertainties(table, pool, tuple(scenario.campaign.additional_properties))
    require_fitting(scenario.campaign.limits, pool)
    start = start_set(scenario, pool, values)
    if len(start) == len(pool) and not _may_grow(scenario.campaign.policy):
        raise TableError(
            f"All {len(pool)} candidates are in the start set",
            expected="candidates that are left to choose from",
            action=(
                f"add rows with an empty {scenario.campaign.property!r}: the candidates to be measured"
                if _from_a_lab(scenario)
                else "make start.size smaller, or the pool larger"
            ),
        )
    beside = tuple(scenario.campaign.additional_properties)
    _require_known(beside, additional, start)
    _require_believed(scenario.campaign.additional_properties, additional)
    true = _true_effects(scenario, pool, values)
    return World(pool, values, start, warnings, additional, beside, true, account, uncertainties, fidelities)


def _redescribed(scenario: Scenario, pool: Pool) -> Pool:
    """Return a pool that was made on the spot with the features that the settings ask for instead, or beside."""
    beside = scenario.pool.features
    if beside is not None:
        from scenarios.world.crystals.pool import with_features_beside

        measured = (scenario.campaign.property, *scenario.campaign.additional_properties)
        pool = with_features_beside(pool, read_features(beside.path, beside.id, beside.columns, measured, beside))
    if scenario.pool.composition_statistics:
        from agent.pool.statistics import pool_with_statistics

        pool = pool_with_statistics(pool)
    return pool


def _require_known_start(scenario: Scenario, values: Mapping[str, FloatArray]) -> None:
    """Check that a start set is drawn only of what is known."""
    if scenario.start.size and not values:
        raise SettingsError(
            f"start.size = {scenario.start.size}, and nothing is known of crystals that are made on the spot",
            expected="a campaign that begins with nothing (start.size = 0), or a pool that is calculated in advance",
            action="leave start.size out, or set pool.crystals.calculated where the calculator takes milliseconds",
        )


def _uncertainties(table: CandidateTable, pool: Pool, beside: Sequence[str]) -> FloatArray | None:
    """Return how well the values of a table are known, in the order of the pool, shape (n, p); None without any."""
    known = [table.uncertainties_of(pool.candidate_ids, name) for name in (table.columns.property, *beside)]
    told = np.nan_to_num(np.column_stack(known))
    return told if told.any() else None


def _may_grow(policy: str) -> bool:
    """Whether a policy makes candidates of its own; one of the user's own may, and is not run to tell."""
    return policy not in BUILT_IN or grows_pool(policy)


def _true_effects(scenario: Scenario, pool: Pool, values: FloatArray) -> Mapping[str, float]:
    """Return what interventions really do, where the scenario knows it."""
    if pool.designs is not None and np.isfinite(values).all():
        queries, names = effect_queries(pool.designs, len(pool))
        return dict(zip(names, (queries @ values).tolist(), strict=True))
    if pool.interventions is not None and scenario.pool.structural_model is not None:
        effects = StructuralModel(scenario.pool.structural_model).total_effects
        spread = pool.interventions.passive.std(axis=0)
        names = pool.interventions.variables
        true = dict(zip(names, (effects * spread).tolist(), strict=True))
        return {name: effect for name, effect in true.items() if name != names[pool.interventions.target]}
    return {}


def _require_known(beside: Sequence[str], additional: Mapping[str, FloatArray], start: IndexArray) -> None:
    for name in beside:
        lacking = int((~np.isfinite(additional[name][start])).sum())
        if lacking:
            raise TableError(
                f"{name!r} is not known for {lacking} of the {len(start)} candidates of the start set",
                expected="a value of every balanced property for every observation",
                action="leave these rows out of the table, or the property out of campaign.additional_properties",
            )


def _require_believed(beside: Mapping[str, AdditionalPropertySettings], additional: Mapping[str, FloatArray]) -> None:
    """Check that no candidate is bought whose answer the campaign would refuse."""
    for name, settings in beside.items():
        low, high = settings.valid_range
        beyond = (additional[name] < low) | (additional[name] > high)
        if beyond.any():
            raise TableError(
                f"{name!r} is {additional[name][int(np.argmax(beyond))]:g} for one of {int(beyond.sum())} candidates"
                " with such values",
                expected=f"values between {low:g} and {high:g}",
                action=f"leave these rows out, or set campaign.additional_properties.{name}.valid_range wide enough",
            )


def _emt_alloys(scenario: Scenario, name: str, progress: ProgressCall) -> tuple[Pool, FloatArray]:
    if scenario.pool.designs is not None:
        return _alloy_designs(scenario.pool.designs, name, progress)
    from agent.pool import features
    from protocols.structures import symmetry
    from scenarios.world import crystal_prototypes, emt_alloys
    from scenarios.world.calculated import sources_of_calculations
    from scenarios.world.crystals import distortion, search

    modules = (emt_alloys, crystal_prototypes, distortion, search, features, symmetry)
    seed = scenario.pool.seed
    return cached(
        EMT_ALLOYS,
        [*(Path(str(module.__file__)) for module in modules), *sources_of_calculations()],
        {"seed": seed, "property": name},
        lambda: emt_alloys.make_emt_alloys(seed, name, progress),
    )


def _alloy_designs(settings: AlloyDesignsSettings, name: str, progress: ProgressCall) -> tuple[Pool, FloatArray]:
    """Return the closure and the values of one property: kept without its question, which costs nothing to change."""
    from scenarios.world import alloy_designs

    pool, values = cached(
        ALLOY_DESIGNS,
        alloy_designs.sources(),
        {"designs": settings.model_dump(mode="json", exclude={"queried", "reference"}), "property": name},
        lambda: alloy_designs.make_alloy_designs(settings, name, progress),
    )
    return alloy_designs.with_question(pool, settings), values


def _from_table(scenario: Scenario, progress: ProgressCall) -> tuple[Pool, CandidateTable]:
    from agent.pool.tables import pool_from_table

    columns = scenario.pool.columns
    if columns is None:
        raise SettingsError("The pool has no columns", expected="[pool.columns]")
    path = Path(scenario.pool.path or "")
    beside, log = scenario.pool.features, scenario.pool.log
    progress(f"reading {path.name}", 0, 1)
    described = bool(columns.features or columns.factors or beside)
    reader = structure_reader(path.name, progress, describes=not described)
    table = read_table(path, columns, reader, progress)
    pool = pool_from_table(
        table,
        None
        if beside is None
        else read_features(beside.path, candidate_key(columns), beside.columns, columns.measured(), beside),
        None if log is None else read_log(log.path, columns, log),
        described_by(reader),
    )
    if scenario.pool.composition_statistics:
        from agent.pool.statistics import pool_with_statistics

        pool = pool_with_statistics(pool)
    progress(f"reading {path.name}", 1, 1)
    return pool, table


def _in_blocks(scenario: Scenario, progress: ProgressCall) -> tuple[MappedPool, Mapping[str, FloatArray]] | None:
    """Return the pool of a table that is read in blocks, and what is known of it; None where it is read whole."""
    columns, path = scenario.pool.columns, Path(scenario.pool.path or "")
    if columns is None or not is_read_in_blocks(path, columns):
        return None
    for setting, given in (("pool.features", scenario.pool.features), ("pool.log", scenario.pool.log)):
        if given is not None:
            raise TableError(
                f"{path} is read in blocks, and {setting} stands beside it",
                expected="one table that has all features",
                action="write the features into the table",
            )
    table = read_in_blocks(path, columns, progress)
    pool = mapped_pool(table, has_ids=columns.id is not None, progress=progress)
    return pool, {name: table.values(name) for name in columns.measured()}


def _from_a_lab(scenario: Scenario) -> bool:
    """Whether the table tells what is measured from what is not; else it knows all, and plays the lab."""
    pool = scenario.pool
    return pool.source != EMT_ALLOYS and pool.columns is not None and pool.columns.keeps_unmeasured()


def start_set(scenario: Scenario, pool: Pool, values: FloatArray) -> IndexArray:
    """Return the pool indices that the campaign begins with: what a lab's table knows already, else a drawn set.

    Raises:
        SettingsError: When the start set cannot be made as asked.
    """
    start = scenario.start
    if _from_a_lab(scenario):
        if start.size or start.halves:
            raise SettingsError(
                '[start] asks for a drawn start set, and on_missing = "unknown" makes one of the rows with a value',
                expected="one of the two",
                action="leave out start.size and start.halves, or on_missing",
            )
        return np.flatnonzero(np.isfinite(values))  # the rest is to be asked for
    if start.size == 0:
        return np.zeros(0, dtype=np.int64)
    if start.halves:
        return biased_start(
            pool.family_codes,
            pool.families,
            values,
            size=start.size,
            seed=scenario.campaign.seed,
            halves=start.halves,
            threshold=start.threshold,
            minimum_per_family=start.minimum_per_family,
        )
    return random_start(
        pool.family_codes,
        pool.families,
        size=start.size,
        seed=scenario.campaign.seed,
        minimum_per_family=start.minimum_per_family,
    )
