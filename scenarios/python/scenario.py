"""A scenario for who writes Python: one that comes with Entropilot, a file, or a data frame made into one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from protocols.errors import SettingsError
from scenarios.python.frames import FrameColumns, id_column_of, write_frame
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario as ScenarioSettings
from scenarios.sources.scenario import Overrides, layered_over, load_scenario, runs_folder

TABLES: Final = "tables"
"""Folder below that of the runs with the tables that data frames were written to."""

DIGEST_LENGTH: Final = 12
"""Hexadecimal digits of the digest that names such a table: 48 bits tell the frames of a person apart."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a campaign is run with: pool, start set, campaign, lab.

    `Scenario.load("emt_alloys")` and `Scenario.of_table(frame, …)` make one; wherever one is taken, a name or a path
    does as well.

    Attributes:
        settings: All settings, checked; `settings.campaign.budget`, for example.
    """

    settings: ScenarioSettings

    @classmethod
    def load(
        cls,
        name: str | Path,
        *,
        policy: str | None = None,
        budget: int | None = None,
        seed: int | None = None,
        broker: str | None = None,
        settings: Mapping[str, object] | None = None,
        runs: str | Path | None = None,
    ) -> Self:
        """Load a scenario that comes with Entropilot, a TOML file or a pack.

        Args:
            name: Of the scenario, or its path.
            policy: In place of its own.
            budget: Candidates that may be requested.
            seed: Of the campaign.
            broker: `embedded`, `mosquitto` or a URL.
            settings: Any setting by its dotted name, such as `{"campaign.parallel": 8}`.
            runs: Where run folders are, and packs are unpacked; by default as the environment says, else `runs`.

        Raises:
            SettingsError: With everything that is wrong.
        """
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
        overrides = Overrides(flags, assignments_of(settings))
        folder = folder_of_runs(runs)
        return cls(load_scenario(str(name), overrides, runs=folder).settings)

    @classmethod
    def of_table(
        cls,
        table: pd.DataFrame,
        *,
        property: str,  # noqa: A002 - the field's word
        family: str | Sequence[str],
        unit: str = "",
        id: str | None = None,  # noqa: A002 - the table's word
        features: Sequence[str] | None = None,
        composition: str | None = None,
        smiles: str | None = None,
        structure: str | None = None,
        start: int = 0,
        name: str = "table",
        budget: int | None = None,
        settings: Mapping[str, object] | None = None,
        runs: str | Path | None = None,
    ) -> Self:
        """Make a scenario of a data frame.

        Where every value is known, the table plays the lab: a campaign begins with `start` rows and asks for the
        others. Where values are missing (NaN), those that are known are the start set, and a lab must measure the rest.

        Args:
            table: A row a candidate. It is written to a file below the folder of the runs, named by its content.
            property: Column with the property whose entropy is balanced.
            family: Column with the family, or several.
            unit: Of the property.
            id: Column with the ids; by default the index, or a column `id` where rows are only counted.
            features: Columns of numbers that the policy knows a candidate by; by default all others.
            composition: Column with formulas.
            smiles: Column with SMILES, where the candidates are molecules.
            structure: Column with structures.
            start: Rows that the campaign begins with, drawn at random, where all values are known.
            name: Of the scenario.
            budget: Candidates that may be requested; by default all that may be asked for.
            settings: Any setting by its dotted name.
            runs: As of `load`.

        Raises:
            TableError: When the frame cannot be used.
            SettingsError: With everything else that is wrong.
        """
        ids = id_column_of(table, id)
        columns = FrameColumns(property, family, ids, features, unit, composition, smiles, structure)
        of_pool = columns.of(table)
        known = int(table[property].notna().sum())
        left = len(table) - (start if known == len(table) else known)
        path = folder_of_runs(runs).resolve() / TABLES / f"{name}-{digest_of(table)}.csv"
        write_frame(table, path, columns)
        values: dict[str, Any] = {
            "name": name,
            "pool": {"source": "table", "path": str(path), "columns": of_pool},
            "campaign": {"budget": max(left, 1) if budget is None else budget},
            "start": {"size": start, "minimum_per_family": 0},
        }
        made = scenario_of(values, "the data frame")
        overrides = Overrides({}, assignments_of(settings))
        return cls(layered_over(made, "the data frame", overrides) if settings else made)

    def __repr__(self) -> str:
        campaign = self.settings.campaign
        return f"<Scenario {self.settings.name}: {campaign.property}, {campaign.policy}, budget {campaign.budget:,}>"


def settings_of(
    scenario: str | Path | Scenario,
    *,
    policy: str | None = None,
    budget: int | None = None,
    seed: int | None = None,
    broker: str | None = None,
    settings: Mapping[str, object] | None = None,
    runs: Path | None = None,
) -> ScenarioSettings:
    """Return the settings of whatever names a scenario, with what is said beside it; arguments as of `Scenario.load`.

    Raises:
        SettingsError: With everything that is wrong.
    """
    _require_scenario(scenario)
    if not isinstance(scenario, Scenario):
        loaded = Scenario.load(
            scenario, policy=policy, budget=budget, seed=seed, broker=broker, settings=settings, runs=runs
        )
        return loaded.settings
    flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
    if settings is None and all(value is None for value in flags.values()):
        return scenario.settings
    return layered_over(scenario.settings, "the scenario", Overrides(flags, assignments_of(settings)))


def _require_scenario(scenario: object) -> None:
    """Check that what shall be a scenario is one, or names one.

    Raises:
        SettingsError: When it is something else; of a data frame it says how it becomes one.
    """
    if isinstance(scenario, Scenario | str | Path):
        return
    action = "Scenario.of_table(frame, property=…, family=…) makes one of a data frame"
    raise SettingsError(
        f"The scenario is a {type(scenario).__name__}",
        expected="the name or the path of one, or a Scenario",
        action=action if isinstance(scenario, pd.DataFrame) else "",
    )


def assignments_of(settings: Mapping[str, object] | None) -> tuple[str, ...]:
    """Return settings as the command line says them.

    Raises:
        SettingsError: When a value is none that a setting can have.
    """
    told: list[str] = []
    for name, value in (settings or {}).items():
        if isinstance(value, Mapping):
            told += assignments_of({f"{name}.{key}": inner for key, inner in value.items()})
            continue
        try:
            told.append(f"{name}={json.dumps(value, allow_nan=False)}")
        except (TypeError, ValueError):
            raise SettingsError(
                f"The setting {name} is a {type(value).__name__}",
                expected="a text, a finite number, a truth value, a list or a mapping of these",
                action="name a setting by its dotted name, such as 'campaign.parallel'",
            ) from None
    return tuple(told)


def digest_of(frame: pd.DataFrame) -> str:
    """Return a digest of the content of a frame, its index and its columns."""
    hashed = pd.util.hash_pandas_object(frame.astype(object).where(frame.notna(), None).astype(str), index=True)
    content = hashed.to_numpy().tobytes() + repr(list(frame.columns)).encode()
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]


def folder_of_runs(runs: str | Path | None) -> Path:
    """Return the folder that a caller names for runs, or else the one that the environment says.

    Args:
        runs: Folder; None leaves it to the environment.
    """
    return runs_folder() if runs is None else Path(runs)
