"""The policy with its subsets is the published selection; scikit-learn asks another process for the number of cores."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.causal.causal_reference import CausalReference
from agent.acquisition.registry import make_meter
from agent.causal.reference.schedule import ARMS, Arm
from agent.causal.reference.selection import Universe, select
from agent.causal.reference.subsets import chemical_subsets
from protocols.errors import SettingsError
from tests.support.samples.causal import named
from tests.support.samples.told import context_of, play, told_bed

pytestmark = pytest.mark.system

BED = told_bed()


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("arm", ARMS)
def test_it_asks_for_and_keeps_what_the_published_selection_does(arm: Arm, seed: int) -> None:
    universe = Universe.of(named(BED.rows), chemical_subsets(BED.pool.features[:, 3:]))
    chosen = select(universe, arm, seed=seed, rounds=4, batch=8)
    options = BED.options(arm=arm, rounds=4)
    asked = play(BED, CausalReference(**options), seed=seed)
    assert asked == list(dict.fromkeys(chosen.looked_at.tolist()))
    meter = make_meter("causal_reference", options, BED.pool, ("x3",), seed=seed)
    losses = []
    for row in asked:
        meter.add(row, float(BED.truth[row]))
        losses.append(meter.values()[0])
    assert list(dict.fromkeys(loss for loss in losses if loss is not None)) == list(chosen.losses)


def test_a_round_is_of_all_kinds_of_candidates() -> None:
    asked = play(BED, CausalReference(**BED.options(rounds=1)))
    kinds = np.rint(BED.pool.features[asked[1:], 3] / 20.0)
    assert set(kinds.tolist()) == {0.0, 1.0, 2.0}


def test_a_feature_of_the_subsets_that_the_pool_does_not_have_is_told_with_those_it_has() -> None:
    policy = CausalReference(**BED.options(subset_features=["kinds"]))
    with pytest.raises(SettingsError, match=r"no feature 'kinds'.*did you mean 'kind'"):
        policy.propose(context_of(BED, []), 1)


def test_subsets_smaller_than_a_batch_are_refused_with_their_size() -> None:
    with pytest.raises(SettingsError, match="A batch has 41 rows, the smallest subset 40"):
        CausalReference(**BED.options(batch=41)).propose(context_of(BED, []), 1)
