"""What was asked is seen as the journal has it: by id, by candidate, by instrument, and by the table's own names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.campaign.plan import Ordering
from agent.runtime.asked import LATEST, AskedAttempts, facts_of
from agent.runtime.messages import MessageBuilder
from agent.settings import CampaignSettings
from agent.store.commit import OutboxItem
from tests.support.campaigns import NOW, result_of, small_plan, small_pool, with_source_ids
from tests.support.stored_campaigns import Shelf, delivered, opened

POOL = with_source_ids(small_pool(24))
PLAN = small_plan(POOL, budget=8, parallel=2, ordering=Ordering.AS_COMPLETED)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = opened(tmp_path / "campaign.db", POOL)
    yield Shelf(store, POOL, PLAN)
    store.close()


def asked(shelf: Shelf) -> AskedAttempts:
    messages = MessageBuilder(PLAN, evaluation_deadline_s=5.0, clock=lambda: NOW)
    return AskedAttempts(shelf.campaign, messages)


def test_an_attempt_is_found_by_its_id_with_what_answered_it(shelf: Shelf) -> None:
    seen, first = asked(shelf), shelf.awaited[0]
    found = seen.find(first.attempt_id)
    assert found is not None
    assert (found.candidate_id, found.instrument, found.in_flight) == (first.candidate_id, "simulator-1", True)
    answer = result_of(first)
    shelf.transaction(delivered(answer))
    found = seen.find(first.attempt_id)
    assert found is not None
    assert (found.in_flight, found.answered_by) == (False, (answer.message_id,))
    assert seen.find("nobody") is None


def test_attempts_of_a_candidate_and_of_an_instrument_are_followed_while_the_journal_grows(shelf: Shelf) -> None:
    seen, first = asked(shelf), shelf.awaited[0]
    assert [each.attempt_id for each in seen.of_candidate(first.candidate_id)] == [first.attempt_id]
    before = len(seen.of_instrument("simulator-1"))
    shelf.transaction(delivered(result_of(first)))
    assert len(seen.of_instrument("simulator-1")) == before + 1
    open_now = [each.attempt_id for each in seen.of_instrument("simulator-1") if each.in_flight]
    assert open_now == [each.attempt_id for each in shelf.awaited]
    assert (seen.of_candidate("nobody"), seen.of_instrument("nobody")) == ([], [])


def test_of_many_attempts_the_latest_are_seen_and_all_that_are_open(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LATEST > 1
    monkeypatch.setattr("agent.runtime.asked.LATEST", 1)
    first = shelf.awaited[0]
    while len(shelf.campaign.attempts) < 6:
        shelf.transaction(delivered(result_of(next(each for each in shelf.awaited if each is not first))))
    seen = [each.attempt_id for each in asked(shelf).of_instrument("simulator-1")]
    assert seen[0] == first.attempt_id  # the oldest, which is still open
    assert len(seen) == 2


def test_a_candidate_is_known_by_the_name_of_its_table(shelf: Shelf) -> None:
    seen = asked(shelf)
    assert seen.candidate_named("C 3/α") == "c003"
    assert seen.candidate_named("C 99/α") is None


def test_a_request_is_seen_as_it_was_written(shelf: Shelf) -> None:
    attempt = shelf.awaited[0]
    document = asked(shelf).request_of(attempt.attempt_id)
    assert (document["attempt_id"], document["campaign"]) == (attempt.attempt_id, "demo")
    assert document["source_id"] == POOL.candidate(attempt.candidate_id).source_id


def test_features_go_by_their_names(shelf: Shelf) -> None:
    features = asked(shelf).features_of("c004")
    assert features == dict(zip(("f0", "f1", "f2"), POOL.features[4].tolist(), strict=True))


def test_what_the_broker_confirmed_was_sent(shelf: Shelf) -> None:
    first, second = shelf.awaited
    unconfirmed = [OutboxItem(second.attempt_id, "topic", b"{}")]
    assert asked(shelf).sent(unconfirmed) == {first.attempt_id}


def test_the_facts_of_a_campaign_are_those_of_its_plan() -> None:
    settings = CampaignSettings(property="formation_energy", unit="eV/atom", budget=8, request_timeout_s=7.0)
    facts = facts_of(PLAN, settings, POOL)
    assert (facts.campaign, facts.units) == ("demo", {"formation_energy": "eV/atom"})
    assert (facts.features, facts.parallel, facts.request_timeout_s) == (("f0", "f1", "f2"), 2, 7.0)
