"""A recording is followed by the rules of today, and whatever is not as recorded is said, by its row."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable

import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.registry import make_policy
from agent.pool.candidates import Pool
from agent.runtime.transaction import SENT_AGAIN, Transaction
from protocols.errors import StoreError
from protocols.recording.lines import IN, AnyRow, EventRow, MessageRow, StartRow, TransactionRow
from protocols.recording.reader import open_recording
from scenarios.diff.diff import _Collected
from scenarios.replay.decisions import Decision
from scenarios.replay.findings import ReplayOutcome
from scenarios.replay.follow import Follower
from scenarios.replay.recorded_campaign import RecordedCampaign
from scenarios.settings.library import RECORDED
from scenarios.sources.recording import recorded_scenario
from scenarios.world.world import build_world
from tests.support.campaigns import small_pool, with_source_ids
from tests.support.goldens import GOLDENS

Ask = Callable[[AcquisitionContext, int], Proposal]


def random_policy() -> Ask:
    return make_policy("random", {}).propose


@pytest.fixture(scope="module")
def rows() -> list[AnyRow]:
    """A golden with failures, deadlines and retries."""
    with open_recording(GOLDENS / f"four_instruments{RECORDED}") as recording:
        return list(recording.rows())


@pytest.fixture(scope="module")
def pool() -> Pool:
    return build_world(recorded_scenario(GOLDENS / f"four_instruments{RECORDED}")).pool


def followed(pool: Pool, rows: list[AnyRow], ask: Ask | None = None) -> ReplayOutcome:
    follower = Follower(pool, ask)
    for row in rows:
        follower.take(row)
    return follower.finish()


def first_step(rows: list[AnyRow], *, made: bool = False, taking: str = "") -> int:
    """Return the place of the first step that made a decision, or took an input of a kind."""
    return next(
        place
        for place, row in enumerate(rows)
        if isinstance(row, TransactionRow)
        and (not made or row.made)
        and (not taking or any(taking in each for each in row.took))
    )


def test_who_believes_the_recording_follows_it_to_its_end(pool: Pool, rows: list[AnyRow]) -> None:
    outcome = followed(pool, rows)
    assert outcome.is_identical
    assert (outcome.decisions, outcome.phase) == (0, "finished")
    assert outcome.rows == len(rows)
    assert outcome.messages == sum(isinstance(row, MessageRow) for row in rows)


def test_another_policy_is_told_from_the_recorded_one_decision_by_decision(pool: Pool, rows: list[AnyRow]) -> None:
    outcome = followed(pool, rows, random_policy())
    assert outcome.identical + outcome.differing == outcome.decisions == 60
    assert outcome.differing > 30
    assert outcome.lost == "", "what is recorded is followed nevertheless"
    first = outcome.first_difference
    assert first is not None
    assert first.recorded is not None
    assert first.today is not None
    assert first.recorded.candidate_ids != first.today.candidate_ids
    assert first.at.row == rows[first_step(rows, made=True)].number
    assert first.state["observed"] == "84"


def test_the_same_choice_with_another_score_is_identical_and_noted(pool: Pool, rows: list[AnyRow]) -> None:
    made = iter([event for row in rows if isinstance(row, TransactionRow) for event in row.made])

    def same_with_no_scores(context: AcquisitionContext, _count: int) -> Proposal:
        event = next(made)[1]
        assert event["decision"] == context.decision
        choices = tuple(Choice(pool.index_of[each], 1.0) for each in event["candidate_ids"])
        return Proposal(choices, "the same", target_family=event["target_family"])

    outcome = followed(pool, rows, same_with_no_scores)
    assert outcome.is_identical
    assert outcome.other_figures == outcome.identical == 60
    assert outcome.first_other_figure.startswith("decision 0: the score of")


def test_a_message_that_is_missing_is_said_by_its_row(pool: Pool, rows: list[AnyRow]) -> None:
    place = first_step(rows, taking="row")
    taken = rows[place].took[0]["row"]  # type: ignore[union-attr]
    outcome = followed(pool, [row for row in rows if row.number != taken])
    assert outcome.lost.startswith(f"row {rows[place].number}: ")
    assert not outcome.is_identical


def test_a_step_that_leads_elsewhere_is_said(pool: Pool, rows: list[AnyRow]) -> None:
    place = first_step(rows, made=True)
    transaction = rows[place]
    assert isinstance(transaction, TransactionRow)
    changed = [*rows[:place], dataclasses.replace(transaction, sequence=transaction.sequence + 1), *rows[place + 1 :]]
    assert "the journal was at row" in followed(pool, changed).lost


def test_a_step_that_was_not_committed_is_not_followed(pool: Pool, rows: list[AnyRow]) -> None:
    """The process died between the note and the commit: the journal stands where the step began."""
    place = first_step(rows, made=True)
    transaction = rows[place]
    assert isinstance(transaction, TransactionRow)
    killed = [*rows[: place + 1], StartRow(transaction.number + 1, transaction.time_s, transaction.before)]
    outcome = followed(pool, killed)
    assert (outcome.lost, outcome.events) == ("", 2)
    committed = [*rows[: place + 1], StartRow(transaction.number + 1, transaction.time_s, transaction.sequence)]
    assert followed(pool, committed).events == 2 + transaction.sequence - transaction.before


def test_a_gap_in_the_journal_is_said_with_both_numbers(pool: Pool, rows: list[AnyRow]) -> None:
    event = next(row for row in rows if isinstance(row, EventRow))
    with pytest.raises(StoreError, match="row 5 of the journal; expected row 3"):
        followed(pool, [*rows[:2], dataclasses.replace(event, sequence=5)])


def test_a_recording_without_a_beginning_cannot_be_followed(pool: Pool, rows: list[AnyRow]) -> None:
    without: list[AnyRow] = [row for row in rows if not isinstance(row, EventRow)]
    assert "does not say how the campaign began" in followed(pool, without).lost


def test_an_input_of_an_unknown_kind_is_said(pool: Pool, rows: list[AnyRow]) -> None:
    place = first_step(rows, taking="row")
    transaction = rows[place]
    assert isinstance(transaction, TransactionRow)
    changed = [*rows[:place], dataclasses.replace(transaction, took=({"moved": 1},)), *rows[place + 1 :]]
    assert "no known kind" in followed(pool, changed).lost


def test_the_pool_of_another_campaign_is_refused(rows: list[AnyRow]) -> None:
    assert "this pool is" in followed(small_pool(20), rows).lost


def test_a_campaign_that_begins_anew_in_its_recording_is_collected_anew(pool: Pool, rows: list[AnyRow]) -> None:
    beginning = [row for row in rows if isinstance(row, EventRow)][:2]
    collected, events = RecordedCampaign(), _Collected()

    def note(transaction: Transaction, time_s: float) -> None:
        collected.note(transaction, time_s)
        events.note(transaction, time_s)

    follower = Follower(pool, None, followed=note)
    for row in rows:
        follower.take(row)
    assert len(collected.answers) > 20
    assert len(events.events) > 100
    started_with = dict(collected.start)
    for row in beginning:
        follower.take(row)
    assert (collected.answers, collected.asked, len(collected.points)) == ({}, [], 1)
    assert collected.asked_at == [0]
    assert (collected.start, len(events.events), len(events.points)) == (started_with, 2, 1)


@pytest.mark.parametrize("took", [[{"proposed": [1]}], [{"row": {}}], [{}]])
def test_an_input_of_another_form_ends_the_following_and_is_told(
    pool: Pool, rows: list[AnyRow], took: list[dict[str, object]]
) -> None:
    place = first_step(rows, made=True)
    transaction = rows[place]
    assert isinstance(transaction, TransactionRow)
    forged = dataclasses.replace(transaction, took=tuple(took))
    assert "an input of no known kind" in followed(pool, [*rows[:place], forged, *rows[place + 1 :]]).lost


def test_a_decision_with_scores_of_some_candidates_only_ends_the_following_and_is_told(
    pool: Pool, rows: list[AnyRow]
) -> None:
    place = first_step(rows, made=True)
    transaction = rows[place]
    assert isinstance(transaction, TransactionRow)
    ((kind, decision), *others) = transaction.made
    scored = decision | {"scores": [*decision["scores"], 1.0]}
    forged = dataclasses.replace(transaction, made=((kind, scored), *others))
    assert "1 candidates and 2 scores" in followed(pool, [*rows[:place], forged, *rows[place + 1 :]]).lost


def test_a_decision_without_scores_is_compared_by_its_candidates(pool: Pool) -> None:
    name = pool.candidate_ids[0]
    scored, unscored = Decision(0, (name,), (1.0,)), Decision(0, (name,))
    assert unscored.other_figure(unscored) == ""
    assert "none then, 1 now" in unscored.other_figure(scored)


def test_a_difference_says_what_the_table_calls_the_candidates(pool: Pool, rows: list[AnyRow]) -> None:
    plain, called = (followed(each, rows, random_policy()).first_difference for each in (pool, with_source_ids(pool)))
    assert plain is not None
    assert called is not None
    assert "in the table" not in plain.state
    chosen = [each for decision in (called.recorded, called.today) if decision for each in decision.candidate_ids]
    assert all(f"({which})" in called.state["in the table"] for which in chosen)


def test_messages_that_were_cut_or_only_counted_are_counted_as_they_were_judged(pool: Pool, rows: list[AnyRow]) -> None:
    step = first_step(rows, taking="row")
    taken = rows[step]
    assert isinstance(taken, TransactionRow)
    whole = next(row for row in rows if isinstance(row, MessageRow) and row.number == taken.took[0]["row"])
    cut = dataclasses.replace(whole, number=10**6, payload=b"{", verdict="quarantined: not_json", cut_from_bytes=60_000)
    took = ({"row": cut.number}, *taken.took, {"counted": "candidate_result: duplicate", "times": 7})
    counts: Counter[str] = Counter()
    follower = Follower(pool, None, followed=lambda transaction, _time_s: counts.update(transaction.counts))
    before = followed(pool, rows)
    for row in (*rows[:step], cut, dataclasses.replace(taken, took=took), *rows[step + 1 :]):
        follower.take(row)
    outcome = follower.finish()
    assert (outcome.lost, outcome.events) == ("", before.events)
    assert counts["quarantined: not_json"] >= 1
    assert counts["candidate_result: duplicate"] >= 7


def statuses_and_counts(pool: Pool, rows: list[AnyRow]) -> tuple[int, Counter[str]]:
    """Return how many statuses are acted on, and what is counted."""
    acted_on, counts = 0, Counter[str]()

    def note(transaction: Transaction, _time_s: float) -> None:
        nonlocal acted_on
        acted_on += len(transaction.statuses)
        counts.update(transaction.counts)

    follower = Follower(pool, None, followed=note)
    for row in rows:
        follower.take(row)
    outcome = follower.finish()
    assert (outcome.lost, outcome.differing) == ("", 0)
    return acted_on, counts


@pytest.mark.parametrize(("verdict", "acted_on"), [("", 2), (SENT_AGAIN, 1)])
def test_a_signed_status_that_was_sent_again_is_taken_as_its_agent_judged_it(
    pool: Pool, rows: list[AnyRow], verdict: str, acted_on: int
) -> None:
    place = first_step(rows, made=True)
    step = rows[place]
    assert isinstance(step, TransactionRow)
    heard = next(row for row in rows if isinstance(row, MessageRow) and row.direction == IN and "/status/" in row.topic)
    status = dataclasses.replace(heard, number=10**6, signed_by=heard.topic.rpartition("/")[2])
    again = dataclasses.replace(status, number=10**6 + 1, verdict=verdict)
    took = ({"row": status.number}, {"row": again.number})
    taking = TransactionRow(10**6 + 2, step.time_s, took, (), step.sequence, step.sequence)
    before, _ = statuses_and_counts(pool, rows)
    after, counts = statuses_and_counts(pool, [*rows[: place + 1], status, again, taking, *rows[place + 1 :]])
    assert (after - before, counts[SENT_AGAIN]) == (acted_on, 2 - acted_on)
