"""What an instrument can do, as it announced it, and whether it can serve a candidate: plain values of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from protocols.wire.messages import Capabilities

MAX_TOLD: Final = 12
"""Elements that an instrument takes, of which a sentence tells the names."""


@dataclass(frozen=True, slots=True)
class AbleRange:
    """The values that a parameter may have, both ends included [unit]."""

    name: str
    unit: str
    low: float
    high: float

    def why_not(self, wanted: Wanted) -> str:
        """Say why a candidate's value cannot be set; empty where it can, or there is none."""
        value, unit = wanted.parameters.get(self.name), wanted.units.get(self.name, self.unit)
        if unit != self.unit:
            return f"sets {self.name!r} in {self.unit!r}, not in {unit!r}"
        if value is not None and not self.low <= value <= self.high:
            return f"does {self.name!r} from {self.low:g} to {self.high:g} {self.unit}".rstrip()
        return ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign asks of whoever evaluates a candidate.

    Attributes:
        properties: Name and unit of each.
        fidelity: The method by name; None for the usual one.
        elements: Symbols of the candidate's elements; none where it has none that can be told.
        parameters: The numbers that describe it, by name.
        units: The units of those that have one.
    """

    properties: tuple[tuple[str, str], ...]
    fidelity: str | None
    elements: frozenset[str]
    parameters: Mapping[str, float]
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an instrument can do.

    Attributes:
        slots: Candidates that it works on at once.
        expected_s: How long one takes by its own word [s]; None where it does not say.
        properties: Name and unit of what it measures; None where it does not say.
        fidelities: Methods that may be asked for by name; None where it does not say.
        elements: Symbols that it takes; None where it takes any.
        parameters: The ranges that it can do; a parameter that is not named may have any value.
        simulated: Whether it only calculates or looks up.
    """

    slots: int = 1
    expected_s: float | None = None
    properties: tuple[tuple[str, str], ...] | None = None
    fidelities: tuple[str, ...] | None = None
    elements: tuple[str, ...] | None = None
    parameters: tuple[AbleRange, ...] = ()
    simulated: bool = False

    @classmethod
    def of(cls, message: Capabilities) -> Self:
        """Return what a message announces."""
        properties = message.properties
        return cls(
            message.slots,
            message.expected_s,
            None if properties is None else tuple((each.name, each.unit) for each in properties),
            message.fidelities,
            message.elements,
            tuple(AbleRange(each.name, each.unit, each.low, each.high) for each in message.parameters),
            message.simulated,
        )

    def why_not(self, wanted: Wanted) -> str:
        """Say why a candidate cannot be served; empty where it can."""
        if self.properties is not None:
            known = dict(self.properties)
            for name, unit in wanted.properties:
                if name not in known:
                    return f"does not measure {name!r}"
                if known[name] != unit:
                    return f"measures {name!r} in {known[name]!r}, not in {unit!r}"
        if wanted.fidelity is not None and self.fidelities is not None and wanted.fidelity not in self.fidelities:
            return f"has no method {wanted.fidelity!r}"
        if self.elements is not None and (unknown := wanted.elements.difference(self.elements)):
            more = ", …" if len(self.elements) > MAX_TOLD else ""
            return f"does not take {', '.join(sorted(unknown))} (it takes {', '.join(self.elements[:MAX_TOLD])}{more})"
        return next(filter(None, (each.why_not(wanted) for each in self.parameters)), "")
