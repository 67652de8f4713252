"""Forecasts beside campaigns that were played on the true values: `python -m tests.benchmarks.reach.forecasts`.

Mean gap [nat], seed 0, four draws, one campaign each:

| table | policy | observations | forecast (band) | what came |
|---|---|---|---|---|
| emt_alloys | gap_gain | 25 | 0.026 (0.000 to 0.057) | 0.035 |
| emt_alloys | gap_gain | 50 | 0.011 (0.000 to 0.023) | 0.015 |
| emt_alloys | gap_gain | 100 | 0.007 (0.000 to 0.014) | 0.008 |
| emt_alloys | random | 25 | 0.376 (0.308 to 0.443) | 0.449 |
| emt_alloys | random | 50 | 0.328 (0.239 to 0.416) | 0.294 |
| emt_alloys | random | 100 | 0.271 (0.088 to 0.454) | 0.188 |
| oqmd8 | gap_gain | 25 | 0.551 (0.430 to 0.671) | 0.675 |
| oqmd8 | gap_gain | 50 | 0.475 (0.314 to 0.636) | 0.563 |
| oqmd8 | gap_gain | 100 | 0.393 (0.300 to 0.486) | 0.498 |
| oqmd8 | random | 25 | 0.829 (0.739 to 0.918) | 0.856 |
| oqmd8 | random | 50 | 0.743 (0.641 to 0.845) | 0.770 |
| oqmd8 | random | 100 | 0.691 (0.499 to 0.883) | 0.783 |
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scenarios.forecast.forecast import PLAYED, forecast_from, settings_of
from scenarios.forecast.ground import ground_of
from scenarios.run.offline import run_offline
from scenarios.world.world import build_world
from tests.benchmarks.published_tables import DATA
from tests.benchmarks.real_tables.tables import MAKERS

BUDGET = 100
SHOWN = (25, 50, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", default="emt_alloys,oqmd8")
    parser.add_argument("--out", type=Path, default=Path("runs/forecasts"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.tables.split(","):
        try:
            scenario = MAKERS[name](DATA, asked.out)
        except FileNotFoundError as error:
            print(f"note: {name} is passed over: {error}", file=sys.stderr)
            continue
        world = build_world(scenario)
        terms = scenario.campaign.model_copy(update={"budget": BUDGET})
        ground = ground_of(world.pool, world.start, world.balanced[world.start], terms)
        told = forecast_from(ground, name, draws=asked.draws, seed=asked.seed)
        for policy in PLAYED:
            settings = settings_of(terms, policy, asked.seed)
            came = run_offline(world.pool, world.balanced, world.start.tolist(), settings)
            course = told.courses[policy]["mean_gap"]
            low, high = course.band(floor=0.0)
            for n in SHOWN:
                band = f"{course.mean[n]:.3f} ({low[n]:.3f} to {high[n]:.3f})"
                print(f"| {name} | {policy} | {n} | {band} | {came.points[n][1].mean_gap:.3f} |", flush=True)


if __name__ == "__main__":
    main()
