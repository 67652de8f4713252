"""What can go wrong, and how much of it goes wrong in one seed.

Every seed enables a random subset of the faults with random intensities (swarm testing: a mix of everything hides what
one fault alone would show). All numbers come from the seed's generator.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

WIRE: Final = ("drop", "duplicate", "delay", "reorder", "flip", "truncate")
"""Faults of single messages, with the largest intensity that a seed draws."""

EVENTS: Final = (
    "cut link", "half open", "clog up", "clog down", "swizzle", "broker restart", "broker wiped", "broker stale",
    "kill agent", "kill simulator", "kill all", "stop agent", "stop simulator", "suspend", "wall clock", "forge",
    "pause", "resume", "exclude", "add", "stop campaign", "flood",
)  # fmt: skip
"""Faults that strike at a moment."""

ORDERS: Final = (
    "add several", "add candidates", "retract", "amend", "requeue", "approve", "veto", "set budget",
)  # fmt: skip
"""Orders that strike at a moment; drawn from a generator of their own: what else a seed draws stays as it was."""

ORDERS_SHARE: Final = 0.35
"""Of the seeds, in how many some of these are given."""

DYING: Final = ("commit", "publish", "acknowledge", "evaluate", "turns")
"""Where a process may die by itself: before or after a commit, a publish, an acknowledgement, an evaluation; and some
turns of the loop after one of these."""

MOST: Final = {"drop": 0.30, "duplicate": 0.50, "delay": 20.0, "reorder": 0.5, "flip": 0.2, "truncate": 0.1}
"""Largest intensity: probability, and for `delay` the mean [s]."""

WEIGHTS: Final = {"stop campaign": 0.15, "exclude": 0.6, "add": 0.6, "flood": 0.3, "kill all": 0.6}
"""How often an event is chosen beside the others, where that is not 1."""


@dataclass(frozen=True, slots=True)
class FaultMix:
    """The faults of one seed."""

    wire: dict[str, float] = field(default_factory=dict)
    """Of `WIRE`: intensity."""
    events: tuple[str, ...] = ()
    """Of `EVENTS`: those that may strike."""
    every_s: float = 10.0
    """Mean pause between two events [s]."""
    dying: dict[str, float] = field(default_factory=dict)
    """Of `DYING`: probability at every such point."""
    most_deaths: int = 8
    """Deaths at such points in one run; unbounded, nothing would ever be done."""
    lasts_s: float = 100.0
    """How long the faults go on [s]."""
    latency_s: float = 0.001
    """Mean of every message's way [s]."""
    forgetful: bool = False
    """The broker does not say that nobody listened."""


CALM: Final = FaultMix(lasts_s=0.0)
"""No faults at all."""


def draw_orders(seed: int) -> tuple[str, ...]:
    """Draw which orders are given in a seed."""
    rng = random.Random(f"orders-{seed}")
    if rng.random() >= ORDERS_SHARE:
        return ()
    share = rng.choice((0.3, 0.6, 1.0))
    return tuple(name for name in ORDERS if rng.random() < share)


def draw_faults(rng: random.Random, orders: tuple[str, ...] = ()) -> FaultMix:
    """Draw the faults of a seed, to which some orders belong."""
    wire = {name: MOST[name] * rng.random() ** 2 for name in WIRE if rng.random() < 0.4}
    share = rng.choice((0.1, 0.3, 0.6))
    events = tuple(name for name in EVENTS if rng.random() < share)
    dying = {name: rng.choice((0.02, 0.1, 0.3)) for name in DYING if rng.random() < 0.3}
    return FaultMix(
        wire=wire,
        events=(*events, *orders),
        every_s=rng.choice((1.0, 5.0, 20.0)),
        dying=dying,
        most_deaths=rng.randint(1, 8),
        lasts_s=rng.choice((20.0, 100.0, 300.0)),
        latency_s=rng.choice((0.0005, 0.02, 0.5)),
        forgetful=rng.random() < 0.3,
    )
