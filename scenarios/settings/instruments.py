"""The instruments of a scenario's lab: what they must agree in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from simulators.faults import OUT_OF_RANGE
from simulators.settings import TABLE, SimulatorSettings

MAX_SIMULATORS: Final = 64
"""Most instruments of a scenario: each has a link, a database and a log of its own in one process."""


def require_own_names(simulators: Mapping[str, SimulatorSettings]) -> None:
    """Check that instruments have the id that they are listed under.

    Raises:
        ValueError: For a validator.
    """
    for name, each in simulators.items():
        if each.id != name:
            message = f"{name} has the id {each.id!r}; leave it out, its name is its id"
            raise ValueError(message)


def require_range(lab: Iterable[SimulatorSettings], valid_range: tuple[float, float]) -> None:
    """Check that values out of range, if there are to be any, can be told from others.

    Raises:
        ValueError: For a validator.
    """
    if valid_range[1] >= OUT_OF_RANGE and any(each.faults.out_of_range_rate for each in lab):
        message = f"out_of_range_rate needs a campaign.valid_range that ends below {OUT_OF_RANGE:g}"
        raise ValueError(message)


def require_units(lab: Iterable[SimulatorSettings], units: Mapping[str, str]) -> None:
    """Check that tables that play instruments have what the campaign wants in its unit.

    Args:
        lab: The instruments.
        units: By property, as the campaign wants them.

    Raises:
        ValueError: For a validator.
    """
    for each in lab:
        if each.evaluator != TABLE or each.table is None:
            continue
        columns = each.table.columns
        for name, unit in {columns.property: columns.unit, **columns.additional_properties}.items():
            if units.get(name, unit) != unit:
                message = f"the table of {each.id} gives {name!r} in {unit!r}, the campaign wants it in {units[name]!r}"
                raise ValueError(message)


def require_features_sent(lab: Iterable[SimulatorSettings], *, sends_features: bool) -> None:
    """Check that requests carry what tables look for the nearest row by.

    Raises:
        ValueError: For a validator.
    """
    for each in lab:
        table = each.table if each.evaluator == TABLE else None
        if table is None or table.miss != "nearest" or table.columns.parameters or table.columns.labels:
            continue
        if not sends_features:
            message = f'the table of {each.id} has miss = "nearest" by features: set campaign.send_features = true'
            raise ValueError(message)
