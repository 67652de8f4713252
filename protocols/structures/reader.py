"""Reads many structures: in child processes that use the cores and that none can hold up, and each text only once.

What was read is kept by content between runs (`protocols.storage.kept`). A key is the digest of the text, of all
settings that may change the outcome, of our code and of the versions of the libraries: nothing that is found under it
can be out of date. What took too long is not kept, for it says as much about the machine as about the structure.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.concurrency.child import ARITHMETIC
from protocols.concurrency.children import Unanswered, ask_children, usable_cores
from protocols.errors import InvariantViolation
from protocols.storage.kept import KeptValues, cache_folder
from protocols.structures.child import OUTCOME, command_of, parts_of, question_of
from protocols.structures.reading import Outcome, ReadStructure, StructureSettings, UnreadStructure
from protocols.wire import structure as wire_structure
from protocols.wire.structure import CrystalStructure

FloatArray = NDArray[np.float64]
Keys = tuple[bytes, bytes]
"""Of the outcome and of the features of a text, as they are kept; the second is empty where no features are wanted."""

Progress = Callable[[int, int], None]
"""Called with how many structures are read and how many are to be read; those that were kept do not count."""

READ: Final = "protocols.structures.parse:read_structure"
"""What reads one structure."""

FILE_NAME: Final = "structures.db"
"""What was read of structures, in the user's cache folder."""

MADE_WITH: Final = ("numpy", "pymatgen", "pymatgen-core", "spglib", "ase", "pydantic")
"""Packages whose version may change what is read."""

STRUCTURES_PER_CHILD: Final = 1000
"""Another child is worth its start for so many: a second of imports beside some seven seconds of reading."""

KEPT_AT_ONCE: Final = 500
"""Values (one or two a structure) after which they are kept: a start that is interrupted loses at most so many."""


class StructureReader:
    """Reads structures (`protocols.structures.reading.ReadStructures`), and has the features of those that it read.

    Args:
        describe: Makes features, as `module:function` (`protocols.structures.child.Describe`); empty for none.
        progress: For a progress bar.
        read: Reads one structure, as `module:function`.
        kept: Where what is read is kept.
    """

    def __init__(
        self,
        *,
        describe: str = "",
        progress: Progress = lambda *_: None,
        read: str = READ,
        kept: KeptValues | None = None,
    ) -> None:
        self._describe = describe
        self._progress = progress
        self._read = read
        self._kept = kept or KeptValues(cache_folder() / FILE_NAME)
        self.features: dict[CrystalStructure, FloatArray] = {}
        """Of the crystals that were read, each of shape (d,)."""

    def __call__(self, texts: Sequence[str], settings: StructureSettings) -> list[Outcome]:
        """Read texts, one outcome for each, in their order.

        Raises:
            ChildDied: When no process can be started that reads.
        """
        keys = {text: self._keys(text, settings) for text in dict.fromkeys(texts)}
        outcomes = self._known(keys)
        missing = {text: pair for text, pair in keys.items() if text not in outcomes}
        if missing:
            outcomes |= self._read_in_children(missing, settings)
        return [outcomes[text] for text in texts]

    def _known(self, keys: Mapping[str, Keys]) -> dict[str, Outcome]:
        """Return what was kept, by text."""
        values = self._kept.read([key for pair in keys.values() for key in pair if key])
        found: dict[str, Outcome] = {}
        for text, (of_outcome, of_features) in keys.items():
            if of_outcome in values and (of_features in values or not self._describe):
                try:
                    found[text] = self._outcome(values[of_outcome], values.get(of_features, b""))
                except ValueError:
                    continue  # written by nobody of ours
        return found

    def _read_in_children(self, keys: Mapping[str, Keys], settings: StructureSettings) -> dict[str, Outcome]:
        texts = list(keys)
        outcomes: dict[str, Outcome] = {}
        unkept: dict[bytes, bytes] = {}
        answers = ask_children(
            command_of(settings, self._read, self._describe),
            [question_of(text) for text in texts],
            limit_s=settings.limit_s,
            children=min(usable_cores(), 1 + len(texts) // STRUCTURES_PER_CHILD),
        )
        self._progress(0, len(texts))
        try:
            with closing(answers):
                for done, (place, answer) in enumerate(answers, start=1):
                    text = texts[place]
                    if isinstance(answer, Unanswered):
                        outcomes[text] = _unanswered(answer, settings)
                    else:
                        outcome, row = parts_of(answer)
                        outcomes[text] = self._outcome(outcome, row)
                        of_outcome, of_features = keys[text]
                        unkept |= {of_outcome: outcome, of_features: row} if self._describe else {of_outcome: outcome}
                    if len(unkept) >= KEPT_AT_ONCE:
                        self._kept.write(unkept)
                        unkept = {}
                    self._progress(done, len(texts))
        finally:
            self._kept.write(unkept)
        return outcomes

    def _outcome(self, outcome: bytes, row: bytes) -> Outcome:
        """Return an outcome of JSON, and note the features of its crystal."""
        made = OUTCOME.validate_json(outcome)
        if isinstance(made, ReadStructure) and row:
            self.features[made.crystal] = np.array(json.loads(row), dtype=np.float64)
        return made

    def _keys(self, text: str, settings: StructureSettings) -> Keys:
        first = _digest(_question_digest(settings, self._read), text.encode(errors="surrogatepass"))
        return first, _digest(first, _code_digest(self._describe)) if self._describe else b""


def _unanswered(why: Unanswered, settings: StructureSettings) -> UnreadStructure:
    if why is Unanswered.TOO_LONG:
        return UnreadStructure(
            "it takes longer than structure_limit_s to be read",
            f"a structure that takes more than {settings.limit_s:g} s to be read",
            f"structures that are read within structure_limit_s = {settings.limit_s:g} s of processor time"
            " (a longer one lets it in)",
        )
    return UnreadStructure(
        "the process that reads it ends",
        "a structure that ends the process which reads it",
        "structures that the libraries can read in the memory that there is",
    )


@cache
def _question_digest(settings: StructureSettings, read: str) -> bytes:
    """Return the digest of all but the text: of the limit nothing hangs, as nothing is kept of what goes beyond it."""
    asked = {name: value for name, value in asdict(settings).items() if name != "limit_s"}
    return _digest(json.dumps([asked, _libraries()]).encode(), _code_digest(read))


def _libraries() -> dict[str, str | None]:
    """Return the versions of what reads and computes, and how its arithmetic is pinned: last bits hang on it."""
    found: dict[str, str | None] = {pin: os.environ.get(pin) for pin in ARITHMETIC}
    for package in MADE_WITH:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


@cache
def _code_digest(reference: str) -> bytes:
    """Return the digest of the code that a function stands in: of the whole folder of its module, and of our crystals'.

    The module is found but not imported, for a warm start needs none of the libraries that it loads.
    """
    folders = []
    for module in (reference.partition(":")[0], wire_structure.__name__):
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise InvariantViolation(f"{reference} names no module of ours")
        folders.append(Path(spec.origin).parent)
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return _digest(reference.encode(), *(path.read_bytes() for path in files))


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.digest()
