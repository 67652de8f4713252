"""What the models of all calculators' parameters share: bounds with units, and nothing that is not known by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Energy = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
"""Depth of a well [eV]: the strongest bond, of CO, has 11."""

Length = Annotated[float, Field(ge=0.5, le=10, allow_inf_nan=False)]
"""Distance of two atoms [Å]: none are closer than 0.7, and beyond ten nothing binds."""


class CalculatorParameters(BaseModel):
    """Parameters of one calculator; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
