"""Faults of an instrument: what an attempt meets, drawn from a hash of (seed, candidate, number of the attempt) alone.

An attempt meets at most one fault, the same in every process and in whatever order attempts come; instruments with one
seed draw alike, so that only their rates tell them apart. `simulators.faulty` lets them act. Nothing here sleeps.

**Repeatable campaigns.** Every fault costs attempts and changes no value: with `noise.per = "candidate"` the answer
that counts, and a late one, is that of any other attempt of the candidate, noise included. So what a campaign with
`ordering = "in_order"` decides does not depend on who is how late, as long as `campaign.max_attempts` is never used up:
which instrument gets the next attempt depends on time. With `noise.per = "measurement"` another attempt has another
error, as in a lab.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import MAX_ABS_VALUE, MAX_DURATION_S
from protocols.wire.messages import CandidateRequest, CandidateResult, Quantity
from simulators.instrument.draws import Seed, generator_for

WRONG_UNIT: Final = "uncalibrated"
"""Unit of a value in the wrong one: no campaign's."""

OUT_OF_RANGE: Final = MAX_ABS_VALUE
"""A value beyond the range of every campaign: the largest that travels."""

GARBAGE: Final = b'{"protocol": 1, "type": "candidate_result", "quantities": [{"name": "'
"""A result that was cut off on its way."""

ROUNDING: Final = 1e-9
"""How far rates that add up to one may miss it, as decimal fractions do."""

Rate = Annotated[float, Field(ge=0, le=1)]


class Fault(StrEnum):
    """What an attempt may meet; the rate of each is the setting of its name."""

    FAILURE = "failure"
    SILENT = "silent"
    LATE = "late"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    WRONG_UNIT = "wrong_unit"
    OUT_OF_RANGE = "out_of_range"
    GARBAGE = "garbage"


class FaultSettings(BaseModel):
    """Settings of the faults: shares of all attempts, together at most one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    failure_rate: Rate = 0.0
    """Share of attempts that fail with `calculation_failed`, for this time."""
    silent_rate: Rate = 0.0
    """Share that is never answered."""
    late_rate: Rate = 0.0
    """Share that is answered `late_by_s` after its evaluation."""
    late_by_s: Annotated[float, Field(ge=0, le=MAX_DURATION_S)] = 10.0
    """How late the late ones are [s]; longer than `campaign.request_timeout_s`, and a new attempt is made."""
    duplicate_rate: Rate = 0.0
    """Share that is answered twice, by the same message."""
    contradiction_rate: Rate = 0.0
    """Share that is answered, and then once more with another value."""
    wrong_unit_rate: Rate = 0.0
    """Share that is answered in a unit that is not the campaign's."""
    out_of_range_rate: Rate = 0.0
    """Share that is answered with a value that cannot be: 1e150, beyond every `valid_range` that ends below it."""
    garbage_rate: Rate = 0.0
    """Share that is answered, and then by something that is no message."""
    seed: Seed = 0
    """Another seed, other attempts."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        total = sum(self.rate_of(fault) for fault in Fault)
        if total > 1 + ROUNDING:
            message = f"the rates add up to {total:g}; expected at most 1, for an attempt meets one fault"
            raise ValueError(message)
        return self

    def rate_of(self, fault: Fault) -> float:
        """Return the share of attempts that meet a fault."""
        rate: float = getattr(self, f"{fault.value}_rate")
        return rate


@dataclass(frozen=True, slots=True)
class Faults:
    """Says which fault an attempt meets."""

    settings: FaultSettings

    def of(self, request: CandidateRequest) -> Fault | None:
        """Return the fault of an attempt, or None: the same for the same candidate and number of the attempt.

        Methods and repetitions that a request names have faults of their own.
        """
        names: tuple[str, ...] = (request.candidate_id, str(request.attempt))
        if request.fidelity is not None or request.replicate:
            names += (request.fidelity or "", str(request.replicate))
        drawn = float(generator_for("fault", self.settings.seed, *names).random())
        for fault in Fault:
            drawn -= self.settings.rate_of(fault)
            if drawn < 0:
                return fault
        return None


def spoilt(quantities: tuple[Quantity, ...], fault: Fault | None) -> tuple[Quantity, ...]:
    """Return what an instrument with a fault makes of its values."""
    if fault is Fault.WRONG_UNIT:
        return tuple(quantity.model_copy(update={"unit": WRONG_UNIT}) for quantity in quantities)
    if fault is Fault.OUT_OF_RANGE:
        return tuple(quantity.model_copy(update={"value": OUT_OF_RANGE}) for quantity in quantities)
    return quantities


def contradicting(result: CandidateResult, message_id: str) -> CandidateResult:
    """Return another result of the same attempt; every value is 2|v| + 1, which is never v."""
    quantities = tuple(
        quantity.model_copy(update={"value": min(MAX_ABS_VALUE, 2 * abs(quantity.value) + 1)})
        for quantity in result.quantities
    )
    return result.model_copy(update={"message_id": message_id, "quantities": quantities})
