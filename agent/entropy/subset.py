"""Which rows of a table to keep: the subset of n rows with the least bias and the least loss of entropy.

| here | meaning |
|---|---|
| g, y | family and property of a row |
| k_g, N | kept rows of family g, and of all families |
| h_g | differential entropy of the kept values of family g [nat] (`spacing`) |
| h* | level: the greatest h_g of the full table, among the families of at least `LEVEL_ROWS` rows [nat] |
| J | what trimming keeps as great as it can [nat] |

By the chain rule the joint entropy of family and property is H(g, y) = H(g) + Σ_g (k_g / N) h_g: it is great when no
family has many more rows than another, and when the values of none crowd together; a row adds the less to it, the more
rows of its own family lie close by. It is the measure of what a table still tells. But its last nats come from
spreading the values of *every* family, the richest as well, which then outgrows the poor ones. So entropy counts up to
the level only:

    J = H(g) + Σ_g (k_g / N) min(h_g, h*),        H(g) = −Σ_g (k_g / N) ln (k_g / N).

No family gains by rising above the richest of the full table, so the gap closes from below: that is the bias. No
family gains by falling, so none does without need: that is the loss.

Rows go one at a time (greedy), each time the one that leaves J greatest. With N J = N ln N + Σ_g φ_g and
φ_g = k_g [min(h_g, h*) − ln k_g], that is the family with the greatest change of φ_g, and in it

* below the level, the most redundant row (`Thinning.densest`), one where the values lie closest, so that h_g rises;
* at the level, where many rows leave J the same, the row whose turn it is (`Thinning.in_turn`), which leaves the
  distribution as it is; unless h_g would fall below the level by it.

A change of φ_g depends on its own family alone, so a queue of families with exact keys finds the row: O(log families)
for it, and O(√k_g) for the gains around it (`thinning`). Before and after a removal h_g is taken with the same windows.
The last row of a family is never removed.

References: T. M. Cover, J. A. Thomas, Elements of Information Theory (Wiley, 2006), theorem 2.2.1 (chain rule);
H. Zhang et al., Appl. Phys. Rev. 10, 021403 (2023), who name trimming as a use of the entropy; the objective is ours.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.thinning import Thinning
from protocols.errors import invariant

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

LEVEL_ROWS: Final = 30
"""Fewest rows of a family that may set the level: with fewer an entropy is off by more than 0.15 nat (`measure`)."""

AT_LEVEL: Final = 1e-9
"""How far below the level counts as at it [nat]: above the rounding of sums, below anything that matters."""

TOLD_EVERY: Final = 1000
"""Removals between two words on progress."""

OnProgress = Callable[[int], None]


def rows_to_keep(
    family_codes: IndexArray,
    values: FloatArray,
    keep: int,
    *,
    resolution: float,
    on_progress: OnProgress = lambda _removed: None,
) -> IndexArray:
    """Choose the rows to keep, by the rules above: the same for the same arrays, whatever the machine does.

    Args:
        family_codes: Family of every row, shape (n,); every family in 0 … max has a row.
        values: Property of every row, finite, shape (n,).
        keep: How many rows to keep, from the number of families to n.
        resolution: r, the smallest difference of values that means anything, positive [unit of the property].
        on_progress: Called with the number of removals now and then.

    Returns:
        Row numbers, ascending, shape (keep,).
    """
    rows = np.arange(len(values))
    order = np.argsort(family_codes, kind="stable")
    ends = np.cumsum(np.bincount(family_codes))
    invariant(len(ends) <= keep <= len(values), "there are rows to keep, and one for every family")
    families = [Thinning(values[own], rows[own], resolution) for own in np.split(order, ends[:-1])]
    level = level_of(families)
    queue = [(-change, code, place) for code, each in enumerate(families) for change, place in [_next(each, level)]]
    heapq.heapify(queue)
    for removed in range(len(values) - keep):
        if removed % TOLD_EVERY == 0:
            on_progress(removed)
        _, code, place = queue[0]
        families[code].remove(place)
        change, place = _next(families[code], level)
        heapq.heapreplace(queue, (-change, code, place))
    on_progress(len(values) - keep)
    return np.sort(np.concatenate([each.rows for each in families]))


def level_of(families: list[Thinning]) -> float:
    """Return h* [nat]; where no family has `LEVEL_ROWS` rows, the greatest entropy of any."""
    large = [each.entropy for each in families if each.size >= LEVEL_ROWS]
    return max(large or [each.entropy for each in families])


def counted_entropy(sizes: Sequence[int], entropies: Sequence[float | None], level: float) -> float | None:
    """Return J of a table [nat]; None where a family with rows has no defined entropy."""
    total, whole = 0.0, sum(sizes)
    for size, h in zip(sizes, entropies, strict=True):
        if size == 0:
            continue
        if h is None:
            return None
        total += size / whole * (min(h, level) - math.log(size / whole))
    return total


def _next(family: Thinning, level: float) -> tuple[float, int]:
    """The change of φ_g by the family's next removal [nat], and its place; −∞ where one row is left."""
    k = family.size
    if k == 1:
        return -math.inf, 0
    h, place = family.entropy, family.in_turn()
    after = family.entropy_without(place)
    if min(h, after) < level - AT_LEVEL:
        place = family.densest()
        after = h + family.change_without(place)
    return (k - 1) * (min(after, level) - math.log(k - 1)) - k * (min(h, level) - math.log(k)), place
