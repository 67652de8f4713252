"""Keeps a made world between runs: making crystals and their energies takes a quarter of a minute.

What is kept is checked when it is read: its name carries the digest of the code and the versions that made it, and
its content must give the pool digest that was written with it. Anything else is made again; a cache is never trusted.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.acquisition.base import FloatArray
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.designs import Designs, make_designs
from protocols.concurrency.child import ARITHMETIC
from protocols.errors import EntropilotError
from protocols.storage.atomic_file import atomic_write
from protocols.storage.kept import cache_folder
from protocols.wire.structure import CrystalStructure

MADE_WITH: Final = ("numpy", "scipy", "ase", "pymatgen", "pymatgen-core", "spglib")
"""Packages whose version may change a crystal's last bits, or its energy's."""

VALUE: Final = "value"
"""What the only property is called where no other is known."""

Known = tuple[Pool, FloatArray]


@dataclass(frozen=True, slots=True)
class MadePool:
    """A pool that took time to make.

    Attributes:
        pool: The candidates.
        values: Property -> its value of each candidate, in pool order, shape (n,); none where nothing was calculated.
        notes: What a person should know of it.
    """

    pool: Pool
    values: Mapping[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def cached(name: str, sources: Sequence[Path], settings: Mapping[str, object], make: Callable[[], Known]) -> Known:
    """Return what was made before from the same sources, versions and settings, or make and keep it.

    Args:
        name: What it is, for the file's name.
        sources: Files of code that it depends on.
        settings: What else it depends on.
        make: Makes it.
    """

    def whole() -> MadePool:
        pool, values = make()
        return MadePool(pool, {VALUE: values})

    kept = cached_pool(name, sources, settings, whole)
    return kept.pool, kept.values[VALUE]


def cached_pool(
    name: str, sources: Sequence[Path], settings: Mapping[str, object], make: Callable[[], MadePool]
) -> MadePool:
    """Return what was made before, as `cached` does, with all that is known of it."""
    path = cache_folder() / f"{name}-{_key(sources, settings)}.json.gz"
    found = _read(path)
    if found is not None:
        return found
    made = make()
    with contextlib.suppress(OSError, EntropilotError):  # a home that cannot be written costs time, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, made)
    return made


def _key(sources: Sequence[Path], settings: Mapping[str, object]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    digest.update(json.dumps([[package, version(package)] for package in MADE_WITH]).encode())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    # Pinned kernels sum in another order: a pool that was made without them is not the one of a pinned recording.
    digest.update(json.dumps([os.environ.get(pin) for pin in ARITHMETIC]).encode())
    return digest.hexdigest()[:16]


def _read(path: Path) -> MadePool | None:
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        candidates = [
            Candidate(row["id"], row["family"], row["formula"], CrystalStructure.model_validate_json(row["structure"]))
            for row in content["candidates"]
        ]
        pool = make_pool(candidates, np.array(content["features"], dtype=np.float64), content["feature_names"])
        if content.get("designs") is not None:
            pool = replace(pool, designs=_designs_of(content["designs"], [each.formula for each in pool.candidates]))
        values = {name: np.array(each, dtype=np.float64) for name, each in content["values"].items()}
        notes = tuple(str(note) for note in content["notes"])
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError, EntropilotError):
        return None
    complete = all(each.shape == (len(pool),) and np.isfinite(each).all() for each in values.values())
    return MadePool(pool, values, notes) if complete and pool.digest == content.get("pool_digest") else None


def _write(path: Path, made: MadePool) -> None:
    pool = made.pool
    content = {
        "pool_digest": pool.digest,
        "feature_names": pool.feature_names,
        "features": pool.features.tolist(),
        "values": {name: each.tolist() for name, each in made.values.items()},
        "notes": list(made.notes),
        "designs": None if pool.designs is None else _kept(pool.designs),
        "candidates": [
            {
                "id": candidate.candidate_id,
                "family": candidate.family,
                "formula": candidate.formula,
                "structure": candidate.structure.model_dump_json() if candidate.structure is not None else None,
            }
            for candidate in pool.candidates
        ],
    }
    with atomic_write(path) as file:
        file.write(gzip.compress(json.dumps(content).encode(), compresslevel=6, mtime=0))


def _kept(designs: Designs) -> dict[str, object]:
    """Return designs as a table, and what was asked of them."""
    columns = zip(designs.factors, designs.levels, designs.codes.T.tolist(), strict=True)
    return {
        "columns": {factor: [levels[code] for code in codes] for factor, levels, codes in columns},
        "candidate": designs.candidate.tolist(),
        "queried": designs.queried,
        "reference": designs.groups[designs.reference],
    }


def _designs_of(kept: Mapping[str, Any], texts: Sequence[str]) -> Designs:
    return make_designs(kept["columns"], kept["candidate"], texts, queried=kept["queried"], reference=kept["reference"])
