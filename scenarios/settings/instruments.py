"""The instruments of a scenario's lab: what they must agree in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from simulators.faults import OUT_OF_RANGE
from simulators.settings import SimulatorSettings

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
