"""Which values of a column are believed."""

from __future__ import annotations

from protocols.tables.columns import TableColumns
from protocols.wire.limits import MAX_ABS_VALUE, USUAL_ABS_VALUE


def believed_range(columns: TableColumns, name: str) -> tuple[float, float]:
    """Return the smallest and the largest value of a measured column that is believed [its unit].

    Of the property it is `valid_range`, or else what most properties stay within; of an additional one everything that
    a message carries, because only a campaign that balances it has a range for it.
    """
    if name != columns.property:
        return -MAX_ABS_VALUE, MAX_ABS_VALUE
    low, high = columns.valid_range or (-USUAL_ABS_VALUE, USUAL_ABS_VALUE)
    return max(low, -MAX_ABS_VALUE), min(high, MAX_ABS_VALUE)


def range_setting(columns: TableColumns, name: str) -> str:
    """Return how to have other values believed, as the end of an action; nothing where that is not possible."""
    if name != columns.property:
        return ""
    return f", set valid_range to what can be true (up to ±{MAX_ABS_VALUE:g})"
