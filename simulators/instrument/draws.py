"""Where the randomness of a lab comes from: hashes of (purpose, seed, names) alone, and what a draw is keyed by.

Each draw has a generator of its own, so it is the same in every process and after every restart, in whatever order
requests come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import CandidateRequest, Name

Deviation = Annotated[float, Field(ge=0, le=MAX_ABS_VALUE)]
"""A width [unit of the property, or a pure number]."""

Offset = Annotated[float, Field(ge=-MAX_ABS_VALUE, le=MAX_ABS_VALUE)]
"""A displacement, of either sign."""

Share = Annotated[float, Field(ge=0, le=1)]

Seed = Annotated[int, Field(ge=0, lt=2**64)]

Widths = Deviation | dict[Name, Deviation]
"""Of every property, or by property; of one that is not named it is zero."""

Offsets = Offset | dict[Name, Offset]
"""Likewise, of either sign."""

Per = Literal["measurement", "candidate"]
"""What an error is drawn for: `measurement`, a new one for each instrument, candidate, method, repetition and attempt;
`candidate`, one for all of these."""


class InstrumentSettings(BaseModel):
    """Base of settings of an instrument: strict and frozen."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def generator_for(purpose: str, seed: int, *names: str) -> np.random.Generator:
    """Make a generator of its own for a purpose and names; a hash keeps neighbouring attempts independent."""
    text = "\x1f".join((purpose, str(seed), *names))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def names_of(request: CandidateRequest, instrument: str, per: Per) -> tuple[str, ...]:
    """Return what a draw for a request is keyed by.

    The number of the attempt is in it, and not its id: a campaign that is run again, and an instrument that is started
    again, draw the same.
    """
    if per == "candidate":
        return (request.candidate_id,)
    fidelity = "" if request.fidelity is None else request.fidelity
    return (instrument, request.candidate_id, fidelity, str(request.replicate), str(request.attempt))


def of_property(setting: float | Mapping[str, float], name: str) -> float:
    """Return what a setting says of a property; zero of one that it does not name."""
    return setting.get(name, 0.0) if isinstance(setting, Mapping) else setting
