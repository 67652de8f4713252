"""A table of candidates whose arrays lie in files, in the order of their ids; the agent and the oracle both map it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import EntropilotError
from protocols.storage.atomic_file import atomic_write
from protocols.tables.blocks.kept_folders import KEPT, Hold
from protocols.tables.blocks.mapped_array import MappedArray, mapped
from protocols.tables.blocks.sorted_ids import SortedIds
from protocols.tables.cells import FloatArray

LAYOUT: Final = 1
"""Of the folder; another one is made again."""

IDS, CODES, FEATURES, MEASURED = "ids", "families", "features", "measured"
"""Files of a folder; of several measured properties, one with a number for each."""

ProgressCall = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a folder says of its arrays.

    Attributes:
        rows: n.
        width: Of an id [byte].
        precision: Of the features, as NumPy writes it.
        feature_names: Length d.
        families: The distinct families, sorted.
        measured: Names of the measured properties.
        warnings: What a person should know.
        digests: SHA-256 of each file.
    """

    rows: int
    width: int
    precision: str
    feature_names: tuple[str, ...]
    families: tuple[str, ...]
    measured: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of the array in each file."""
        n = self.rows
        numbers = {f"{MEASURED}-{place}": ("<f8", (n,)) for place in range(len(self.measured))}
        return {
            IDS: (f"|S{self.width}", (n,)),
            CODES: ("<i8", (n,)),
            FEATURES: (self.precision, (n, len(self.feature_names))),
            **numbers,
        }

    @property
    def size_bytes(self) -> int:
        """What all files take."""
        return sum(np.dtype(kind).itemsize * int(np.prod(shape)) for kind, shape in self.arrays.values())

    def write(self, folder: Path) -> None:
        """Write it down, with its own digest."""
        content = {each: getattr(self, each) for each in self.__slots__} | {"layout": LAYOUT}
        content["digests"] = dict(self.digests)
        text = json.dumps(content, sort_keys=True)
        with atomic_write(folder / KEPT) as file:
            file.write(json.dumps({"content": text, "sha256": _sha256(text)}).encode())

    @classmethod
    def read(cls, folder: Path) -> Described | None:
        """Return what a folder says; None where it says nothing that holds."""
        try:
            kept = json.loads((folder / KEPT).read_bytes())
            content: dict[str, Any] = json.loads(kept["content"])
            if _sha256(kept["content"]) != kept["sha256"] or content.pop("layout") != LAYOUT:
                return None
            said: dict[str, Any] = {n: tuple(each) if isinstance(each, list) else each for n, each in content.items()}
            return cls(**said)
        except (OSError, ValueError, KeyError, TypeError):
            return None


class MappedTable:
    """The arrays of a folder, mapped; the folder stays for as long as this lives.

    Args:
        folder: The folder.
        said: What it says of its arrays.

    Attributes:
        described: What it says of its arrays.
        candidate_ids: Ascending, length n.
        family_codes: Index into `described.families`, shape (n,).
        features: Shape (n, d).
    """

    def __init__(self, folder: Path, said: Described) -> None:
        self._hold = Hold(folder)
        self.folder, self.described = folder, said
        arrays = {name: mapped(str(folder / name), kind, shape) for name, (kind, shape) in said.arrays.items()}
        self.candidate_ids = SortedIds(arrays[IDS])
        self.family_codes: NDArray[np.int64] = arrays[CODES]
        self.features: MappedArray = arrays[FEATURES]
        self._measured = {name: arrays[f"{MEASURED}-{place}"] for place, name in enumerate(said.measured)}

    def __len__(self) -> int:
        return self.described.rows

    def values(self, name: str) -> FloatArray:
        """Return a measured property, NaN where it is not known, shape (n,) [its unit]."""
        return self._measured[name]

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """Return a text that follows from the arrays: kept beside them, or made now."""
        path, content = self.folder / f"{name}.json", self.described.digests
        try:
            found = json.loads(path.read_bytes())
            if found["of"] == dict(content):
                return str(found["text"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not there, or torn
        text = make()
        try:
            with atomic_write(path) as file:
                file.write(json.dumps({"of": dict(content), "text": text}).encode())
        except (OSError, EntropilotError):
            pass  # it is made again then
        return text


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; it is read in blocks, and not mapped."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
