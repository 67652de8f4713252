"""The same table under another start, with noise, or with other numbers in flight.

| setting | meaning |
|---|---|
| start | biased: the start set lacks a half of some families, as published; random: drawn from the whole table |
| noise | deviation of what is added to every value [deviation of the property]; one draw a row, whoever asks for it |
| parallel | requests in flight |

With noise everybody sees noisy values: the start set, the policies, the models, and the rows that models are scored on,
which lowers R² of every policy by about the square of the noise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scenarios.settings.model import Scenario, StartSettings
from scenarios.world.world import build_world

NOISE_SEED = 0x401
"""Of the noise: the same table is the same for every policy and seed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to play a table."""

    start: str
    noise: float
    parallel: int

    @property
    def folder(self) -> str:
        """Where its results are, below the table's: "biased-noise0-parallel4"."""
        return f"{self.start}-noise{self.noise:g}-parallel{self.parallel}"

    @property
    def words(self) -> str:
        """For a heading."""
        noise = f"noise of {self.noise:g} deviations" if self.noise else "no noise"
        return f"{self.start} start, {noise}, {self.parallel} in flight"

    def about(self, table: str, rows: int, budget: int) -> dict[str, object]:
        """What a result is of."""
        return {"table": table, "rows": rows, "budget": budget, **asdict(self)}


def played_so(scenario: Scenario, setting: Setting, out: Path, budget: int | None) -> Scenario:
    """Return a scenario under a setting; a table with noise is written to `out`."""
    changes = {"parallel": setting.parallel} | ({} if budget is None else {"budget": budget})
    campaign = scenario.campaign.with_code(scenario.campaign.code).model_copy(update=changes)
    scenario = scenario.model_copy(update={"campaign": campaign})
    if setting.start == "random":
        start = StartSettings(size=scenario.start.size, minimum_per_family=scenario.start.minimum_per_family)
        scenario = scenario.model_copy(update={"start": start})
    return _with_noise(scenario, setting.noise, out) if setting.noise else scenario


def _with_noise(scenario: Scenario, noise: float, out: Path) -> Scenario:
    world = build_world(scenario)
    names = [f"x{column:03d}" for column in range(world.pool.features.shape[1])]
    frame = pd.DataFrame(world.pool.features, columns=names)
    frame.insert(0, "id", world.pool.candidate_ids)
    frame.insert(1, "family", [each.family for each in world.pool.candidates])
    drawn = np.random.default_rng(NOISE_SEED).normal(size=len(world.values))
    frame[scenario.campaign.property] = world.values + noise * np.nanstd(world.values) * drawn
    for name, values in world.additional.items():
        frame[name] = values
    path = out / f"{scenario.name}-noise{noise:g}.csv"
    frame.to_csv(path, index=False)
    columns = scenario.pool.columns
    units = {} if columns is None else dict(columns.additional_properties)
    pool = type(scenario.pool).model_validate(
        {
            "source": "table",
            "path": str(path),
            "columns": {
                "id": "id",
                "family": "family",
                "property": scenario.campaign.property,
                "unit": scenario.campaign.unit,
                "features": names,
                "additional_properties": units,
                "on_no_entropy": "warn",
            },
        }
    )
    return scenario.model_copy(update={"pool": pool})
