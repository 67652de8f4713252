"""Settings of the crashes that a scenario plans."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_CRASHES: Final = 100
"""Most crashes of one run: each costs a start of Python, and of the broker."""


Count = Annotated[int, Field(ge=1)]


class CrashSettings(BaseModel):
    """When a run is killed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: Annotated[tuple[Count, ...], Field(max_length=MAX_CRASHES)] = ()
    """Numbers of results, ascending; the whole run is killed when it has accepted so many."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(late <= early for early, late in zip(self.at, self.at[1:], strict=False)):
            message = f"at = {list(self.at)} does not ascend"
            raise ValueError(message)
        return self
