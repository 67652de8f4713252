"""A whole ET-AL campaign on OQMD-8, side by side: written down straightforwardly, in reference mode, and the default.

    python -m tests.benchmarks.etal_campaign [--steps 300] [--naive-steps 20 | --naive-whole] [--data ../shared/data]

All three through the same core from the same start, one BLAS thread, in one run, one after the other. The
straightforward one (`tests.support.references.published_etal`: candidates in a loop, 1,000 draws each, a fresh fit of
scikit-learn's at every step) takes minutes, so only its first steps are played unless asked otherwise. Its campaign is
then extrapolated: its time for each candidate that it scored, times the candidates that `etal_reference` scored in a
whole campaign, as the first families are small ones. It stays too low, for samples grow as well. Processor seconds
count, as the clock also counts what else the machine does; a busy machine makes them longer too, and not evenly.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.published_tables import DATA, oqmd8
from tests.benchmarks.timed_campaign import TimedCampaign, mean_entropy, play

STRAIGHTFORWARD = "tests.support.references.published_etal:Straightforward"


def row(name: str, campaign: TimedCampaign, steps: int, straightforward_s: float) -> str:
    """Return a row of the table: cost a step, cost of so many steps, and how many times less than the first."""
    cpu, wall = campaign.cpu_s / campaign.steps, campaign.wall_s / campaign.steps
    extrapolated = name == "straightforward" and campaign.steps < steps
    mark, whole = ("*", straightforward_s) if extrapolated else ("", campaign.cpu_s)
    return (
        f"{name:18s}{campaign.steps:7d}{1e3 * cpu:12.1f}{1e3 * wall:12.1f}{f'{whole:.1f}{mark}':>12s}"
        f"{straightforward_s / whole:9.0f}"
    )


def reached(name: str, campaign: TimedCampaign, steps: tuple[int, ...]) -> str:
    """Return a row of the other table: range and mean of the entropies after so many steps."""
    cells = ""
    for step in steps:
        point = campaign.at(step)
        told = "–" if point is None else f"{point.entropy_range:.3f} / {mean_entropy(point):.3f}"
        cells += f"{told:>20s}"
    return f"{name:18s}{cells}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A whole ET-AL campaign on OQMD-8, three ways")
    parser.add_argument("--steps", type=int, default=300, help="acquisitions of a campaign")
    parser.add_argument("--naive-steps", type=int, default=20, help="of the straightforward one")
    parser.add_argument("--naive-whole", action="store_true", help="play the straightforward one to its end as well")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    asked = parser.parse_args()
    world = oqmd8(asked.data)
    naive_steps = asked.steps if asked.naive_whole else min(asked.naive_steps, asked.steps)
    campaigns = {
        "straightforward": play(world, STRAIGHTFORWARD, naive_steps),
        "etal_reference": play(world, "etal_reference", asked.steps),
        "etal": play(world, "etal", asked.steps),
    }
    straightforward, reference = campaigns["straightforward"], campaigns["etal_reference"]
    whole_s = straightforward.cpu_s
    if naive_steps < asked.steps:
        whole_s *= reference.scored / straightforward.scored
    print(f"{world.title}; {asked.steps} acquisitions, one BLAS thread")
    print(f"{'':18s}{'steps':>7s}{'CPU ms/step':>12s}{'wall ms':>12s}{'CPU s whole':>12s}{'ratio':>9s}")
    for name, campaign in campaigns.items():
        print(row(name, campaign, asked.steps, whole_s))
    if naive_steps < asked.steps:
        print(
            f"* extrapolated, not measured: from {straightforward.scored} candidates scored in {naive_steps} steps to "
            f"{reference.scored}; --naive-whole measures it"
        )
    steps = tuple(sorted({0, min(naive_steps, asked.steps), asked.steps}))
    print(f"\nrange / mean of the entropies [nat] after\n{'':18s}" + "".join(f"{step:>14d} steps" for step in steps))
    for name, campaign in campaigns.items():
        print(reached(name, campaign, steps))
    for name, campaign in campaigns.items():
        if campaign.end:
            print(f"{name} ended after {campaign.steps} steps: {campaign.end}")


if __name__ == "__main__":
    main()
