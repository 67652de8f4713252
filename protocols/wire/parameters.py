"""What an instrument sets to make a candidate: numbers with units, and words, as the pool's table has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from protocols.wire.messages import Quantity


@dataclass(frozen=True, slots=True)
class ParameterColumns:
    """What the parameters of candidates are called; all candidates of a table share one.

    Attributes:
        names: Of the numbers, length p.
        units: Their units, length p.
        labels: Names of the words, length q.
    """

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one candidate.

    Attributes:
        columns: What they are called.
        numbers: Length p [units of the columns].
        texts: Length q.
    """

    columns: ParameterColumns
    numbers: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, quantities: Sequence[Quantity], labels: Mapping[str, str]) -> Self | None:
        """Return what a message says of a candidate; None where it says nothing."""
        if not quantities and not labels:
            return None
        names, units = tuple(each.name for each in quantities), tuple(each.unit for each in quantities)
        columns = ParameterColumns(names, units, tuple(labels))
        return cls(columns, tuple(each.value for each in quantities), tuple(labels.values()))

    def quantities(self) -> tuple[Quantity, ...]:
        """Return the numbers as a request carries them."""
        rows = zip(self.columns.names, self.numbers, self.columns.units, strict=True)
        return tuple(Quantity(name=name, value=value, unit=unit) for name, value, unit in rows)

    def labels(self) -> dict[str, str]:
        """Return the words as a request carries them."""
        return dict(zip(self.columns.labels, self.texts, strict=True))

    def size_bytes(self) -> int:
        """Return what they take in a request, about and at most [byte]."""
        written = [each.model_dump_json(exclude_none=True) for each in self.quantities()]
        return sum(len(each) + 1 for each in written) + len(json.dumps(self.labels(), ensure_ascii=False).encode())

    @property
    def content(self) -> tuple[object, ...]:
        """What they say, in whatever order they are written: two that say the same have the same."""
        numbers = zip(self.columns.names, self.numbers, self.columns.units, strict=True)
        return tuple(sorted(numbers)), tuple(sorted(self.labels().items()))
