"""Which alloys a closure of designs holds: every combination of elements, prototypes and strains."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_PROTOTYPES: Final = 20
"""Most prototypes of a closure: with two sublattices of seven metals these are 980 crystals for each strain."""

LARGEST_STRAIN: Final = 0.2
"""Largest strain of the c axis, either way: beyond it a prototype is another one."""

Strain = Annotated[float, Field(ge=-LARGEST_STRAIN, le=LARGEST_STRAIN)]
Text = Annotated[str, Field(min_length=1)]


class AlloyDesignsSettings(BaseModel):
    """A closure of designs in place of a drawn pool: one element for each sublattice, a prototype and a strain."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    prototypes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_PROTOTYPES)]
    """Prototypes with the same sublattices, such as B2 and L1_0; see `scenarios/world/crystal_prototypes.py`."""
    elements: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    """What each sublattice (the factors `a`, `b`, `c`) may hold; empty: every metal that the calculator knows."""
    strains: Annotated[tuple[Strain, ...], Field(min_length=1, max_length=10)] = (0.0,)
    """Strains of the c axis, at the volume of Vegard's law; with two or more, `strain` is a factor."""
    queried: Text = "a"
    """The factor whose effects are asked for: `a`, `b`, `c`, `prototype` or `strain`."""
    reference: str = ""
    """Its level that effects are stated against; no crystal is plainer than all others, so name one."""

    @field_validator("prototypes", "elements", "strains")
    @classmethod
    def _once(cls, given: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(given)) < len(given):
            message = f"one is named twice: {', '.join(map(str, given))}"
            raise ValueError(message)
        return given
