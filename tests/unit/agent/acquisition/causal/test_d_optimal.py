"""D-optimal designs: the determinant of the information, one choice after the other."""

from __future__ import annotations

import numpy as np

from agent.acquisition.causal.d_optimal import GROUP, GROUP_AT_PLACE, LEVEL, PAIR, DOptimal
from agent.causal.designs.closure import closure_of
from tests.support.samples.closures import context_of, made_up_bed, play

BED = made_up_bed()


def determinant(rows: list[int]) -> float:
    """Ln det of the information of all coefficients, prior included."""
    assert BED.pool.designs is not None
    ways = closure_of(BED.pool.designs)
    blocks = (
        (LEVEL, np.ones((len(ways), 1))),
        (GROUP, ways.group_counts),
        (GROUP_AT_PLACE, ways.group_place_counts),
        (PAIR, ways.pair_counts),
    )
    phi = np.concatenate([counts for _, counts in blocks], axis=1)[rows]
    prior = np.concatenate([np.full(counts.shape[1], 1.0 / variance) for variance, counts in blocks])
    return float(np.linalg.slogdet(phi.T @ phi + np.diag(prior))[1])


def test_each_choice_raises_the_determinant_most() -> None:
    acquired = play(BED, DOptimal(), 12)
    context = context_of(BED, acquired)
    proposal = DOptimal().propose(context, 1)
    after = {int(index): determinant([*acquired, int(index)]) for index in context.available}
    chosen = proposal.choices[0]
    assert after[chosen.index] >= max(after.values()) - 1e-9
    factor = np.exp(after[chosen.index] - determinant(acquired))
    assert f"by a factor of {factor:.3g}" in proposal.reason


def test_values_change_nothing() -> None:
    acquired = play(BED, DOptimal(), 12)
    other = made_up_bed(seed=9)
    assert DOptimal().propose(context_of(BED, acquired), 3) == DOptimal().propose(context_of(other, acquired), 3)


def test_a_batch_is_what_one_after_the_other_asks_for() -> None:
    acquired = play(BED, DOptimal(), 11)
    batch = [choice.index for choice in DOptimal().propose(context_of(BED, acquired), 3).choices]
    singly: list[int] = []
    for _ in range(3):
        singly.append(DOptimal().propose(context_of(BED, acquired, singly), 1).choices[0].index)
    assert batch == singly
