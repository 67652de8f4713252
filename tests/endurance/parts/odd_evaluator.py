"""An evaluator that misbehaves for some candidates, in every way that a calculation can; named in a test's settings."""

from __future__ import annotations

import csv
import ctypes
import os
import time
from pathlib import Path
from typing import Any, Final

from protocols.wire.messages import CandidateRequest, Quantity

MISDEEDS: Final = ("hang", "spin", "exit", "segfault", "raise", "garbage", "nan", "unit", "property", "range")
"""What the candidates do whose number is 0, 1, 2, … of every `EVERY`; the others behave."""

EVERY: Final = 20

UNIT: Final = "eV"


def misdeed_of(candidate_id: str) -> str:
    """Return what a candidate does; "" for those that behave."""
    number = int(candidate_id.lstrip("m")) % EVERY
    return MISDEEDS[number] if number < len(MISDEEDS) else ""


class Odd:
    """Looks values up in a table, or misbehaves.

    Args:
        table: The pool's own table.
    """

    def __init__(self, table: str) -> None:
        with Path(table).open(encoding="utf-8") as file:
            self._values = {row["id"]: float(row["energy"]) for row in csv.DictReader(file)}

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:  # noqa: C901 - a list of misdeeds
        """Answer, hang, crash or lie."""
        answer: dict[str, Any] = {"name": "energy", "value": self._values[request.candidate_id], "unit": UNIT}
        match misdeed_of(request.candidate_id):
            case "hang":
                time.sleep(3_600)
            case "spin":
                while True:
                    pass
            case "exit":
                os._exit(9)
            case "segfault":
                ctypes.string_at(0)
            case "raise":
                raise ArithmeticError("the matrix is singular")
            case "garbage":
                return "pear"  # type: ignore[return-value]
            case "nan":
                return (Quantity.model_construct(**(answer | {"value": float("nan")})),)
            case "unit":
                answer["unit"] = "kcal/mol"
            case "property":
                answer["name"] = "band_gap"
            case "range":
                answer["value"] = 1e6
        return (Quantity(**answer),)
