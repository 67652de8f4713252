"""Calculates crystals before a campaign, in a few processes: what a pool is worth when everything is known of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final

from protocols.wire.messages import CandidateRequest, Quantity
from protocols.wire.structure import CrystalStructure
from scenarios.world.workers import interrupts_deferred, workers
from simulators.ase_properties import AseProperties
from simulators.evaluator import EvaluationFailed, Measurement

CHUNK: Final = 16
"""Crystals that a calculating process takes at once: a quarter of a second, so that progress is seen."""

LIMIT_S: Final = 3600.0
"""Time that a request states for each [s]; nothing is ended by it here."""

NEVER_SENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When a request claims to be written that stays in this process."""

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
def _evaluator(calculator: str, parameters: str) -> AseProperties:
    """Return an evaluator, which a process keeps: it remembers its references."""
    return AseProperties(calculator, json.loads(parameters))


def _calculate(
    calculator: str, parameters: str, properties: tuple[str, ...], structure: CrystalStructure | None
) -> Answer:
    """Calculate one structure; what went wrong comes back as text, which every process can send."""
    if structure is None:
        return "it has no structure"
    request = CandidateRequest(
        campaign="calculated",
        message_id="calculated",
        sent_at=NEVER_SENT,
        attempt_id="calculated",
        candidate_id="calculated",
        decision=0,
        attempt=1,
        family="calculated",
        structure=structure,
        properties=properties,
        deadline_s=LIMIT_S,
    )
    try:
        return Measurement.of(_evaluator(calculator, parameters).evaluate(request)).quantities
    except EvaluationFailed as failure:
        return str(failure)
