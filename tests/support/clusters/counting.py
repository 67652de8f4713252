"""An evaluator that writes down whatever it begins, in a file that nobody else writes: a witness on the workers."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from simulators.evaluator import EvaluationFailed


class Counting:
    """Looks the energy of a candidate up in a table, slowly, and notes each attempt before it does.

    Args:
        table: The pool's table, with columns id and energy.
        witness: File that gets a line for each attempt that is begun.
        seconds: How long an evaluation takes [s].
    """

    def __init__(self, table: str, witness: str, seconds: float) -> None:
        with Path(table).open(newline="", encoding="utf-8") as file:
            self._energies = {row["id"]: float(row["energy"]) for row in csv.DictReader(file)}
        self._witness = witness
        self._seconds = seconds

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return the energy."""
        file = os.open(self._witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{request.attempt_id}\n".encode())
        os.close(file)
        time.sleep(self._seconds)
        energy = self._energies.get(request.source_id or request.candidate_id)
        if energy is None:
            raise EvaluationFailed(FailureReason.UNKNOWN_CANDIDATE, "not in the table")
        return (Quantity(name="energy", value=energy, unit="eV"),)
