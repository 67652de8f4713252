"""What came with a value, in lines for people: replicates, other quantities, conditions, remarks, files, crystal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from protocols.wire.structure import CrystalStructure
from scenarios.why.phrases import quantity

MOST_SHOWN: Final = 8
"""Of one kind: more would not be read, and the JSON has all."""

DIGITS_SHOWN: Final = 12
"""Of a digest: enough to compare by eye."""


def measured_in_words(details: Mapping[str, Any], property_name: str) -> Iterator[str]:
    """Yield a line for each kind of what came with a value.

    Args:
        details: As an observation has them (`agent.campaign.event_descriptions`).
        property_name: The property whose value it is, which is told elsewhere.
    """
    replicates = details.get("replicates", ())
    if replicates:
        yield f"of {len(replicates)} single measurements: {_some(replicates, quantity)}"
    if others := [each for each in details.get("quantities", ()) if each["name"] != property_name]:
        yield f"with it came {_some(others, _named_quantity)}"
    if conditions := details.get("conditions"):
        yield f"measured at {_some(conditions, _named_quantity)}"
    if remarks := details.get("remarks"):
        yield f"remarks: {_some(list(remarks.items()), _remark)}"
    files = details.get("files", ())
    yield from (f"raw file {_file(each)}" for each in files[:MOST_SHOWN])
    if len(files) > MOST_SHOWN:
        yield f"and {len(files) - MOST_SHOWN} raw files more"
    if structure := details.get("structure"):
        yield f"it ended as {_crystal(CrystalStructure.model_validate_json(json.dumps(structure)))}"


def with_deviation(value: float, deviation: float | None, unit: str) -> str:
    """Return a value with its standard uncertainty, where one is known."""
    return (
        quantity(value, unit) if not deviation else f"{quantity(value)} ± {deviation:.2g}{f' {unit}' if unit else ''}"
    )


def _named_quantity(told: Mapping[str, Any]) -> str:
    return f"{told['name']} = {with_deviation(told['value'], told['standard_deviation'], told['unit'])}"


def _remark(told: tuple[str, str | float]) -> str:
    name, said = told
    return f"{name}: {said if isinstance(said, str) else quantity(said)}"


def _file(told: Mapping[str, Any]) -> str:
    size = [] if told["size_bytes"] is None else [f"{told['size_bytes']:,} bytes"]
    digest = [] if told["sha256"] is None else [f"SHA-256 {told['sha256'][:DIGITS_SHOWN]}…"]
    beside = ", ".join((*size, *digest))
    return f"{told['name']}{f' ({beside})' if beside else ''}: {told['uri']}"


def _crystal(crystal: CrystalStructure) -> str:
    lengths = " ".join(quantity(sum(each * each for each in vector) ** 0.5) for vector in crystal.cell)
    atoms = len(crystal.symbols)
    return (
        f"a crystal of {atoms} atom{'s' * (atoms != 1)}, {quantity(crystal.volume / atoms)} Å^3 each, edges {lengths} Å"
    )


def _some(told: Sequence[Any], in_words: Any) -> str:
    more = f", … ({len(told)} in all)" if len(told) > MOST_SHOWN else ""
    return ", ".join(in_words(each) for each in told[:MOST_SHOWN]) + more
