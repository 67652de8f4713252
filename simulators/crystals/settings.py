"""How the lab of crystals relaxes what it is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Relaxation = Literal["volume", "cell"]
"""What is relaxed for energies and volumes: the volume alone, at the shape and the fractional positions that were
given; or cell and positions."""


class CrystalSettings(BaseModel):
    """What of a crystal is relaxed, and how far."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    relaxation: Relaxation = "volume"
    """What is relaxed for energies and for the volume: `volume` (shape and fractional positions stay as given, and with
    them every symmetry) or `cell` (all of it). Whatever else is asked is of the crystal relaxed in all."""
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Steps of the optimizer in one relaxation; beyond them it did not converge, and the attempt fails."""
    fmax: Annotated[float, Field(ge=1e-6, le=0.1, allow_inf_nan=False)] = 1e-4
    """Largest force [eV/Å], and largest virial an atom [eV], at the end of a relaxation of the cell."""
