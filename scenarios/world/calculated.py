"""Calculates crystals before a campaign, in a few processes: what a pool is worth when everything is known of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final

from protocols.wire.messages import Quantity
from protocols.wire.structure import CrystalStructure
from scenarios.world.workers import interrupts_deferred, workers
from simulators.crystals.crystal_properties import CrystalProperties
from simulators.evaluator import EvaluationFailed

CHUNK: Final = 16
"""Crystals that a calculating process takes at once: a quarter of a second, so that progress is seen."""

Answer = tuple[Quantity, ...] | str
"""What was calculated of a crystal, or why it cannot be."""


def calculate(
    structures: Sequence[CrystalStructure | None],
    properties: Sequence[str],
    calculator: str,
    parameters: Mapping[str, object] | None = None,
    *,
    processes: int = 2,
) -> Iterator[Answer]:
    """Yield what a calculator says of each structure, in their order.

    Args:
        structures: One a crystal.
        properties: What is asked for.
        calculator: A name of the list.
        parameters: Its parameters; none for its defaults.
        processes: How many share the work; 1 for none but our own.
    """
    ask = partial(_calculate, calculator, json.dumps(dict(parameters or {}), sort_keys=True), tuple(properties))
    if processes == 1:
        yield from map(ask, structures)
        return
    with workers(processes) as executor:
        with interrupts_deferred():
            answers = executor.map(ask, structures, chunksize=CHUNK)
        yield from answers


@cache
def _evaluator(calculator: str, parameters: str) -> CrystalProperties:
    """Return an evaluator, which a process keeps: it remembers its references."""
    return CrystalProperties(calculator, json.loads(parameters))


def sources_of_calculations() -> list[Path]:
    """Return the files of code that calculated values hang on."""
    from simulators import calculators, crystals

    folders = (Path(str(package.__file__)).parent for package in (calculators, crystals))
    return [Path(__file__), *(path for folder in folders for path in sorted(folder.glob("*.py")))]


def _calculate(
    calculator: str, parameters: str, properties: tuple[str, ...], structure: CrystalStructure | None
) -> Answer:
    """Calculate one structure; what went wrong comes back as text, which every process can send."""
    if structure is None:
        return "it has no structure"
    try:
        evaluator = _evaluator(calculator, parameters)
        evaluator.require_sound(structure)
        return evaluator.measure(structure, properties).quantities
    except EvaluationFailed as failure:
        return str(failure)
