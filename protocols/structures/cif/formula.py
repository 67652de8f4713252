"""What a CIF says that its cell holds, compared with the atoms that were made of its sites."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protocols.structures.cif.text import Block, Value, number_of
from protocols.structures.faults import StructureFault
from protocols.structures.sites import ISOTOPES, KNOWN

FORMULA: Final = "_chemical_formula_sum"
"""Item with the amounts of all elements."""

UNITS: Final = "_cell_formula_units_z"
"""Item with the number of formula units in the cell."""

AMOUNT_TOLERANCE: Final = 0.01
"""How far an amount may be from one that the formula states with decimals, relatively: `Al0.67 O`."""

NOT_COMPARED: Final = "the formula sum of the CIF cannot be read, so that the cell was not compared with it"
"""Note of a CIF whose formula is no help."""

_AMOUNT: Final = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")


@dataclass(frozen=True, slots=True)
class FormulaSum:
    """The formula sum of a CIF.

    Attributes:
        value: As it stands.
        amounts: Element -> amount; None where it cannot be read.
    """

    value: Value
    amounts: Mapping[str, float] | None


def formula_sum(block: Block) -> FormulaSum | None:
    """Return the formula sum of a block, or None where there is none.

    Raises:
        StructureFault: When it names an isotope.
    """
    value = block.first(FORMULA)
    if value is None:
        return None
    text = re.sub(r"[\s,'\"()]+", " ", value.text).strip()
    amounts: dict[str, float] = {}
    for word in text.split():
        at = 0
        while at < len(word):
            match = _AMOUNT.match(word, at)
            if match is not None and match[1] in ISOTOPES:
                raise StructureFault(
                    "holds heavy hydrogen",
                    f"a CIF with the isotope {match[1]} in its formula {text[:40]!r}",
                    "H, if a calculation of hydrogen is meant: isotopes are not told apart",
                    value.line,
                )
            if match is None or match[1] not in KNOWN:
                return FormulaSum(value, None)
            amounts[match[1]] = amounts.get(match[1], 0.0) + float(match[2] or 1.0)
            at = match.end()
    return FormulaSum(value, {symbol: amount for symbol, amount in amounts.items() if amount > 0.0} or None)


def check_formula(block: Block, value: Value, amounts: Mapping[str, float], symbols: Sequence[str]) -> None:
    """Check that the atoms of a cell are a whole number of formulas, and as many as the CIF says.

    The standard has the formula unit here, and Z beside it. Writers that give the amounts of the whole cell, with the Z
    by which they can be divided (pymatgen does), are understood too.

    Args:
        block: The data block.
        value: Its formula sum.
        amounts: What that says: element -> amount.
        symbols: The atoms of the cell.

    Raises:
        StructureFault: When it is otherwise.
    """
    held = Counter(symbols)
    said = f"the formula sum is {value.text.strip()[:60]!r}"
    if lacking := sorted(amounts.keys() - held.keys()):
        raise StructureFault(
            "elements of the formula have no site",
            f"a CIF without a site of {', '.join(lacking)}, though {said}",
            "a site of each element of the formula (hydrogens included)",
            value.line,
        )
    if surplus := sorted(held.keys() - amounts.keys()):
        raise StructureFault(
            "sites of elements that the formula lacks",
            f"a CIF with sites of {', '.join(surplus)}, though {said}",
            "a formula sum that names all elements",
            value.line,
        )
    cell = " ".join(f"{symbol}{held[symbol]}" for symbol in amounts)
    is_whole = all(amount == round(amount) for amount in amounts.values())
    tolerance = 1e-9 if is_whole else AMOUNT_TOLERANCE
    units = sum(held.values()) / sum(amounts.values())
    even = all(abs(held[symbol] - units * amount) <= tolerance * held[symbol] for symbol, amount in amounts.items())
    nearest = max(1, round(units))
    if not even or abs(units - nearest) > tolerance * nearest:
        raise StructureFault(
            "the cell does not hold the formula",
            f"a CIF whose sites and symmetry make {cell} in the cell, though {said}",
            "a whole number of formulas in the cell: all symmetry operations, and all sites",
            value.line,
        )
    z = block.first(UNITS)
    stated = 0.0 if z is None else number_of(z, UNITS)
    if z is None or stated == 0.0:  # pymatgen's Z of one atom of an element whose molecules have two
        return
    if stated != nearest and not (nearest == 1 and _may_be_units(stated, amounts)):
        raise StructureFault(
            "Z contradicts the cell",
            f"a CIF whose sites and symmetry make {cell} in the cell, though {said} and Z is {z.text.strip()[:20]!r}",
            "as many atoms as formula times Z",
            z.line,
        )


def _may_be_units(z: float, amounts: Mapping[str, float]) -> bool:
    """Whether amounts can be those of a cell of Z formulas; of an element, also of Z molecules of two atoms."""
    is_of_pairs = len(amounts) == 1 and z == sum(amounts.values()) // 2
    return is_of_pairs or all(amount % z == 0.0 for amount in amounts.values())
