"""Which rows a selection of the published kind draws, round by round, before any value is known.

| arm | drawn in a round |
|---|---|
| active | a batch of each subset |
| control | a batch of one subset, itself drawn |
| best_of_three | three batches of all rows |

Nothing of it depends on a value: the method decides what to *keep* of what it draws, never what to measure. So a
campaign can ask for the rows of many rounds at once, and one that is resumed draws the same. Rows are drawn from all of
a subset in every round, kept or not, as the published code does; a value that is known already is not asked for again.

Reference: Z. R. Fox, A. Ghosh, Mach. Learn.: Sci. Technol. 5, 035056 (2024), with their public code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean

IndexArray = NDArray[np.int64]

Arm = Literal["active", "control", "best_of_three"]
ARMS: Final[tuple[Arm, ...]] = get_args(Arm)

BATCH: Final = 20
"""Rows of a batch: the publication's."""

ROUNDS: Final = 40
"""The publication's: 801 rows with the first."""

BATCHES_OF_FAIR_CONTROL: Final = 3
"""As many as the publication has subsets."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What is drawn in a round.

    Attributes:
        batches: Places of the rows of each batch; one of them is kept.
        first: Number of the first batch; of `control`, the subset.
    """

    batches: tuple[IndexArray, ...]
    first: int

    @property
    def rows(self) -> IndexArray:
        """Places of all rows that are drawn, batch after batch."""
        return np.concatenate(self.batches)


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """All that an arm draws.

    Attributes:
        arm: Its name.
        start: The row that it begins with, shape (1,).
        rounds: In their order.
    """

    arm: Arm
    start: IndexArray
    rounds: tuple[Round, ...]

    def different_rows(self) -> IndexArray:
        """Return every row once, in the order in which they are drawn first."""
        drawn = np.concatenate((self.start, *(each.rows for each in self.rounds)))
        _, places = np.unique(drawn, return_index=True)
        return drawn[np.sort(places)]

    def where(self, row: int) -> str:
        """Say where a row is drawn first."""
        for number, each in enumerate(self.rounds):
            for place, batch in enumerate(each.batches):
                if row in batch and row not in self.start:
                    return f"round {number + 1} of {len(self.rounds)}, batch {place + 1} of {len(each.batches)}"
        return "the row to begin with"


def draw_schedule(
    subsets: Sequence[IndexArray], arm: Arm, variables: int, *, seed: int, rounds: int = ROUNDS, batch: int = BATCH
) -> Schedule:
    """Draw the rows of all rounds.

    Args:
        subsets: Places of the rows of each subset, ascending; together all rows.
        arm: How.
        variables: How many a graph has.
        seed: Of all draws, not negative; all arms of one seed begin with the same row.
        rounds: How many, at least 1.
        batch: Rows of a batch, at least as many as there are variables.

    Raises:
        SettingsError: When the arm is unknown, there is no round, a subset has fewer rows than a batch, or a batch
            fewer than there are variables.
    """
    require_arm(arm)
    _require_sizes(subsets, variables, rounds, batch)
    everything = np.sort(np.concatenate(subsets))
    start = np.random.default_rng(seed).integers(len(everything), size=1)
    rng = np.random.default_rng((seed, ARMS.index(arm)))
    drawn = (_draw_round(subsets, everything, arm, batch, rng) for _ in range(rounds))
    return Schedule(arm, everything[start], tuple(drawn))


def _draw_round(
    subsets: Sequence[IndexArray], everything: IndexArray, arm: Arm, batch: int, rng: np.random.Generator
) -> Round:
    first, sources = 0, list(subsets)
    if arm == "control":
        first = int(rng.integers(len(subsets)))
        sources = [subsets[first]]
    elif arm == "best_of_three":
        sources = [everything] * BATCHES_OF_FAIR_CONTROL
    return Round(tuple(rng.choice(rows, batch, replace=False) for rows in sources), first)


def _require_sizes(subsets: Sequence[IndexArray], variables: int, rounds: int, batch: int) -> None:
    if rounds < 1:
        raise SettingsError(f"The number of rounds is {rounds}", expected="at least 1")
    smallest = min(len(subset) for subset in subsets)
    if not variables <= batch <= smallest:
        raise SettingsError(
            f"A batch has {batch} rows, the smallest subset {smallest}, and there are {variables} variables",
            expected="a batch of at least as many rows as there are variables, from subsets that have as many",
            action="Take another size of a batch, fewer subsets, or a graph of fewer variables",
        )


def require_arm(arm: object) -> None:
    """Refuse what is no arm.

    Raises:
        SettingsError: With those there are.
    """
    if arm not in ARMS:
        raise SettingsError(
            f"There is no arm {arm!r}", expected=f"one of {', '.join(ARMS)}", action=did_you_mean(str(arm), ARMS)
        )
