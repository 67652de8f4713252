"""The policy "causal_reference": it asks for what the published selection draws, and keeps what that keeps.

Here with the arm that draws from all candidates; those with subsets start a process and stand in
`tests/system/processes/test_causal_reference.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import Choice
from agent.acquisition.causal.causal_reference import RECOMPUTED_EVERY, CausalReference
from agent.acquisition.registry import declared_metrics, make_meter, make_policy
from agent.causal.graph.losses import laplacian_distance
from agent.causal.reference.selection import Universe, select
from agent.metrics import AccountingMeter, SeededMeter
from protocols.errors import SettingsError
from tests.support.samples.causal import named
from tests.support.samples.told import context_of, play, told_bed

BED = told_bed()
OPTIONS = BED.options(arm="best_of_three")
UNIVERSE = Universe.of(named(BED.rows), np.zeros(len(BED.truth), dtype=np.int64))


def made(**options: Any) -> CausalReference:
    return CausalReference(**OPTIONS | options)


def requested(seed: int = 0, **options: Any) -> list[int]:
    return play(BED, made(**options), seed=seed)


@pytest.mark.parametrize("seed", [0, 7])
def test_it_asks_for_the_rows_of_the_published_selection_each_once_and_then_for_nothing(seed: int) -> None:
    chosen = select(UNIVERSE, "best_of_three", seed=seed, rounds=3, batch=8)
    assert requested(seed) == list(dict.fromkeys(chosen.looked_at.tolist()))
    last = made().propose(context_of(BED, requested(seed), seed=seed), 1)
    assert last.choices == ()
    assert last.reason == f"all that 3 rounds draw is asked for: {len(requested(seed))} different rows"
    assert last.details == {"rounds_over": 3.0, "rows_kept": 25.0, "graph_loss": chosen.losses[-1]}


def test_another_seed_of_the_campaign_draws_others() -> None:
    assert requested(0) != requested(1)


@pytest.mark.parametrize("count", [2, 7, 24, 500])
def test_a_batch_is_what_one_after_the_other_asks_for(count: int) -> None:
    assert play(BED, made(), count=count) == requested()


def test_what_is_in_flight_is_not_asked_for_again_and_is_not_waited_for() -> None:
    rows = requested()
    proposal = made().propose(context_of(BED, rows[:3], pending=rows[3:30]), 2)
    assert [choice.index for choice in proposal.choices] == rows[30:32]


def test_what_is_abandoned_is_left_out_and_the_campaign_goes_on() -> None:
    rows = requested()
    gone = rows[5:9]
    left = [row for row in rows if row not in gone]
    proposal = made().propose(context_of(BED, left[:20], gone=gone), 3)
    assert [choice.index for choice in proposal.choices] == left[20:23]
    end = made().propose(context_of(BED, left, gone=gone), 1)
    assert end.choices == ()
    assert end.details["rounds_over"] == 3.0
    assert 1.0 < end.details["rows_kept"] < 25.0


def test_what_is_known_from_the_start_is_not_asked_for() -> None:
    rows = requested()
    known = rows[10:14]
    assert [choice.index for choice in made().propose(context_of(BED, known), 12).choices] == rows[:10] + rows[14:16]


def test_a_policy_that_lived_through_and_a_fresh_one_propose_the_same() -> None:
    lived, rows = made(), requested()
    for known in range(0, len(rows), 3):
        context = context_of(BED, rows[:known])
        assert lived.propose(context, 2) == made().propose(context, 2)


def test_it_says_where_it_is_and_how_far_off_the_told_graph() -> None:
    rows = requested()
    first = made().propose(context_of(BED, []), 1)
    assert first.choices == (Choice(rows[0]),)
    assert first.reason == "the row to begin with, of rows drawn before any value was known"
    late = made().propose(context_of(BED, rows[:30]), 1)
    assert late.reason.startswith(
        "round 2 of 3, batch 2 of 3, of rows drawn before any value was known; 9 rows kept up"
    )
    assert late.reason.endswith("to round 1, 1.11 off the global graph")


def test_its_metrics_are_those_of_the_selection_and_of_all_values() -> None:
    chosen = select(UNIVERSE, "best_of_three", seed=4, rounds=3, batch=8)
    meter = make_meter("causal_reference", OPTIONS, BED.pool, ("x3",), seed=4)
    assert isinstance(meter, SeededMeter)
    assert meter.values() == (None, None, None)
    seen = []
    for number, row in enumerate(requested(4), start=1):
        meter.add(row, float(BED.truth[row]))
        seen.append(meter.values())
        if number == 2 * RECOMPUTED_EVERY:
            known = np.sort(requested(4)[:number])
            graph = UNIVERSE.graph_of(known).weights
            assert seen[-1][1] == laplacian_distance(graph, BED.told.weights)
    assert list(dict.fromkeys(loss for loss, _, _ in seen if loss is not None)) == list(chosen.losses)
    assert seen[0] == (None, None, None)
    assert seen[-1][2] == 25.0


def test_the_account_says_what_it_was_told_and_what_that_cost() -> None:
    meter = make_meter("causal_reference", OPTIONS, BED.pool, ("x3",))
    assert isinstance(meter, AccountingMeter)
    assert meter.account() == "best_of_three: no round is over yet."
    for row in requested():
        meter.add(row, float(BED.truth[row]))
    words = meter.account()
    assert "25 rows kept" in words
    assert "told the answer: every choice compares with the graph of all rows" in words
    assert "2.9 times what it keeps" in words


def test_the_metrics_of_a_campaign_at_random_are_of_all_its_values_alone() -> None:
    meter = make_meter("causal_reference", OPTIONS, BED.pool, ("x3",))
    for row in np.random.default_rng(0).permutation(len(BED.truth))[:100].tolist():
        meter.add(row, float(BED.truth[row]))
    loss, of_all, rows_kept = meter.values()
    assert (loss, rows_kept) == (None, None)
    assert of_all is not None


def test_the_metrics_are_told_by_their_names() -> None:
    names = [metric.name for metric in declared_metrics("causal_reference", OPTIONS, "D", BED.pool)]
    assert names == ["graph_loss", "graph_loss_of_all", "rows_kept"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"global_graph": None}, "not told the global graph.*entropilot global-graph"),
        ({"global_graph": "graph.json"}, "global_graph is none"),
        ({"arm": "random"}, "no arm 'random'"),
        ({"subsets": 0}, "option subsets is 0"),
        ({"batch": 2.5}, "option batch is 2.5"),
        ({"rounds": 0}, "option rounds is 0"),
        ({"subset_seed": -1}, "option subset_seed is -1"),
        ({"subset_features": "kind"}, "option subset_features is 'kind'"),
        ({"subset_features": [3]}, r"option subset_features is \[3\]"),
        ({"global_grap": {}}, "use global_graph instead"),
    ],
)
def test_a_wrong_option_is_refused_when_the_policy_is_made(options: dict[str, object], found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        make_policy("causal_reference", OPTIONS | options)


def test_a_pool_that_does_not_fit_is_refused() -> None:
    unnamed = replace(BED, pool=replace(BED.pool, feature_names=()))
    with pytest.raises(SettingsError, match=r"no feature 'x0'.*named features"):
        made().propose(context_of(unnamed, []), 1)
    with pytest.raises(SettingsError, match="A batch has 241 rows, the smallest subset 240"):
        made(batch=241).propose(context_of(BED, []), 1)
    with pytest.raises(SettingsError, match="graph is of 'x3', and the campaign is of 'dipole'"):
        make_meter("causal_reference", OPTIONS, BED.pool, ("dipole",))
