"""Closures of designs to test with: a small one that is made up, and the benzenes of ../shared where they are.

The made-up closure is two exchangeable sites and a place, like a ring with two substituents, with lengths of vector
sums as its property and a label-free estimate that is off; nothing in it has the benzenes' names.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, FloatArray, Policy, PoolArrays
from agent.campaign.proposals import decision_seed
from agent.pool.designs import make_designs

BENZENES = Path(__file__).parents[4] / "shared" / "data" / "benzenes"
"""Two substituents on a ring: `table.csv` has a row a design, `features.csv` one a molecule."""

ALONG = {"-": 0.0, "k": 1.9, "m": 2.4, "p": -1.2, "q": 4.1, "s": 0.6}
"""Group -> component along its site of the made-up closure; "-" is nothing."""

ACROSS = {"-": 0.0, "k": 0.1, "m": 0.0, "p": 0.5, "q": 0.2, "s": 1.1}
COSINES = {"near": 0.1, "far": -0.6, "opposite": -1.0}


@dataclass(frozen=True)
class Bed:
    """A closure with its truth.

    Attributes:
        pool: Designs and label-free features.
        truth: The property of every candidate, shape (n,).
    """

    pool: PoolArrays
    truth: FloatArray


def rows_of(groups: Sequence[str] = tuple(ALONG), places: Sequence[str] = tuple(COSINES)) -> list[tuple[str, str, str]]:
    """Every design of the made-up closure."""
    return [(x, y, place) for x in groups for y in groups for place in places]


def text_of(x: str, y: str, place: str) -> str:
    """Formula of what a design makes: the order of the sites does not matter, nor the place with fewer than two."""
    added = sorted(group for group in (x, y) if group != "-")
    return "ring" + "".join(f"({group})" for group in added) + (place if len(added) == 2 else "")


def made_up_bed(
    rows: Sequence[tuple[str, str, str]] | None = None,
    *,
    rename: dict[str, str] | None = None,
    seed: int = 0,
    reference: str = "",
) -> Bed:
    """Make the closure of some designs, all by default.

    Args:
        rows: The designs.
        rename: Group -> its name in the table; the candidates stay what they are.
        seed: Of the truth's irregular part, and of the estimate's error.
        reference: As of `make_designs`.
    """
    designs = list(rows_of() if rows is None else rows)
    texts = sorted({text_of(*row) for row in designs})
    named = rename or {}
    made = make_designs(
        {
            "x": [named.get(x, x) for x, _, _ in designs],
            "y": [named.get(y, y) for _, y, _ in designs],
            "place": [place for _, _, place in designs],
        },
        [texts.index(text_of(*row)) for row in designs],
        texts,
        queried="x",
        reference=named.get(reference, reference),
    )
    by_text = {text_of(*row): row for row in designs}
    rng = np.random.default_rng(seed)
    truth = np.array([_length(*by_text[text]) for text in texts]) + 0.2 * rng.normal(size=len(texts))
    truth = np.abs(truth)
    estimate = np.abs(1.1 * truth + 0.5 * rng.normal(size=len(texts)))
    estimate[texts.index("ring")] = 0.0
    features = np.column_stack((estimate, rng.normal(size=len(texts))))
    ids = tuple(f"c{number:03d}" for number in range(len(texts)))
    codes = np.zeros(len(texts), dtype=np.int64)
    return Bed(PoolArrays(ids, features, codes, ("all",), ("guess", "noise"), made), truth)


def benzenes(truth: str = "dipole", groups: Sequence[str] | None = None, reference: str = "") -> Bed:
    """Read the bed of ../shared, whole or of some groups; a test that asks for it is skipped where it is not there.

    Args:
        truth: Column of the property.
        groups: Groups that are kept.
        reference: As of `make_designs`.
    """
    if not (BENZENES / "table.csv").exists():
        pytest.skip(f"{BENZENES} is not there: it lies beside the repository")
    rows = _read(BENZENES / "table.csv")
    if groups is not None:
        rows = [row for row in rows if row["x"] in groups and row["y"] in groups]
    by_molecule = {row["smiles"]: row for row in _read(BENZENES / "features.csv")}
    molecules = sorted({row["smiles"] for row in rows})
    place_of = {smiles: index for index, smiles in enumerate(molecules)}
    names = ("e_mmff", "mu_mmff", "mu_gast")
    designs = make_designs(
        {factor: [row[factor] for row in rows] for factor in ("x", "y", "position")},
        [place_of[row["smiles"]] for row in rows],
        molecules,
        queried="x",
        reference=reference,
    )
    values = {row["smiles"]: float(row[truth]) for row in rows}
    features = np.array([[float(by_molecule[smiles][name]) for name in names] for smiles in molecules])
    codes = np.zeros(len(molecules), dtype=np.int64)
    pool = PoolArrays(tuple(molecules), features, codes, ("all",), names, designs)
    return Bed(pool, np.array([values[smiles] for smiles in molecules]))


def context_of(
    bed: Bed, acquired: Sequence[int] = (), pending: Sequence[int] = (), **changes: Any
) -> AcquisitionContext:
    """What a policy sees after these acquisitions, with these in flight."""
    order = np.array(acquired, dtype=np.int64)
    observed = np.sort(order)
    in_flight = np.sort(np.array(pending, dtype=np.int64))
    taken = np.concatenate((observed, in_flight))
    decision = changes.pop("decision", len(taken))
    context = AcquisitionContext(
        pool=bed.pool,
        observed=observed,
        values=bed.truth[observed],
        acquired=order,
        pending=in_flight,
        available=np.setdiff1d(np.arange(len(bed.truth)), taken),
        decision=decision,
        seed=decision_seed(changes.pop("campaign_seed", 0), decision),
    )
    return replace(context, **changes)


def play(bed: Bed, policy: Policy, labels: int, campaign_seed: int = 0, batch: int = 1) -> list[int]:
    """Let a policy choose so many candidates; each is measured before the next decision."""
    acquired: list[int] = []
    while len(acquired) < labels:
        context = context_of(bed, acquired, campaign_seed=campaign_seed)
        proposal = policy.propose(context, min(batch, labels - len(acquired)))
        if not proposal.choices:
            break
        acquired += [choice.index for choice in proposal.choices]
    return acquired


def _length(x: str, y: str, place: str) -> float:
    a, b = ALONG[x], ALONG[y]
    return float(np.sqrt(a**2 + b**2 + 2 * a * b * COSINES[place] + ACROSS[x] ** 2 + ACROSS[y] ** 2))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))
