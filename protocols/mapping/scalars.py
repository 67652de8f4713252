"""Results of a lab that tells each property on a topic of its own: held until the last of them has come.

Nothing is acknowledged before the result that it belongs to: what was held when a process died comes again. Of what
comes again alone nobody knows whose it is, so it counts only beside a result that comes again too. What was said before
the request is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from protocols.link.transport import Delivery
from protocols.wire.messages import Quantity


@dataclass(frozen=True, slots=True)
class Together:
    """Messages that are acknowledged together, the result last: it comes again while any of the others does."""

    deliveries: tuple[Delivery, ...]


@dataclass(slots=True)
class _Held:
    scalars: dict[str, tuple[Delivery, Quantity]] = field(default_factory=dict)
    result: Delivery | None = None


class HeldScalars:
    """What was told and belongs to no result yet, by instrument."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def of(self, instrument: str, result: Delivery | None = None) -> Mapping[str, Quantity]:
        """Return the properties that may go with a result.

        Args:
            instrument: Our id of who told them.
            result: The result; None for one that is new.
        """
        again = result is not None and result.redelivered
        found = self._of(instrument).scalars
        return {name: quantity for name, (heard, quantity) in found.items() if again or not heard.redelivered}

    def keep(self, instrument: str, heard: Delivery, quantity: Quantity) -> list[Delivery]:
        """Keep a property; return what nobody waits for any more."""
        if heard.retain:
            return [heard]  # it was said before we listened
        held = self._of(instrument).scalars
        replaced = held.get(quantity.name)
        if replaced is not None and _is_the_same(heard, replaced[0]):
            heard = replace(heard, redelivered=replaced[0].redelivered)  # a link that blinked changes nothing
        held[quantity.name] = (heard, quantity)
        return [] if replaced is None else [replaced[0]]

    def hold(self, instrument: str, result: Delivery) -> Delivery | None:
        """Hold a result until its properties have come; return one that was held before and never got them."""
        held = self._of(instrument)
        before, held.result = held.result, result
        return before

    def held(self, instrument: str) -> Delivery | None:
        """Return the result that is held."""
        return self._of(instrument).result

    def release(self, instrument: str) -> None:
        """Hold the result no longer; what was kept stays."""
        self._of(instrument).result = None

    def complete(self, instrument: str, result: Delivery) -> Together:
        """Forget what was kept for a result that is whole; return all that is acknowledged with it."""
        held = self._held.pop(instrument, _Held())
        return Together((*(heard for heard, _ in held.scalars.values()), result))

    def begin(self, instrument: str) -> tuple[list[Delivery], Delivery | None]:
        """Forget what was told before a request; return it, and the result that was held, if one was."""
        held = self._held.pop(instrument, _Held())
        return [heard for heard, _ in held.scalars.values()], held.result

    def _of(self, instrument: str) -> _Held:
        return self._held.setdefault(instrument, _Held())


def _is_the_same(one: Delivery, other: Delivery) -> bool:
    return (one.topic, one.payload) == (other.topic, other.payload)
