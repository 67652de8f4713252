"""Settings of a network that cuts and delays."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=3600)]


class NetworkSettings(BaseModel):
    """Trouble of the network; by default there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    cut_every_s: Seconds | None = None
    """Mean time between two moments when every connection is cut [s]."""
    down_s: Annotated[float, Field(ge=0, le=3600)] = 0.5
    """How long nobody can connect after a cut [s]."""
    stall_every_s: Seconds | None = None
    """Mean time between two moments when bytes stop flowing [s]."""
    stall_s: Seconds = 1.0
    """How long they do [s]."""
    latency_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Delay of what is sent, each way [s]."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Another seed, other moments."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.cut_every_s is not None and self.down_s >= self.cut_every_s:
            message = f"down_s = {self.down_s:g} is no less than cut_every_s = {self.cut_every_s:g}: nobody is ever up"
            raise ValueError(message)
        return self

    @property
    def is_calm(self) -> bool:
        """Whether there is no trouble at all."""
        return self.cut_every_s is None and self.stall_every_s is None and self.latency_s == 0
