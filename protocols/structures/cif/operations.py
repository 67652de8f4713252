"""Symmetry operations as they are written, `-x+1/2, y, z`, and the group that they make."""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_LISTS_KEPT: Final = 1024
"""Lists of operations whose group is kept: there are 530 settings, and ways to write them; 30 kB each at most."""

TRANSLATION_PARTS: Final = 24
"""All translations of the 530 settings are multiples of a twenty-fourth."""

TRANSLATION_TOLERANCE: Final = 1e-3
"""How far from such a multiple a translation may be written: `0.333`."""

MAX_ENTRY: Final = 2
"""Largest entry of a rotation: those of the 530 settings have at most 1, those of other primitive cells 2."""

CLOSED_PARTS: Final = 720
"""Parts of a lattice vector to which translations are compared: those of unusual cells are fifths or sixteenths."""

_TERM: Final = re.compile(r"([+-]?)(?:(\d+)/(\d+)|(\d*\.\d+|\d+\.?))?\*?([xyz])?")

Operations = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Rotations, shape (m, 3, 3), and translations, shape (m, 3), of fractional coordinates; the identity first."""

IDENTITY: Final[Operations] = (np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))
"""The operations of P 1."""


def ask_spglib(name: str, *arguments: Any) -> Any:
    """Return what a function of spglib answers; it announces changes of its interface at every call."""
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(spglib, name)(*arguments)


@functools.lru_cache(maxsize=MAX_LISTS_KEPT)
def group_of(texts: tuple[str, ...]) -> tuple[Operations | None, int]:
    """Return the operations of texts that can be read, and the number of their group; None where they are none."""
    read = [each for each in map(operation_of, texts) if each is not None]
    unique = list(dict.fromkeys((rotation, tuple(shift % 1.0 for shift in shifts)) for rotation, shifts in read))
    rotations = np.array([rotation for rotation, _ in unique], dtype=np.int64)
    translations = np.array([translation for _, translation in unique])
    if not _is_closed(rotations, translations):
        return None, 0
    kind = ask_spglib("get_spacegroup_type_from_symmetry", rotations, translations)
    first = int(np.argmax((rotations == np.eye(3)).all(axis=(1, 2)) & (translations == 0.0).all(axis=1)))
    order = np.r_[first, np.delete(np.arange(len(rotations)), first)]
    return (rotations[order], translations[order]), 0 if kind is None else int(kind.number)


@functools.lru_cache(maxsize=MAX_LISTS_KEPT * 4)
def operation_of(text: str) -> tuple[tuple[tuple[int, ...], ...], tuple[float, ...]] | None:
    """Return rotation and translation of an operation as `-x+1/2, y, z`, or None where it is none."""
    parts = re.sub(r"\s+", "", text).lower().split(",")
    rows, shifts = [], []
    for part in parts:
        row, shift, at = [0, 0, 0], 0.0, 0
        while at < len(part):
            match = _TERM.match(part, at)
            if match is None or match.end() == at or (at and not match[1]) or not any(match.groups()[1:]):
                return None
            sign = -1 if match[1] == "-" else 1
            if match[2] and int(match[3]) == 0:
                return None
            amount = int(match[2]) / int(match[3]) if match[2] else float(match[4]) if match[4] else 1.0
            if match[5]:
                if amount != int(amount):
                    return None
                row["xyz".index(match[5])] += sign * int(amount)
            else:
                shift += sign * amount
            at = match.end()
        rows.append(tuple(row))
        nearest = round(shift * TRANSLATION_PARTS) / TRANSLATION_PARTS
        shifts.append(nearest if abs(shift - nearest) <= TRANSLATION_TOLERANCE else shift)
    if len(rows) != len("xyz") or abs(round(np.linalg.det(rows))) != 1:
        return None
    return tuple(rows), tuple(shifts)


def _is_closed(rotations: NDArray[np.int64], translations: NDArray[np.float64]) -> bool:
    """Whether the products of operations are among them, which makes a finite set a group."""
    most = MAX_ENTRY + 1  # stands for all entries that no member has

    def keys(turns: NDArray[np.int64], shifts: NDArray[np.float64]) -> NDArray[np.int64]:
        parts = np.rint(shifts * CLOSED_PARTS).astype(np.int64) % CLOSED_PARTS
        entries = np.clip(turns.reshape(*turns.shape[:-2], 9), -most, most) + most
        digits = entries @ (2 * most + 1) ** np.arange(9, dtype=np.int64)
        return np.asarray(digits * CLOSED_PARTS**3 + parts @ CLOSED_PARTS ** np.arange(3, dtype=np.int64))

    if np.abs(rotations).max() > MAX_ENTRY:
        return False
    products = np.einsum("aij,bjk->abik", rotations, rotations)
    shifts = np.einsum("aij,bj->abi", rotations, translations) + translations[:, None, :]
    return bool(np.isin(keys(products, shifts), keys(rotations, translations)).all())
