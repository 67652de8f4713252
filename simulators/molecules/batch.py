"""Measures many molecules in the lab's own child processes: each with a deadline, one thread, and nothing to break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from protocols.errors import EntropilotError
from protocols.molecules.identity import check_molecule
from protocols.wire.messages import CandidateRequest
from protocols.wire.molecule import Molecule
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.choice import make_executor
from simulators.executors.executor import Executor
from simulators.molecules.molecule_properties import GFN2, MOLECULE_PROPERTIES
from simulators.settings import MOLECULES, SimulatorSettings

DEADLINE_S: Final = 3_600.0
"""Time that one molecule may take [s]: B3LYP of twenty heavy atoms on a loaded machine."""

Outcome = Measurement | EvaluationFailed
"""What came of a molecule."""


def measure_all(
    smiles: Sequence[str],
    *,
    fidelity: str = GFN2,
    processes: int = 2,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Outcome]:
    """Measure molecules, and return what came of each, in the order that they were given in.

    Args:
        smiles: The molecules, each once.
        fidelity: The lab's method.
        processes: How many at once.
        progress: Called with (done, all) after each.

    Raises:
        ExtraMissingError: When RDKit is not installed.
        SettingsError: When the lab cannot be made.
        SmilesError: When a molecule can be no candidate.
    """
    requests = {each: _request(each, fidelity) for each in smiles}
    settings = SimulatorSettings(id="batch", evaluator=MOLECULES, concurrency=processes)
    found = asyncio.run(_measure_all(make_executor(settings), requests, progress))
    return {each: found[each] for each in smiles}


async def _measure_all(
    executor: Executor, requests: dict[str, CandidateRequest], progress: Callable[[int, int], None]
) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}

    async def measure(smiles: str, request: CandidateRequest) -> None:
        try:
            found[smiles] = await executor.evaluate(request)
        except EvaluationFailed as failure:
            found[smiles] = failure
        progress(len(found), len(requests))

    try:
        async with asyncio.TaskGroup() as group:
            for smiles, request in requests.items():
                group.create_task(measure(smiles, request))
    except* EntropilotError as failures:
        raise failures.exceptions[0] from None
    finally:
        await executor.close()
    return found


def _request(smiles: str, fidelity: str) -> CandidateRequest:
    identity = check_molecule(smiles)
    return CandidateRequest(
        campaign="batch",
        message_id=identity.candidate_id,
        sent_at=datetime.now(UTC),
        attempt_id=identity.candidate_id,
        candidate_id=identity.candidate_id,
        decision=0,
        attempt=1,
        family="batch",
        formula=identity.formula,
        molecule=Molecule(smiles=identity.smiles),
        fidelity=fidelity,
        properties=MOLECULE_PROPERTIES,
        deadline_s=DEADLINE_S,
    )
