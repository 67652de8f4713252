"""The instruments of a scenario's lab: what they share is said once, and the pool's table may play each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulators.settings import TABLE

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
    """Let the pool's table play every instrument that has no evaluator of its own."""

    def filled(simulator: Any) -> Any:
        if not isinstance(simulator, dict) or simulator.get("evaluator", TABLE) != TABLE:
            return simulator
        oracle = {"path": pool.get("path"), "columns": pool.get("columns")} | simulator.get("table", {})
        return {"evaluator": TABLE} | simulator | {"table": oracle}

    several = given.get("simulators", {})
    if isinstance(several, Mapping):
        several = {name: filled(each) for name, each in several.items()}
    return {**given, "simulator": filled(given.get("simulator", {})), "simulators": several}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables, the upper one winning key by key."""
    merged = {**below, **above}
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping):
            merged[key] = _laid_over(below[key], value)
    return merged
