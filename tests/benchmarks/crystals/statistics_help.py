"""Whether statistics of composition help the surrogate: the same rows, with and without them, over seeds.

`python -m tests.benchmarks.crystals.statistics_help [--seeds 20] [--rows 150 400]`. The tables lie beside the
repository (`shared/data`). Each seed draws training rows and 500 others to predict; a process with one lengthscale and
one with a lengthscale a feature learn from each set of features. Differences are paired by seed, with the 95 % interval
of Student's t.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from agent.pool.features import composition_features
from agent.pool.statistics import composition_statistics, with_statistics
from agent.surrogate.gaussian_process import fit
from agent.surrogate.hyperparameters import fit_hyperparameters
from protocols.structures.reader import StructureReader
from protocols.structures.reading import ReadStructure, StructureSettings
from scenarios.world.structures import DESCRIBE
from tests.support.structures.crystals_3dsc import FOLDER, known_crystals

FloatArray = NDArray[np.float64]

PREDICTED: Final = 500
"""Rows that are predicted: the error of a mean R² over seeds is then that of the training rows."""

OQMD_ELEMENTS: Final = ("Co", "Ni", "W", "Al", "Cr", "Fe", "Ti", "Cu")


@dataclass(frozen=True, slots=True)
class Bed:
    """A table with several descriptions of its rows.

    Attributes:
        name: Of the table.
        values: Formation energies, shape (n,) [eV/atom].
        features: Name of a set of features -> matrix, shape (n, d).
        pairs: Sets that are compared: without and with.
    """

    name: str
    values: FloatArray
    features: dict[str, FloatArray]
    pairs: tuple[tuple[str, str], ...]


def oqmd8() -> Bed:
    """Binaries of eight metals; all know the volume and the number of atoms, which tell polymorphs apart."""
    frame = pd.read_csv(FOLDER.parent / "oqmd8" / "oqmd8.csv")
    formulas = [
        "".join(f"{symbol}{amount:g}" for symbol, amount in zip(OQMD_ELEMENTS, row, strict=True) if amount)
        for row in frame[list(OQMD_ELEMENTS)].to_numpy()
    ]
    beside = np.column_stack((frame["volume"] / frame["natoms"], frame["natoms"]))
    ours, names = composition_features(formulas)
    return Bed(
        "oqmd8",
        frame["energy"].to_numpy(dtype=np.float64),
        {
            "composition": np.hstack((ours, beside)),
            "composition + statistics": np.hstack((with_statistics(ours, names, formulas)[0], beside)),
            "statistics": np.hstack((composition_statistics(formulas), beside)),
        },
        (("composition", "composition + statistics"), ("composition", "statistics")),
    )


def mp3dsc() -> Bed:
    """Crystals of the Materials Project with a formation energy."""
    crystals = [each for each in known_crystals() if each.row["formation_energy_per_atom"]]
    reader = StructureReader(describe=DESCRIBE)
    read = reader([each.cif for each in crystals], StructureSettings(limit_s=120.0))
    usable = [(a, b) for a, b in zip(crystals, read, strict=True) if isinstance(b, ReadStructure)]
    formulas = [each.formula for _, each in usable]
    geometry = np.array([reader.features[each.crystal] for _, each in usable])
    ours, names = composition_features(formulas)
    made = composition_statistics(formulas)
    return Bed(
        "mp3dsc",
        np.array([float(each.row["formation_energy_per_atom"]) for each, _ in usable]),
        {
            "composition": ours,
            "composition + statistics": with_statistics(ours, names, formulas)[0],
            "structure": geometry,
            "structure + statistics": np.hstack((geometry, made)),
            "statistics": made,
        },
        (
            ("composition", "composition + statistics"),
            ("composition", "statistics"),
            ("structure", "structure + statistics"),
        ),
    )


def predicted(X: FloatArray, y: FloatArray, others: FloatArray, *, ard: bool) -> FloatArray:
    """Learn from rows and predict others, with one lengthscale or with one a feature."""
    if ard:
        scales = fit_hyperparameters(X, y, ard=True, start=None).lengthscales
        X, others = X / scales, others / scales
    return fit(X, y).predict(others)[0]


def scores(bed: Bed, rows: int, seeds: int, *, ard: bool) -> dict[str, FloatArray]:
    """Return R² and mean absolute error [eV/atom] of every set of features and seed, shape (seeds, 2)."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in bed.features}
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(bed.values))
        train, test = order[:rows], order[rows : rows + PREDICTED]
        for name, features in bed.features.items():
            spread = features.std(axis=0)
            X = ((features - features.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))[:, spread > 0.0]
            error = predicted(X[train], bed.values[train], X[test], ard=ard) - bed.values[test]
            found[name].append((1.0 - float((error**2).mean() / bed.values[test].var()), float(np.abs(error).mean())))
    return {name: np.array(each) for name, each in found.items()}


def in_words(bed: Bed, rows: int, seeds: int) -> Iterator[str]:
    """Yield a line for each set of features, and one for each difference."""
    for ard in (False, True):
        found = scores(bed, rows, seeds, ard=ard)
        kernel = "a lengthscale each" if ard else "one lengthscale"
        for name, each in found.items():
            r2, error = each.mean(axis=0)
            yield f"{bed.name} | {rows} | {kernel} | {name} ({bed.features[name].shape[1]}) | {r2:.3f} | {error:.4f}"
        for without, with_them in bed.pairs:
            difference = found[with_them] - found[without]
            half = stats.t.ppf(0.975, seeds - 1) * difference.std(axis=0, ddof=1) / np.sqrt(seeds)
            mean = difference.mean(axis=0)
            told = f"R² {mean[0]:+.3f} ± {half[0]:.3f}, error {1e3 * mean[1]:+.1f} ± {1e3 * half[1]:.1f} meV/atom"
            yield f"{bed.name} | {rows} | {kernel} | {with_them} - {without} | {told}"


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, nargs="+", default=[150, 400])
    parser.add_argument("--tables", nargs="+", default=["oqmd8", "mp3dsc"])
    asked = parser.parse_args()
    for make in (oqmd8, mp3dsc):
        if make.__name__ in asked.tables:
            bed = make()
            for rows in asked.rows:
                for line in in_words(bed, rows, asked.seeds):
                    print(line, flush=True)


if __name__ == "__main__":
    main()
