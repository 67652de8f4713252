"""The pool of `source = "crystals"`: crystals with their features, perhaps with what a calculator says of them, kept.

What a pool hangs on is in the name that it is kept under: settings, seed, parents, calculators, our code, and versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, make_pool
from protocols.errors import InvariantViolation, SettingsError
from protocols.extras import is_installed
from protocols.settings.suggestions import did_you_mean, listed
from protocols.tables.designs import FeatureTable
from scenarios.display.progress import ProgressCall, late
from scenarios.settings.crystals import CrystalsSettings
from scenarios.settings.model import CRYSTALS, Scenario
from scenarios.world.cache import MadePool, cached_pool
from scenarios.world.calculated import calculate, sources_of_calculations
from scenarios.world.crystals.make import make_crystals, require_possible
from scenarios.world.crystals.parents import Parent, read_parents
from scenarios.world.crystals.search import FEATURE_TOLERANCES
from scenarios.world.crystals.sizes import Calculators
from simulators.crystals.catalogue import CRYSTAL_PROPERTIES
from simulators.settings import ASE, SimulatorSettings

FloatArray = NDArray[np.float64]

DESCRIBING: Final = "describing crystals"
CALCULATING: Final = "calculating crystals"


def crystals_pool(scenario: Scenario, progress: ProgressCall) -> MadePool:
    """Return the pool that a scenario's `[pool.crystals]` makes, and the values that are known of it.

    Args:
        scenario: The settings.
        progress: Called with what is done; shown where it takes longer than two seconds.

    Raises:
        SettingsError: On what is not known or cannot be made.
        TableError: When a parent cannot be read.
    """
    settings = scenario.pool.crystals
    if settings is None:
        raise InvariantViolation("a pool of crystals has [pool.crystals]")
    calculators = Calculators.of(scenario)
    require_possible(settings, calculators)
    shown = late(progress)
    parents = () if settings.substitutions is None else read_parents(settings.substitutions, shown)
    properties = _calculated_properties(scenario) if settings.calculated else ()

    def make() -> MadePool:
        made = make_crystals(settings, scenario.pool.seed, calculators, parents, shown)
        candidates = [Candidate(c.candidate_id, c.family, c.formula, c.structure) for c in made.crystals]
        pool = _described(candidates, shown)
        if not properties:
            return MadePool(pool, {}, made.notes)
        return _with_values(MadePool(pool, {}, made.notes), properties, _instrument(scenario), shown)

    return cached_pool(CRYSTALS, _sources(), _depends_on(settings, scenario, calculators, parents, properties), make)


def with_features_beside(pool: Pool, beside: FeatureTable) -> Pool:
    """Return a pool whose features are those of a table, by candidate id.

    Raises:
        TableError: When a candidate has none.
    """
    return make_pool(pool.candidates, beside.of(pool.candidate_ids), beside.names)


def _described(candidates: list[Candidate], progress: ProgressCall) -> Pool:
    from agent.pool.features import structure_features

    features, names = structure_features(
        [each.structure for each in candidates],
        *FEATURE_TOLERANCES,
        lambda done, total: progress(DESCRIBING, done, total),
    )
    return make_pool(candidates, features, names)


def _calculated_properties(scenario: Scenario) -> tuple[str, ...]:
    """Return what is calculated in advance: the property and those beside it.

    Raises:
        SettingsError: When no calculator of the scenario calculates one of them.
    """
    _instrument(scenario)
    wanted = (scenario.campaign.property, *scenario.campaign.additional_properties)
    for name in wanted:
        if name not in CRYSTAL_PROPERTIES:
            raise SettingsError(
                f"The calculators of ASE have no property {name!r}, and pool.crystals.calculated asks for it",
                expected=f"one of {listed(tuple(CRYSTAL_PROPERTIES))}",
                action=did_you_mean(name, CRYSTAL_PROPERTIES) or "correct campaign.property, or leave calculated out",
            )
    return wanted


def _instrument(scenario: Scenario) -> SimulatorSettings:
    """Return the instrument that calculates the pool in advance: the first that uses ASE."""
    for each in scenario.instruments:
        if each.evaluator == ASE:
            return each
    raise SettingsError(
        "pool.crystals.calculated is set, and no instrument calculates crystals",
        expected=f"simulator.evaluator = {ASE!r}",
        action="name one, or leave pool.crystals.calculated out",
    )


def _with_values(
    made: MadePool, properties: tuple[str, ...], instrument: SimulatorSettings, progress: ProgressCall
) -> MadePool:
    """Return a pool with its values; crystals that the calculator fails on are left out, and told."""
    pool = made.pool
    structures = [each.structure for each in pool.candidates]
    rows: list[list[float] | None] = []
    reasons: list[str] = []
    for answer in calculate(structures, properties, instrument.calculator, instrument.calculator_parameters):
        if isinstance(answer, str):
            reasons.append(answer)
            rows.append(None)
        else:
            known = {each.name: each.value for each in answer}
            rows.append([known[name] for name in properties])
        progress(CALCULATING, len(rows), len(structures))
    kept = [place for place, row in enumerate(rows) if row is not None]
    if not kept:
        raise SettingsError(
            f"The calculator {instrument.calculator!r} fails on all {len(rows)} crystals, the first: {reasons[0]}",
            expected="crystals that it can calculate",
            action="name other elements, prototypes or parameters of the calculator",
        )
    notes = made.notes
    if reasons:
        told = f"{len(reasons)} of {len(rows)} crystals are left out: {instrument.calculator} fails on them"
        notes = (*notes, f"{told} (the first: {reasons[0]}).")
    left = make_pool([pool.candidates[place] for place in kept], pool.features[kept], pool.feature_names)
    values = np.array([rows[place] for place in kept], dtype=np.float64)
    return MadePool(left, dict(zip(properties, values.T, strict=True)), notes)


def _depends_on(
    settings: CrystalsSettings,
    scenario: Scenario,
    calculators: Calculators,
    parents: tuple[Parent, ...],
    properties: tuple[str, ...],
) -> Mapping[str, Any]:
    """Return what a pool hangs on beside code and versions that all pools hang on."""
    told = settings.model_dump(mode="json")
    if told["substitutions"] is not None:  # what stands in the file counts, not where it is
        text = json.dumps([each.crystal.model_dump(mode="json") for each in parents])
        told["substitutions"]["path"] = hashlib.sha256(text.encode()).hexdigest()
    lab = [[each.name, dict(each.provenance)] for each in calculators.choices]
    parameters = [each.calculator_parameters for each in scenario.instruments if each.evaluator == ASE]
    drawn = version("pyxtal") if settings.random is not None and is_installed("pyxtal") else ""
    return {
        "crystals": told,
        "seed": scenario.pool.seed,
        "calculators": [lab, parameters],
        "properties": properties,
        "pyxtal": drawn,
    }


def _sources() -> list[Path]:
    """Return the files of code that such a pool hangs on."""
    from agent.pool import features
    from protocols.structures import identity, neighbours, symmetry
    from scenarios.world import crystal_prototypes

    modules = (features, identity, neighbours, symmetry, crystal_prototypes)
    ours = sorted(Path(__file__).parent.glob("*.py"))
    return [*ours, *(Path(str(each.__file__)) for each in modules), *sources_of_calculations()]
