"""A log of values from before the campaign, of which some factors may be withheld: another lab's, or an archive's.

Nobody drew its designs at random, so what it shows of a factor may be the doing of whatever went with it. It is kept
apart from the observations, and whoever uses it says how far it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.designs import Designs
from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean

WITHHELD: Final = -1
"""Code of a factor that a row does not tell."""


@dataclass(frozen=True, eq=False)
class EarlierLog:
    """The rows of a log; made by `make_log`, which checks them.

    Attributes:
        codes: Level of each factor of the designs in each row, `WITHHELD` where it is not told, shape (r, f).
        values: Shape (r,) [unit of the property].
    """

    codes: NDArray[np.int64]
    values: NDArray[np.float64]


def make_log(designs: Designs, columns: Mapping[str, Sequence[str | None]], values: Sequence[float]) -> EarlierLog:
    """Check a log against the designs and freeze it.

    Args:
        designs: Of the pool.
        columns: Factor -> its level in each row, None where it is withheld, each of length r; a factor without a
            column is withheld everywhere.
        values: Length r.

    Raises:
        TableError: Where the log names factors or levels that the designs do not have, or holds no number.
    """
    for factor in columns:
        if factor not in designs.factors:
            raise TableError(
                f"The log has a column {factor!r}, which is no factor of the designs",
                expected=f"some of {', '.join(designs.factors)}",
                action=did_you_mean(factor, designs.factors) or "leave this column out",
            )
    known = np.asarray(values, dtype=np.float64)
    codes = np.full((len(known), len(designs.factors)), WITHHELD, dtype=np.int64)
    for position, (factor, levels) in enumerate(zip(designs.factors, designs.levels, strict=True)):
        for row, name in enumerate(columns.get(factor, ())):
            if name is not None:
                codes[row, position] = _code_of(name, levels, factor, row)
    if not np.isfinite(known).all():
        row = int(np.argmin(np.isfinite(known)))
        raise TableError(f"Row {row + 1} of the log has the value {known[row]}", expected="a finite number")
    return EarlierLog(codes, known)


def _code_of(name: str, levels: tuple[str, ...], factor: str, row: int) -> int:
    if name not in levels:
        raise TableError(
            f"Row {row + 1} of the log has {factor} = {name!r}",
            expected=f"one of {', '.join(levels)}",
            action=did_you_mean(name, levels) or "drop this row, or add the level to the designs",
        )
    return levels.index(name)
