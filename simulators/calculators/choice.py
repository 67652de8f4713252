"""One calculator, chosen and ready to be built; what it knows, and what names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protocols.structures.checks import MIN_SHARE_OF_BOND
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True, slots=True)
class CalculatorChoice:
    """One calculator of the list, with its parameters checked.

    Attributes:
        name: Its name in the list.
        elements: The elements it knows, or None when it treats all alike.
        build: Makes a calculator.
        contact_distance: Nearest-neighbour distance [Å] near which it binds an element; a start, not a result.
        provenance: What names it for ever, by name: version of its package, digest of its weights. It goes out with
            every value, and values are kept by it. At most ten, and short.
        least_share: Least distance of two atoms that it is asked about, as a share of the sum of their covalent radii.
        least_distance: The same as a distance [Å], of a potential that knows no elements; None: the share holds.
        isolation_distance: An atom without another one so near [Å] is refused, where the calculator would give it a
            number that means nothing; None where that number is right.
    """

    name: str
    elements: tuple[str, ...] | None
    build: Callable[[], Calculator]
    contact_distance: Callable[[str], float]
    provenance: Mapping[str, str] = field(default_factory=dict)
    least_share: float = MIN_SHARE_OF_BOND
    least_distance: float | None = None
    isolation_distance: float | None = None


def require_known_elements(choice: CalculatorChoice, symbols: Iterable[str]) -> None:
    """Refuse a crystal that has elements the calculator does not know.

    Raises:
        EvaluationFailed: UNSUPPORTED, naming the unknown elements and the known ones.
    """
    if choice.elements is None:
        return
    unknown = sorted(set(symbols) - set(choice.elements))
    if unknown:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"the structure has {', '.join(unknown)}; the calculator {choice.name!r} knows only"
            f" {', '.join(choice.elements)}",
        )
