"""Settings of what may be asked: elements, ranges of parameters, what must not meet, and what a request takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.pool.limits.conditions import Condition, read_condition
from protocols.structures.sites import KNOWN
from protocols.wire.limits import MAX_ABS_VALUE, MAX_ID_LENGTH
from protocols.wire.messages import Name

COST: Final = "cost"
"""Name of what money is counted under, beside the stocks."""

MAX_RULES: Final = 500
"""Most elements, pairs or ranges that are named: more than a person writes, and all are looked at for each."""

MAX_STOCKS: Final = 20
"""Most stocks that are counted: each is a number in every request of the journal."""

Bound = Annotated[float, Field(allow_inf_nan=False)]

Amount = Annotated[float, Field(ge=0.0, le=MAX_ABS_VALUE, allow_inf_nan=False)]
"""An amount of a stock, or of money [unit of the stock]."""


class Supply(BaseModel):
    """Something that requests use up, and how much of it there is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    available: Amount
    """How much may be used up by the whole campaign, from its beginning [unit]."""
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)] = ""
    """Its unit, for people."""
    per_request: Amount = 0.0
    """What every request takes [unit], beside what the column says."""
    column: Annotated[str, Field(min_length=1)] | None = None
    """Column that says what a request of the candidate takes [unit]."""

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.per_request and self.column is None:
            raise ValueError("it says nothing of what a request takes; expected per_request, or column, or both")
        return self


class AskingLimits(BaseModel):
    """What may be asked for, whatever the policy; every attempt counts, also one that fails or is repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    elements: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    """Chemical symbols that a candidate may hold, and no others; empty: any."""
    forbidden_elements: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_RULES)] = ()
    """Chemical symbols that it may not hold."""
    parameters: Annotated[dict[str, tuple[Bound, Bound]], Field(max_length=MAX_RULES)] = Field(default_factory=dict)
    """Column -> smallest and largest value that may be asked for [unit of the column]."""
    forbidden_pairs: Annotated[tuple[tuple[str, str], ...], Field(strict=False, max_length=MAX_RULES)] = ()
    """Pairs that must not meet in one candidate: of chemical symbols ("Pb"), of comparisons ("temperature > 95",
    "family = perovskite"), or of one of each."""
    stock: Annotated[dict[Name, Supply], Field(max_length=MAX_STOCKS)] = Field(default_factory=dict)
    """What requests use up, by name."""
    cost: Supply | None = None
    """What requests cost in all."""

    @field_validator("elements", "forbidden_elements")
    @classmethod
    def _known_symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if symbol not in KNOWN:
                message = f"{symbol!r} is no chemical symbol; expected such as Pb"
                raise ValueError(message)
        return symbols

    @field_validator("parameters")
    @classmethod
    def _ranges_in_order(cls, parameters: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in parameters.items():
            if low > high:
                message = f"{name} = [{low:g}, {high:g}] is empty; expected [smallest, largest]"
                raise ValueError(message)
        return parameters

    @field_validator("forbidden_pairs")
    @classmethod
    def _readable_pairs(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for each in pairs:
            for condition in each:
                read_condition(condition)
        return pairs

    @model_validator(mode="after")
    def _of_one_meaning(self) -> Self:
        both = sorted(set(self.elements) & set(self.forbidden_elements))
        if both:
            message = f"{both[0]} is in elements and in forbidden_elements; expected one of the two"
            raise ValueError(message)
        if COST in self.stock:
            message = f"a stock is called {COST!r}, which is [limits.cost]; expected another name"
            raise ValueError(message)
        return self

    @property
    def supplies(self) -> dict[str, Supply]:
        """What requests use up, by name: the stocks, and the cost."""
        return self.stock if self.cost is None else {**self.stock, COST: self.cost}

    @property
    def names_elements(self) -> bool:
        """Whether a rule asks what candidates are made of."""
        return bool(self.elements or self.forbidden_elements or any(each.element for each in self.conditions()))

    @property
    def is_limiting(self) -> bool:
        """Whether anything is limited at all."""
        return bool(
            self.elements or self.forbidden_elements or self.parameters or self.forbidden_pairs or self.supplies
        )

    def columns(self) -> Iterator[str]:
        """Yield the columns that a candidate is judged by."""
        yield from self.parameters
        yield from (each.column for each in self.conditions() if each.column)
        yield from (each.column for each in self.supplies.values() if each.column is not None)

    def pairs(self) -> Iterator[tuple[Condition, Condition]]:
        """Yield the pairs that must not meet."""
        for one, other in self.forbidden_pairs:
            yield read_condition(one), read_condition(other)

    def conditions(self) -> Iterator[Condition]:
        """Yield all conditions of the pairs."""
        for pair in self.pairs():
            yield from pair


NO_LIMITS: Final = AskingLimits()
"""Everything may be asked."""


def place_of(name: str) -> str:
    """Return the setting that says how much of a supply there is."""
    return f"limits.{COST}" if name == COST else f"limits.stock.{name}"
