"""What a CIF says of its symmetry: its operations, or the settings of the group that it names instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.cif.groups import (
    group_numbers,
    operations_of_setting,
    settings_of_hall,
    settings_of_number,
    settings_of_symbol,
)
from protocols.structures.cif.operations import IDENTITY, Operations, group_of, operation_of
from protocols.structures.cif.text import Block, Value
from protocols.structures.faults import StructureFault

OPERATIONS: Final = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
"""Items with symmetry operations, the newer name first."""

HALL_SYMBOLS: Final = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
"""Items with the Hall symbol of the group."""

SYMBOLS: Final = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full")
"""Items with the Hermann-Mauguin symbol of the group."""

NUMBERS: Final = ("_space_group_it_number", "_symmetry_int_tables_number")
"""Items with the number of the group in the International Tables."""

MAGNETIC: Final = ("_space_group_symop_magn", "_space_group_magn", "_cell_modulation", "_cell_wave_vector")
"""How the items of magnetic and of modulated structures begin: their operations are others."""


MAX_OPERATIONS: Final = 768
"""Most operations that are read: Fm-3m has 192 in its usual cell, and four times as many in one of four of those."""


NOT_OF_LATTICE: Final = (
    "symmetry operations that the lattice lacks are left out: the others are the group that is named"
)
"""Note of a CIF of pymatgen's whose angles are nearly right ones."""

METRIC_TOLERANCE: Final = 2e-3
"""How much an operation may change lengths and angles of the cell, relatively: edges that differ by 0.1 %."""


@dataclass(frozen=True, slots=True)
class Symmetry:
    """What a CIF says of its symmetry.

    Attributes:
        choices: The operations, once for each setting that the words fit; more than one where they leave it open.
        stated: Whether the CIF says anything; else it is read as P 1.
        line: Line of what was read; 0 where nothing is said.
        words: What was read, for a fault.
        note: What was read otherwise than it stands; then the formula must say that it is right.
    """

    choices: tuple[Operations, ...]
    stated: bool
    line: int
    words: str
    note: str = ""


def symmetry_of(block: Block, cell: NDArray[np.float64]) -> Symmetry:
    """Return the symmetry of a data block.

    Args:
        block: The block.
        cell: Its lattice vectors as rows, shape (3, 3) [Å].

    Raises:
        StructureFault: When operations, symbol, number and cell contradict each other, or the group is unknown.
    """
    if (magnetic := next((name for name in block.lines if name.startswith(MAGNETIC)), None)) is not None:
        raise StructureFault(
            "the structure is magnetic or modulated",
            f"a CIF with the item {magnetic}",
            "a crystal with a space group",
            block.lines[magnetic],
        )
    symmetry = _listed(block, cell) or _named(block) or Symmetry((IDENTITY,), stated=False, line=0, words="no symmetry")
    fitting = tuple(choice for choice in symmetry.choices if _keeps_metric(choice[0], cell))
    if not fitting:
        raise StructureFault(
            "cell and symmetry contradict each other",
            f"a CIF whose cell has not the symmetry of {symmetry.words}",
            "edges and angles of the group's crystal system and setting",
            symmetry.line,
        )
    return replace(symmetry, choices=fitting)


def _listed(block: Block, cell: NDArray[np.float64]) -> Symmetry | None:
    """Return the operations that stand in a block, checked against the group that it names.

    pymatgen's writer names the group within the angle tolerance that it was given, but lists the operations within 5°:
    of those, the ones that the lattice lacks are left out, if what remains is the group that is named.
    """
    name = next((each for each in OPERATIONS if block.items.get(each)), None)
    if name is None:
        return None
    values = block.items[name]
    if len(values) > MAX_OPERATIONS:
        raise _wrong_operations(f"{len(values)} symmetry operations", values[0].line)
    for value in values:
        if operation_of(value.text) is None:
            raise _wrong_operations(f"the symmetry operation {value.text[:30]!r}", value.line)
    texts = tuple(value.text for value in values)
    operations, number = group_of(texts)
    if operations is None:
        raise _wrong_operations("symmetry operations that are no group: some lack", block.lines[name])
    all_said = _numbers_said(block)
    for said, numbers in all_said:
        if number and number not in numbers:
            of_lattice, remaining = group_of(tuple(text for text in texts if _is_of_lattice(text, cell)))
            if of_lattice is not None and all(remaining in each for _, each in all_said):
                line = block.lines[name]
                return Symmetry((of_lattice,), stated=True, line=line, words="its operations", note=NOT_OF_LATTICE)
            raise StructureFault(
                "group and symmetry operations contradict each other",
                f"a CIF of the group {said.text!r} whose operations are those of number {number}",
                "operations of the group that is named, with those of its centring",
                said.line,
            )
    return Symmetry((operations,), stated=True, line=block.lines[name], words="its operations")


def _wrong_operations(what: str, line: int) -> StructureFault:
    return StructureFault(
        "symmetry operations cannot be read",
        f"a CIF with {what}",
        f"all operations of a group, at most {MAX_OPERATIONS}, each as '-x+1/2, y, z' in quotes",
        line,
    )


def _named(block: Block) -> Symmetry | None:
    """Return the settings of the group that a block names without its operations."""
    words = [block.first(*names) for names in (HALL_SYMBOLS, SYMBOLS, NUMBERS)]
    hall, symbol, number = words
    found = [
        settings_of_hall(hall.text) if hall else None,
        settings_of_symbol(symbol.text) if symbol else None,
        settings_of_number(number.text) if number else None,
    ]
    said = [(value, settings) for value, settings in zip(words, found, strict=True) if value and settings is not None]
    if not said:
        return None
    for value, settings in said:
        if not settings:
            raise StructureFault(
                "the group is unknown",
                f"a CIF without symmetry operations whose group {value.text[:40]!r} is unknown",
                "the symmetry operations, or a symbol of the International Tables with its origin or axes (as ':2')",
                value.line,
            )
    common = frozenset.intersection(*(settings for _, settings in said))
    if not common:
        raise StructureFault(
            "symbol and number of the group contradict each other",
            f"a CIF with the groups {' and '.join(repr(value.text) for value, _ in said)}",
            "one group",
            said[0][0].line,
        )
    choices = tuple(operations_of_setting(setting) for setting in sorted(common))
    return Symmetry(choices, stated=True, line=said[0][0].line, words=f"the group {said[0][0].text!r}")


def _numbers_said(block: Block) -> list[tuple[Value, frozenset[int]]]:
    """Return what a block names as its group, with the numbers that it may be; what is unknown is left out."""
    said = []
    if (number := block.first(*NUMBERS)) is not None and settings_of_number(number.text):
        said.append((number, frozenset({int(number.text)})))
    if (symbol := block.first(*SYMBOLS)) is not None and (settings := settings_of_symbol(symbol.text)):
        said.append((symbol, frozenset(group_numbers()[setting] for setting in settings)))
    return said


def _is_of_lattice(text: str, cell: NDArray[np.float64]) -> bool:
    """Whether an operation that can be read is one of the lattice."""
    operation = operation_of(text)
    return operation is not None and _keeps_metric(np.array([operation[0]]), cell)


def _keeps_metric(rotations: NDArray[np.int64], cell: NDArray[np.float64]) -> bool:
    """Whether rotations leave the lengths and angles of a cell as they are: RᵀGR = G of the metric tensor G."""
    metric = cell @ cell.T
    scale = np.sqrt(np.outer(metric.diagonal(), metric.diagonal()))
    turned = np.swapaxes(rotations, 1, 2) @ metric @ rotations
    return bool((np.abs(turned - metric) <= METRIC_TOLERANCE * scale).all())
