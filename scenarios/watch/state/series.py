"""A trajectory as bytes: a header, then columns of 32-bit floats. One format for the page and the saved page.

| bytes | what |
|---|---|
| 4 | length of the header [byte], unsigned, little end first |
| so many | the header: JSON in UTF-8, filled with spaces to a multiple of 4 |
| 4 n each | the columns in the header's order, n floats each, little end first; NaN where a figure is not defined |

Numbers above 2²⁴ lose their last digit as a 32-bit float: observations and rows stay below that.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scenarios.watch.state.points import Column

ALIGNMENT: Final = 4
"""The columns begin at a multiple of it [byte], so that a reader need not copy them."""


@dataclass(frozen=True, slots=True)
class Series:
    """A part of a trajectory.

    Attributes:
        first: Number of the first observation.
        last: Number of the last.
        total: How many observations the whole trajectory has.
        columns: What the columns hold.
        values: Shape (rows, columns).
        reduced: Whether a row stands for several observations.
    """

    first: int
    last: int
    total: int
    columns: Sequence[Column]
    values: NDArray[np.float64]
    reduced: bool = False


def encode(series: Series) -> bytes:
    """Return a series as bytes."""
    header = {
        "from": series.first,
        "to": series.last,
        "rows": len(series.values),
        "total": series.total,
        "reduced": series.reduced,
        "columns": [column.model_dump(exclude_none=True) for column in series.columns],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    text += b" " * (-len(text) % ALIGNMENT)
    body = np.ascontiguousarray(series.values.T, dtype="<f4").tobytes()
    return struct.pack("<I", len(text)) + text + body


def decode(content: bytes) -> Series:
    """Return the series of some bytes.

    Raises:
        ValueError: When they are none.
    """
    if len(content) < ALIGNMENT:
        message = "a series begins with the length of its header"
        raise ValueError(message)
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[ALIGNMENT : ALIGNMENT + length])
    columns = [Column(**column) for column in header["columns"]]
    flat = np.frombuffer(content, dtype="<f4", offset=ALIGNMENT + length)
    values = flat.reshape(len(columns), header["rows"]).T.astype(np.float64)
    return Series(header["from"], header["to"], header["total"], columns, values, reduced=header["reduced"])
