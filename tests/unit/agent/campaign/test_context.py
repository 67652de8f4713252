"""What a policy sees: in order it is the same whoever answers first; as completed it is all that there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.acquisition.base import AcquisitionContext
from agent.campaign.context import ContextMaker, make_context, pool_arrays
from agent.campaign.decide import decide_result
from agent.campaign.plan import Ordering
from agent.campaign.state import Campaign
from agent.entropy.measure import EntropyMeasure
from protocols.wire.messages import ControlAction, FailureReason
from tests.support.campaigns import Play, quantity, result_of, small_plan, small_pool, value_of

POOL = small_pool(30)
START = ("c000", "c007", "c013")


def play(**changes: object) -> Play:
    played = Play(POOL, small_plan(POOL, **({"budget": 20} | changes)), START)
    played.settle()
    return played


def plain(context: AcquisitionContext) -> tuple[object, ...]:
    parts = (context.observed, context.values, context.acquired, context.pending, context.available)
    return (context.decision, context.seed, *(part.tolist() for part in parts))


def finished(draw: st.DataObject, *, troubled: bool, **changes: object) -> Play:
    """Play a campaign to its end, the answers coming in any order and, if troubled, after failures and expiries."""
    played = play(**changes)
    while played.awaited:
        attempt = played.awaited[draw.draw(st.integers(0, len(played.awaited) - 1))]
        trouble = draw.draw(st.sampled_from(["none", "crash", "silence"])) if troubled and attempt.number < 3 else ""
        if trouble == "crash":
            played.fail(attempt, FailureReason.CRASHED)
        elif trouble == "silence":
            played.expire(attempt)
        else:
            played.answer(attempt)
    return played


@settings(max_examples=40)
@given(data=st.data(), parallel_batch=st.sampled_from([(1, 1), (3, 1), (4, 2), (5, 2), (4, 4)]), troubled=st.booleans())
def test_in_order_the_contexts_are_the_same_for_any_order_of_answers(
    data: st.DataObject, parallel_batch: tuple[int, int], troubled: bool
) -> None:
    parallel, batch = parallel_batch
    reference = play(parallel=parallel, batch=batch)
    while reference.awaited:
        reference.answer(reference.awaited[0])
    other = finished(data, troubled=troubled, parallel=parallel, batch=batch)
    assert [plain(context) for context in other.contexts] == [plain(context) for context in reference.contexts]


@settings(max_examples=20)
@given(data=st.data())
def test_every_context_is_sound_whatever_the_ordering(data: st.DataObject) -> None:
    ordering = data.draw(st.sampled_from(list(Ordering)))
    played = finished(data, troubled=True, parallel=4, batch=2, ordering=ordering)
    for context in played.contexts:
        groups = [set(part.tolist()) for part in (context.observed, context.pending, context.available)]
        assert sum(len(group) for group in groups) == len(set.union(*groups))  # disjoint
        assert set(context.acquired.tolist()) <= groups[0]
        assert all(np.all(np.diff(part) > 0) for part in (context.observed, context.pending, context.available))
        assert context.values.tolist() == [value_of(POOL.candidate_ids[i]) for i in context.observed]


@settings(max_examples=30)
@given(data=st.data())
def test_a_context_made_from_the_one_before_is_the_one_made_of_nothing(data: st.DataObject) -> None:
    """However much has happened between the two."""
    ordering = data.draw(st.sampled_from(list(Ordering)))
    journal = finished(data, troubled=True, parallel=4, batch=2, ordering=ordering).journal
    campaign, arrays = Campaign(POOL), pool_arrays(POOL)
    maker = ContextMaker(campaign, arrays)
    for event in journal:
        campaign.apply(event)
        if data.draw(st.booleans()):
            assert plain(maker.context()) == plain(make_context(campaign, arrays))


def test_nobody_can_write_to_what_contexts_share() -> None:
    context = play().contexts[0]
    for shared in (context.observed, context.available):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 1


def test_as_completed_uses_every_result_at_once() -> None:
    played = play(parallel=3, ordering=Ordering.AS_COMPLETED)
    answered = played.awaited[1]
    played.answer(answered)
    context = played.contexts[-1]
    index = POOL.index_of[answered.candidate_id]
    assert context.acquired.tolist() == [index]
    assert index in context.observed
    assert index not in context.pending
    assert len(context.pending) == 2


def test_in_order_the_last_lag_minus_one_decisions_count_as_pending_even_when_they_have_answered() -> None:
    played = play(parallel=3)
    slow, *quick = played.awaited
    for attempt in quick:
        played.answer(attempt)
    played.answer(slow)
    context = next(context for context in played.contexts if context.decision == 3)
    hidden = sorted(POOL.index_of[attempt.candidate_id] for attempt in quick)
    assert context.pending.tolist() == hidden
    assert context.acquired.tolist() == [POOL.index_of[slow.candidate_id]]
    assert not set(hidden) & set(context.observed.tolist())


def test_the_seed_of_the_campaign_stays_while_that_of_the_decision_changes() -> None:
    played = play(seed=11, parallel=2)
    contexts = [make_context(played.campaign, pool_arrays(POOL))]
    played.answer(played.awaited[0])
    contexts.append(make_context(played.campaign, pool_arrays(POOL)))
    assert [context.campaign_seed for context in contexts] == [11, 11]
    assert contexts[0].seed != contexts[1].seed


def test_waiting_candidates_are_pending_to_a_policy() -> None:
    played = play(parallel=2, ordering=Ordering.AS_COMPLETED)
    played.steer(ControlAction.PAUSE)
    retry_pending = played.awaited[0]
    played.expire(retry_pending)
    context = make_context(played.campaign, played.arrays)
    assert POOL.index_of[retry_pending.candidate_id] in context.pending


@pytest.mark.parametrize("ordering", Ordering)
def test_an_observation_by_hand_is_seen_and_is_not_acquired(ordering: Ordering) -> None:
    played = play(ordering=ordering)
    played.steer(ControlAction.ADD_OBSERVATION, "c020", quantity=quantity(1.0))
    played.answer(played.awaited[0])
    context = played.contexts[-1]
    assert 20 in context.observed
    assert 20 not in context.acquired


def test_a_context_says_which_entropy_the_campaign_means() -> None:
    played = play(estimator="kozachenko_leonenko", resolution=0.125)
    assert played.contexts[0].measure == EntropyMeasure("kozachenko_leonenko", 0.125)
    assert play().contexts[0].measure == EntropyMeasure()


def test_a_context_is_a_copy_that_later_events_do_not_change() -> None:
    played = play()
    before = make_context(played.campaign, pool_arrays(POOL))
    kept = plain(before)
    for _ in range(5):
        played.answer(played.awaited[0])
    assert plain(before) == kept


def test_the_uncertainty_of_a_value_is_seen_with_it() -> None:
    played = play()
    attempt = played.awaited[0]
    certain = quantity(value_of(attempt.candidate_id))
    played.take(
        decide_result(played.campaign, result_of(attempt, certain.model_copy(update={"standard_deviation": 0.25})))
    )
    context = make_context(played.campaign, pool_arrays(POOL))
    known = dict(zip(context.observed.tolist(), context.target_uncertainties[0].tolist(), strict=True))
    index = POOL.index_of[attempt.candidate_id]
    assert known.pop(index) == 0.25
    assert set(known.values()) == {0.0}
