"""An earlier log: its cells, the bias variance that is learned, and what trusting it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.causal.belief import Belief
from agent.causal.designs.confounded_log import BIAS_GRID, LogCells, bias_variance, cells_of, with_log
from agent.causal.designs.effects import effect_queries
from agent.pool.designs import Designs
from agent.pool.earlier_log import WITHHELD, EarlierLog
from tests.support.samples.closures import Bed, made_up_bed

BED = made_up_bed()


def designs() -> Designs:
    assert BED.pool.designs is not None
    return BED.pool.designs


def log_of(rows: Sequence[int], *, bias: float = 0.0, shown: tuple[int, ...] = (0, 2)) -> EarlierLog:
    """Tell some designs of the bed; a bias is added to all rows whose x is the last group."""
    codes = designs().codes[list(rows)].copy()
    values = BED.truth[designs().candidate[list(rows)]] + bias * (codes[:, 0] == len(designs().groups) - 1)
    codes[:, [k for k in range(3) if k not in shown]] = WITHHELD
    return EarlierLog(codes, values)


def belief_of(bed: Bed, deviation: float = 1.0) -> Belief:
    n = len(bed.truth)
    W, names = effect_queries(designs(), n)
    return Belief(np.full(n, bed.truth.mean()), deviation**2 * np.eye(n), np.full(n, 1e-4), W, names)


def cells(log: EarlierLog) -> LogCells:
    found = cells_of(log, designs(), len(BED.truth))
    assert found is not None
    return found


def test_a_cell_is_what_its_rows_tell_and_averages_all_designs_that_fit() -> None:
    everything = cells(log_of(range(len(designs().codes))))
    assert len(everything.means) == 6 * 3
    np.testing.assert_allclose(everything.averages.sum(axis=1), 1.0)
    # All designs of a cell were told, so its mean is that of the truth over them.
    np.testing.assert_allclose(everything.means, everything.averages @ BED.truth)


def test_rows_that_tell_everything_are_cells_of_one_candidate() -> None:
    told = cells(log_of([4, 40, 77], shown=(0, 1, 2)))
    assert (np.count_nonzero(told.averages, axis=1) == 1).all()


def test_the_noise_of_a_mean_is_the_pooled_spread_over_its_size() -> None:
    rows = [*range(len(designs().codes)), 3]
    log = log_of(rows)
    found = cells(log)
    labels = [tuple(row) for row in log.codes.tolist()]
    groups = [log.values[[k for k, label in enumerate(labels) if label == cell]] for cell in sorted(set(labels))]
    pooled = sum(((g - g.mean()) ** 2).sum() for g in groups) / (len(labels) - len(groups))
    np.testing.assert_allclose(found.noise, [pooled / len(g) for g in groups])


def test_cells_of_one_level_share_most_of_their_bias() -> None:
    found = cells(log_of(range(len(designs().codes))))
    same = np.isclose(found.bias, 0.8)
    np.testing.assert_allclose(np.diag(found.bias), 1.0)
    assert (same.sum(axis=1) == 2).all()
    assert ((found.bias == 0.0).sum(axis=1) == 15).all()


def test_a_log_that_agrees_is_given_less_bias_than_one_that_contradicts() -> None:
    """Both are judged by a belief that knows every candidate well."""
    belief = replace(belief_of(BED, 0.05), mean=BED.truth)
    rows = range(len(designs().codes))
    agreeing, contradicting = (bias_variance(belief, cells(log_of(rows, bias=bias))) for bias in (0.0, 4.0))
    spread = cells(log_of(rows)).spread
    assert agreeing == pytest.approx(BIAS_GRID[0] * spread)
    assert contradicting > 10.0 * agreeing


def test_conditioning_on_a_log_is_that_of_the_textbook() -> None:
    belief, found = belief_of(BED), cells(log_of(range(0, 100, 3)))
    L, v = found.averages, 0.3
    S = L @ belief.covariance @ L.T + v * found.bias + np.diag(found.noise)
    gain = belief.covariance @ L.T @ np.linalg.inv(S)
    informed = with_log(belief, found, v)
    np.testing.assert_allclose(informed.mean, belief.mean + gain @ (found.means - L @ belief.mean), atol=1e-10)
    np.testing.assert_allclose(informed.covariance, belief.covariance - gain @ L @ belief.covariance, atol=1e-10)


def test_a_confounded_log_that_is_trusted_is_sure_of_what_is_wrong() -> None:
    """Of one group the log shows its designs with the longest partner alone: at its word it is wrong, and narrow."""
    d = designs()
    partner, group = d.groups.index("q"), d.groups.index("s")
    shown = [row for row, (x, y, _) in enumerate(d.codes.tolist()) if x != group or y == partner]
    found = cells(log_of(shown * 3))
    at = effect_queries(d, len(BED.truth))[1].index("s")
    truth = float(belief_of(BED).queries[at] @ BED.truth)
    trusting, doubting = (with_log(belief_of(BED), found, v * found.spread) for v in (2.5e-4, 1.0))
    off = [abs(float(each.query_means[at]) - truth) for each in (trusting, doubting)]
    assert off[0] > trusting.half_widths[at]
    assert off[1] < doubting.half_widths[at]


@pytest.mark.parametrize(
    "log",
    [
        EarlierLog(np.empty((0, 3), dtype=np.int64), np.empty(0)),
        EarlierLog(np.full((4, 3), WITHHELD), np.ones(4)),
    ],
    ids=["no rows", "equal values"],
)
def test_a_log_that_says_nothing_has_no_cells(log: EarlierLog) -> None:
    assert cells_of(log, designs(), len(BED.truth)) is None
