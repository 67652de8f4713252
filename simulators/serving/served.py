"""What a simulator is told to announce of itself, beside what its evaluator knows."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_DURATION_S,
    MAX_ELEMENTS,
    MAX_FIDELITIES,
    MAX_ID_LENGTH,
    MAX_QUANTITIES,
)
from protocols.wire.messages import Name

Limit = Annotated[float, Field(ge=-MAX_ABS_VALUE, le=MAX_ABS_VALUE)]


class RangeSettings(BaseModel):
    """The values that a parameter of a candidate may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    low: Limit
    """Smallest value."""
    high: Limit
    """Largest value."""
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)] = ""
    """Unit of both; empty of a pure number."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            message = f"low = {self.low:g} is above high = {self.high:g}"
            raise ValueError(message)
        return self


class ServedSettings(BaseModel):
    """What an instrument serves; agents ask it for nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    elements: Annotated[tuple[Name, ...], Field(max_length=MAX_ELEMENTS)] = ()
    """Symbols of the chemical elements that it takes; empty: those that its evaluator knows."""
    fidelities: Annotated[tuple[Name, ...], Field(max_length=MAX_FIDELITIES)] | None = None
    """Methods that may be asked for by name; by default those of its evaluator."""
    parameters: Annotated[dict[Name, RangeSettings], Field(max_length=MAX_QUANTITIES)] = Field(default_factory=dict)
    """Parameter → the values that it may have; one that is not named may have any."""
    expected_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)] | None = None
    """How long one evaluation is expected to take [s]; by default its mean latency, where it has one."""
    simulated: bool = True
    """Whether it only calculates or looks up: false where a class of yours moves something."""
