"""Makes `scenarios/library/benzenes_log.csv`: benzenes that somebody else measured, for other reasons than ours.

Three programmes and a rest drew the designs: each prefers certain groups together, at certain positions. The log tells
the first group, the position and the dipole moment; programme and second group are withheld. So the difference of its
means, and any regression of what it shows, is far from the effects: group and partner came together.

python -m tests.support.library_tables.benzenes_log
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from scenarios.settings.library import LIBRARY

LOG: Final = LIBRARY / "benzenes_log.csv"
DESIGNS: Final = LIBRARY / "benzenes_designs.csv"
ROWS: Final = 200
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """Who made molecules, and of what.

    Attributes:
        share: Part of the log that is theirs.
        x: Group → how often it was the first one.
        y: Group → how often it was the second one.
        position: How often ortho, meta and para.
    """

    share: float
    x: dict[str, float]
    y: dict[str, float]
    position: tuple[float, float, float]


PUSH_PULL_DYES: Final = Programme(
    0.4,
    {"NO2": 0.4, "CN": 0.25, "CHO": 0.25, "CF3": 0.1},
    {"NMe2": 0.4, "NH2": 0.3, "OCH3": 0.15, "OH": 0.15},
    (0.1, 0.1, 0.8),
)
FLAVOURS: Final = Programme(
    0.3,
    {"CH3": 0.25, "OCH3": 0.2, "OH": 0.2, "NH2": 0.15, "NMe2": 0.1, "H": 0.1},
    {"H": 0.4, "CH3": 0.3, "OH": 0.3},
    (0.4, 0.1, 0.5),
)
HALOGENATED_SOLVENTS: Final = Programme(
    0.2,
    {"F": 0.3, "Cl": 0.3, "CF3": 0.2, "H": 0.2},
    {"F": 0.3, "Cl": 0.3, "CF3": 0.3, "H": 0.1},
    (0.2, 0.2, 0.6),
)
POSITIONS: Final = ("ortho", "meta", "para")


def rows(number: int = ROWS, seed: int = SEED) -> list[tuple[str, str, float]]:
    """Draw the log: first group, position, dipole moment [D]."""
    with DESIGNS.open(newline="") as file:
        dipole = {(row["x"], row["y"], row["position"]): float(row["dipole"]) for row in csv.DictReader(file)}
    groups = sorted({x for x, _, _ in dipole})
    alike = dict.fromkeys(groups, 1 / len(groups))
    rest = Programme(0.1, alike, alike, (1 / 3, 1 / 3, 1 / 3))
    programmes = (PUSH_PULL_DYES, FLAVOURS, HALOGENATED_SOLVENTS, rest)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(number):
        programme = programmes[rng.choice(len(programmes), p=[each.share for each in programmes])]
        x = _one_of(programme.x, rng)
        y = _one_of(programme.y, rng)
        position = POSITIONS[rng.choice(3, p=programme.position)]
        drawn.append((x, position, dipole[x, y, position]))
    return drawn


def text(drawn: list[tuple[str, str, float]]) -> str:
    """Return the log as the file has it."""
    return "x,position,dipole\n" + "".join(f"{x},{position},{value!r}\n" for x, position, value in drawn)


def _one_of(shares: dict[str, float], rng: np.random.Generator) -> str:
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]


def main(path: Path = LOG) -> None:
    """Write the file."""
    path.write_text(text(rows()))


if __name__ == "__main__":
    main()
