"""What a run folder tells of any moment is what the fold of its journal says, and what `why` says (A8)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.campaign.events import ObservationRetracted
from agent.campaign.life_cycle import CandidateStatus
from protocols.errors import StoreError
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.run_source import RunSource
from scenarios.watch.state.moment import Moment
from scenarios.why.explain import explain
from tests.support.runs.watched_runs import CLOSED, POOL, Stand, random_run, stands_of

STEPS = 50


def assert_is(moment: Moment, stand: Stand) -> None:
    """Hold a moment against the fold."""
    campaign, point = stand.ledger.campaign, stand.ledger.point()
    told = {each.family: (each.size, each.entropy) for each in moment.families}
    assert told == dict(zip(point.families, zip(point.sizes, point.entropies, strict=True), strict=True))
    bands = dict(zip(point.families, stand.ledger.meter.bands(), strict=True))
    for each in moment.families:
        band = bands[each.family]
        assert (each.low is None) == (band is None)
        assert band is None or (each.low, each.high) == pytest.approx(band, abs=1e-12)
    assert moment.metrics == {metric.name: value for metric, value in point.figures}
    assert moment.starved_family == point.starved_family
    best = {each.metric: (each.observation, each.value) for each in moment.best}
    assert best == {each.metric.name: (each.observation, each.value) for each in stand.ledger.best.figures()}
    assert moment.sequence == campaign.sequence
    assert (moment.spent, moment.budget) == (campaign.spent, campaign.budget)
    assert moment.abandoned == int((campaign.statuses == CandidateStatus.ABANDONED).sum())
    assert [each.attempt_id for each in moment.in_flight] == list(campaign.in_flight)
    known = [POOL.candidate(each.candidate) for each in moment.in_flight]
    assert [(each.name, each.family) for each in moment.in_flight] == [(each.source_id, each.family) for each in known]
    assert moment.phase in {str(campaign.phase), "interrupted" if stand.observation is None else ""}
    assert moment.reason == campaign.standing_reason
    assert (moment.awaiting_approval, moment.held) == (tuple(campaign.awaiting_approval), campaign.is_held_up)


def assert_decision_is(moment: Moment, stand: Stand) -> None:
    """Hold the decision of a moment against what `why` would say of it, had the journal ended there."""
    if stand.decision is None:
        assert moment.decision is None
        return
    right, card = explain(stand.events, POOL, stand.decision.decision), moment.decision
    assert card is not None
    assert (card.decision, card.sequence, card.based_on) == (right.decision, right.row, right.based_on)
    assert (card.policy, card.seed, card.reason) == (right.policy, right.seed, right.reason)
    assert (card.target_family, card.margin) == (right.target_family, right.margin)
    assert (card.known_then, card.in_flight_then) == (right.then.known, len(right.then.in_flight))
    chosen = [(each.candidate.candidate_id, each.outcome.value) for each in right.chosen]
    assert [(each.candidate, each.measured) for each in card.candidates] == chosen


def assert_dataset_is(source: RunSource, stand: Stand) -> None:
    """Hold the dataset of a moment against the fold."""
    campaign, page = stand.ledger.campaign, source.dataset(at=stand.observation)
    known = np.flatnonzero(~np.isnan(campaign.values)).tolist()
    right = {campaign.pool.candidate_ids[index]: float(campaign.values[index]) for index in known}
    assert {row.candidate: row.value for row in page.rows if row.retracted is None} == right
    taken_back = [event for event in stand.events if isinstance(event, ObservationRetracted)]
    assert sorted(row.candidate for row in page.rows if row.retracted) == sorted(e.candidate_id for e in taken_back)
    assert page.total == len(page.rows) == len(right) + len(taken_back)


@pytest.mark.parametrize("seed", range(6))
def test_any_moment_of_the_past_is_as_the_fold_of_the_journal_says(tmp_path: Path, seed: int) -> None:
    random_run(tmp_path / "demo", seed)
    source = open_run(tmp_path / "demo")
    last = source.moment().last_observation
    assert last is not None
    wanted = set(np.random.default_rng(seed).integers(0, last + 1, STEPS).tolist())
    for stand in stands_of(tmp_path / "demo", wanted):
        moment = source.moment(stand.observation)
        assert_is(moment, stand)
        assert_decision_is(moment, stand)
        assert_dataset_is(source, stand)
    campaign = stand.ledger.campaign
    closed = [which for which in POOL.candidate_ids if campaign.status_of(which) in CLOSED]
    assert sorted(each.candidate for each in source.set_aside()) == sorted(closed)
    card = source.card()
    assert (card.spent, card.budget, card.in_flight) == (campaign.spent, campaign.budget, len(campaign.in_flight))
    assert card.observation == last
    source.close()


def test_a_source_that_reads_on_tells_the_same_as_one_that_is_opened_afterwards(tmp_path: Path) -> None:
    random_run(tmp_path / "demo", 7)
    early = open_run(tmp_path / "demo")
    end = early.moment()
    again = open_run(tmp_path / "demo")
    assert again.moment() == end
    assert again.version() == early.version() == end.sequence
    early.close()
    again.close()


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    random_run(tmp_path / "demo", 1)
    source = open_run(tmp_path / "demo")
    last = source.moment().last_observation
    with pytest.raises(StoreError, match=rf"no observation 999.*from 0 to {last}"):
        source.moment(999)
    with pytest.raises(StoreError, match="no decision 999"):
        source.decision(999)
    source.close()
