"""The instruments of a scenario's lab: what they share is said once, and the pool's table may play each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from simulators.faults import OUT_OF_RANGE
from simulators.settings import TABLE, SimulatorSettings

MAX_SIMULATORS: Final = 64
"""Most instruments of a scenario: each has a link, a database and a log of its own in one process."""


def each_over_the_shared(given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay each `[simulators.NAME]` over `[simulator]`, and let its name be its id."""
    shared, several = given.get("simulator", {}), given.get("simulators")
    if not isinstance(shared, Mapping) or not isinstance(several, Mapping):
        return dict(given)
    laid = {
        name: _laid_over(shared, {"id": name} | each) if isinstance(each, dict) else each
        for name, each in several.items()
    }
    return {**given, "simulators": laid}


def with_oracle(given: Mapping[str, Any], pool: Mapping[str, Any]) -> dict[str, Any]:
    """Let the pool's table play every instrument that has no other evaluator, and fill in what a table leaves out."""

    def filled(simulator: Any) -> Any:
        if not isinstance(simulator, dict):
            return simulator
        if simulator.get("evaluator", TABLE) != TABLE and simulator.get("table") is None:
            return simulator
        oracle = {"path": pool.get("path"), "columns": pool.get("columns")} | simulator.get("table", {})
        return {"evaluator": TABLE} | simulator | {"table": oracle}

    several = given.get("simulators", {})
    if isinstance(several, Mapping):
        several = {name: filled(each) for name, each in several.items()}
    return {**given, "simulator": filled(given.get("simulator", {})), "simulators": several}


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
        message = "out_of_range_rate needs a campaign.valid_range: without one, no value is out of it"
        raise ValueError(message)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables, the upper one winning key by key."""
    merged = {**below, **above}
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping):
            merged[key] = _laid_over(below[key], value)
    return merged
