"""The numbers that are kept per observation: what each is called, and who computes them.

Every campaign has the bias metrics (`agent.entropy.bias`). A policy may declare others, of what it is after: how wide
the intervals of its effects are, how many hits were found. They are functions of the observations alone, so that
whoever has the journal computes them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable


@dataclass(frozen=True, slots=True)
class Metric:
    """How a number that is kept per observation is shown.

    Attributes:
        name: In files, messages and the database.
        label: What people read.
        short: The same where there is little room.
        unit: "nat", "D", or "" for a pure number.
        lower_is_better: Which way is good.
    """

    name: str
    label: str
    short: str
    unit: str
    lower_is_better: bool


class Meter(Protocol):
    """Computes the metrics that a policy declares, observation by observation.

    A pure function of what it was given, in order: two meters that saw the same values say the same to the last bit.
    """

    def add(self, index: int, *values: float) -> None:
        """Take in one value.

        Args:
            index: Pool index of the candidate.
            values: Of the campaign's properties, in its order [their units].
        """
        ...

    def values(self) -> tuple[float | None, ...]:
        """Return the declared metrics, in the order of their declaration; None where one is not defined."""
        ...


@runtime_checkable
class SeededMeter(Meter, Protocol):
    """A meter whose policy draws once for a whole campaign."""

    def begin(self, seed: int) -> None:
        """Take in the seed of the campaign, before the first value."""
        ...


@runtime_checkable
class AccountingMeter(Meter, Protocol):
    """A meter that can also say in words what its policy was told, and what that cost."""

    def account(self) -> str:
        """Return a paragraph for people."""
        ...


@runtime_checkable
class HitMeter(Meter, Protocol):
    """A meter that counts what exceeds a threshold."""

    @property
    def threshold(self) -> float | None:
        """What the campaign's first property should exceed [its unit]; None where nothing is sought."""
        ...


@dataclass(frozen=True, slots=True)
class Effect:
    """What is believed of the effect of one intervention.

    Attributes:
        name: Of the intervention.
        mean: What is expected [unit of the property].
        half_width: Of its 90 % interval [unit of the property].
    """

    name: str
    mean: float
    half_width: float


@runtime_checkable
class EffectMeter(Meter, Protocol):
    """A meter that can also say what is believed of effects now."""

    def effects(self, after: Sequence[int] = ()) -> tuple[Effect, ...]:
        """Return the effects, in an order that stays.

        Args:
            after: Pool indices of candidates that count as measured, whatever their values: the means stay as they are,
                and the intervals get as narrow as they are expected to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """What is believed of the part of a variance that one kind of factor explains.

    Attributes:
        name: Of the kind.
        own: What it explains by itself [part of the variance].
        low, high: Between these lie 90 % of what is believed of it, the variances of the model taken for known.
        total: What it takes part in.
    """

    name: str
    own: float
    low: float
    high: float
    total: float


@runtime_checkable
class ShareMeter(Meter, Protocol):
    """A meter that can also say what each kind of factor explains of the variance of the property."""

    def shares(self) -> tuple[Share, ...]:
        """Return the shares, the last of them what no kind explains by itself; none where they are not defined."""
        ...


M = TypeVar("M", bound=Meter)


class DatasetMeter(Generic[M]):
    """A meter over a dataset whose values may be corrected, or go away.

    A meter forgets nothing. So one that never knew the value takes its place then, and is told all others in the order
    in which they came.

    Args:
        make: Makes a meter of a campaign without observations.

    Attributes:
        meter: What has seen the values that are there.
    """

    def __init__(self, make: Callable[[], M]) -> None:
        self._make = make
        self._values: dict[int, tuple[float, ...]] = {}
        self.meter = make()

    def put(self, index: int, values: tuple[float, ...]) -> None:
        """Take in the values of a candidate; where it has some already, these take their place."""
        is_new = index not in self._values
        self._values[index] = values
        if is_new:
            self.meter.add(index, *values)
        else:
            self._make_again()

    def remove(self, index: int) -> None:
        """Forget the values of a candidate."""
        del self._values[index]
        self._make_again()

    def _make_again(self) -> None:
        self.meter = self._make()
        for index, values in self._values.items():
            self.meter.add(index, *values)
