"""The two tables of the ET-AL paper, split as the paper splits them: start set, candidates, and a test set left out.

They lie beside the repository, in `../shared/data`; whoever asks for one that is not there is told so.

Reference: H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen, Appl. Phys. Rev. 10, 021403 (2023).
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool, make_pool

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
"""Where they are, unless told otherwise."""

ELEMENTS: Final = ("Co", "Ni", "W", "Al", "Cr", "Fe", "Ti", "Cu")
UNLABELLED, TEST = 2_000, 500
"""Rows of OQMD-8 that are candidates, and rows that are left out for the test of models; 453 are left to start from."""

SEED: Final = 42
"""The paper's."""


@dataclass(frozen=True)
class PublishedWorld:
    """A table, split.

    Attributes:
        title: What it is, in words.
        pool: Start set and candidates.
        values: Formation energy of each [eV/atom], in pool order.
        start: Pool indices of the start set.
    """

    title: str
    pool: Pool
    values: NDArray[np.float64]
    start: list[int]


def require(path: Path) -> None:
    """End the program, and say why, when a table is not there."""
    if not path.exists():
        sys.exit(
            f"error: {path.resolve()} is not there. This measures on the paper's tables, which lie beside the "
            "repository in ../shared/data. What to do: put them there, or name another folder by --data"
        )


def oqmd8(data: Path = DATA, seed: int = SEED) -> PublishedWorld:
    """Split OQMD-8 as the paper does: what is unstable and tetragonal or trigonal, or stable and orthorhombic, is not
    in the start set; else chance decides. Features (fractions, volume, atoms, centring) are brought to one scale.
    """  # noqa: D205 - the rule is one sentence
    path = data / "oqmd8" / "oqmd8.csv"
    require(path)
    rows = list(_rows(path))
    energy = np.array([float(row["energy"]) for row in rows])
    family = np.array([row["crystal_system"] for row in rows])
    order = np.random.default_rng(seed).permutation(len(rows))
    left = order[TEST:]
    withheld = (np.isin(family, ["tetragonal", "trigonal"]) & (energy > 0)) | (
        (family == "orthorhombic") & (energy < 0)
    )
    forced, free = left[withheld[left]], left[~withheld[left]]
    candidates = np.concatenate((forced, free[: UNLABELLED - len(forced)]))
    start = np.setdiff1d(left, candidates)
    title = f"OQMD-8 ({len(start)} rows to start from, {len(candidates)} candidates, {TEST} left out)"
    return _world(title, _oqmd8_features(rows), family, energy, (start, candidates))


def jcfid(data: Path = DATA) -> PublishedWorld:
    """Take J-CFID with its published split and embeddings, and the chemical category as the family.

    Not the paper's families: the crystal system of most rows is not known here, the category is (10,505 rows).
    """
    folder = data / "jcfid"
    require(folder)
    kept = [row for row in _rows(folder / "rows.csv.gz") if row["category"] and row["formation_energy_peratom"]]
    kept = [row for row in kept if row["split"] != "test"]
    embedding = {
        row["etal_index"]: [float(row[f"e{k}"]) for k in range(32)] for row in _rows(folder / "cgcnn_embeddings.csv.gz")
    }
    features = np.array([embedding[row["etal_index"]] for row in kept])
    is_start = np.array([row["split"] == "labeled" for row in kept])
    start, candidates = np.flatnonzero(is_start), np.flatnonzero(~is_start)
    energy = np.array([float(row["formation_energy_peratom"]) for row in kept])
    title = f"J-CFID by chemical category ({len(start)} rows to start from, {len(candidates)} candidates)"
    return _world(title, features, np.array([row["category"] for row in kept]), energy, (start, candidates))


def published_evolution(data: Path = DATA) -> list[dict[str, float]]:
    """Read the published entropy of every crystal system at steps 0 to 954."""
    folder = data / "jcfid"
    require(folder)
    rows = list(_rows(folder / "info_entropy_evolution.csv"))
    return [{name: float(h) for name, h in row.items() if name} for row in rows if int(row[""]) >= 0]


def _world(
    title: str,
    features: NDArray[np.float64],
    family: NDArray[np.str_],
    energy: NDArray[np.float64],
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> PublishedWorld:
    start, used = split[0], np.sort(np.concatenate(split))
    members = [Candidate(f"r{row:05d}", str(family[row])) for row in used]
    pool = make_pool(members, features[used], [f"x{k}" for k in range(features.shape[1])])
    return PublishedWorld(title, pool, energy[used], np.searchsorted(used, np.sort(start)).tolist())


def _oqmd8_features(rows: list[dict[str, str]]) -> NDArray[np.float64]:
    counts = np.array([[float(row[element]) for element in ELEMENTS] for row in rows])
    atoms, volume = (np.array([float(row[name]) for row in rows]) for name in ("natoms", "volume"))
    centring = np.array([[row["crystal_structure"] == message for message in "ACFIPR"] for row in rows], dtype=float)
    fractions = counts / counts.sum(axis=1, keepdims=True)
    features = np.column_stack((fractions, volume / atoms, np.log(volume), atoms, centring))
    return (features - features.mean(axis=0)) / features.std(axis=0)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open("rb") as raw, io.TextIOWrapper(gzip.open(raw) if path.suffix == ".gz" else raw, "utf-8") as file:
        yield from csv.DictReader(file)
