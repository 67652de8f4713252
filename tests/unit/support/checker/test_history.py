"""The checker finds every broken invariant in a history, and none in a good one. It is the test of the tester."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.acquisition.baselines import UniformRandom
from agent.campaign.context import pool_arrays
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.campaign.state import Attempt
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import DeadlinePassed
from protocols.wire.messages import CandidateFailure, CandidateResult, ControlAction, FailureReason
from tests.support.campaigns import control, failure_of, quantity, result_of, small_plan, small_pool
from tests.support.checker.history import BROKER, Ending, History, Shutdown, Verdict, check
from tests.support.checker.ledger import Entry, answer_digest
from tests.support.stored_campaigns import Shelf, delivered, opened
from tests.support.user_policies import ContentAfter

Rows = list[tuple[str, dict[str, Any]]]


@dataclass
class OnProgress:
    """A history in the making: a real campaign, and what its lab and broker wrote down."""

    path: Path
    entries: list[Entry]
    history: History

    def verdict(self) -> Verdict:
        return check(replace(self.history, ledger=self.entries))

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            assert database.execute(statement, values).rowcount != 0, f"nothing changed: {statement}"

    def journal(self) -> Rows:
        with closing(sqlite3.connect(self.path)) as database:
            return [(kind, json.loads(text)) for kind, text in database.execute("SELECT kind, payload FROM journal")]

    def rewrite(self, rows: Rows) -> None:
        """Write another journal with an unbroken chain: its content must give it away."""
        digest, content = "0" * 64, []
        for number, (kind, event) in enumerate(rows, 1):
            text = json.dumps(event)
            digest = hashlib.sha256(f"{digest}|{number}|{kind}|{text}".encode()).hexdigest()
            content.append((number, kind, text, "now", digest))
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("DELETE FROM journal")
            database.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", content)

    def change(self, kind: str, change: Callable[[dict[str, Any]], Any], *, which: int = 0) -> None:
        """Change one event of a kind."""
        rows = self.journal()
        change([event for name, event in rows if name == kind][which])
        self.rewrite(rows)

    def insert(self, *events: tuple[str, dict[str, Any]], after: str) -> None:
        """Put events after the last one of a kind."""
        rows = self.journal()
        at = max(place for place, (kind, _) in enumerate(rows) if kind == after) + 1
        self.rewrite([*rows[:at], *events, *rows[at:]])

    def first(self, kind: str) -> dict[str, Any]:
        return next(event for name, event in self.journal() if name == kind)

    def receipt_for(self, attempt: str, status: str, digest: str = "") -> None:
        """Let the lab have answered and got a receipt."""
        self.entries.append(Entry("simulator-1", 1, "sending", attempt, "", digest or "0" * 16))
        self.entries.append(Entry("simulator-1", 1, "receipt", attempt, status=status))


@pytest.fixture
def told(tmp_path: Path) -> OnProgress:
    """A campaign with a bit of everything: results, a failure, an expiry, a late and a refused result, a control."""
    pool = small_pool(12)
    entries: list[Entry] = []
    with closing(opened(tmp_path / "campaign.db", pool)) as store:
        shelf = Shelf(store, pool, small_plan(pool, budget=5, parallel=2, ordering=Ordering.AS_COMPLETED))

        def answer(message: CandidateResult | CandidateFailure, status: str) -> None:
            attempt, which = message.attempt_id, message.candidate_id
            digest = answer_digest(message)
            for what in ("asked", "began"):
                if not any(entry.what == what and entry.attempt == attempt for entry in entries):
                    entries.append(Entry("simulator-1", 1, what, attempt, which))
            ending = "evaluated" if isinstance(message, CandidateResult) else "failed"
            entries.extend(
                Entry("simulator-1", 1, what, attempt, which, digest) for what in (ending, "sending", "sent")
            )
            shelf.transaction(delivered(message))
            kind = "result" if isinstance(message, CandidateResult) else "failure"
            entries.append(Entry(BROKER, store.sequence, "acknowledged", attempt, status=kind))
            entries.append(Entry("simulator-1", 1, "receipt", attempt, status=status))

        def oldest() -> Attempt:
            return shelf.awaited[0]

        answer(failure_of(oldest(), FailureReason.CRASHED), "accepted")
        answer(result_of(oldest(), quantity(99.0)), "refused")
        late = oldest()
        shelf.transaction(DeadlinePassed(late.attempt_id))
        answer(result_of(oldest()), "accepted")
        while shelf.campaign.status_of(late.candidate_id).name != "OBSERVED":
            answer(result_of(oldest()), "accepted")
        if not late.results:
            answer(result_of(late), "late")
        shelf.transaction(delivered(control(ControlAction.RESUME)))
        while shelf.campaign.phase is not Phase.FINISHED:
            answer(result_of(oldest()), "accepted")
    arrays = pool_arrays(pool)
    history = History(database=tmp_path / "campaign.db", ledger=(), pool=arrays, policy=UniformRandom())
    return OnProgress(tmp_path / "campaign.db", entries, history)


def test_a_good_history_has_no_violation_and_its_figures_are_counted(told: OnProgress) -> None:
    verdict = told.verdict()
    assert verdict.violations == []
    assert verdict.figures["decisions proposed again"] == 5
    assert verdict.figures["ResultAccepted"] == 5
    assert verdict.figures["LateResultKept"] == 1
    assert verdict.figures["receipts"] == 8
    assert not any(verdict.unknown.values())


def _forget_attempt(told: OnProgress) -> None:
    """Lose a result that has a receipt, and renumber the rest."""
    rows = told.journal()
    told.rewrite([row for row in rows if row != ("ResultAccepted", told.first("ResultAccepted"))])


def _another_value(told: OnProgress) -> None:
    def change(event: dict[str, Any]) -> None:
        event["value"] = event["quantities"][0]["value"] = 1.0

    told.change("ResultAccepted", change)


def _swap_events(told: OnProgress) -> None:
    """Request a candidate again before its failure is recorded."""
    rows = told.journal()
    at = next(place for place, (kind, _) in enumerate(rows) if kind == "AttemptFailed")
    again = next(place for place, (kind, event) in enumerate(rows) if kind == "RequestIssued" and event["attempt"] == 2)
    rows.insert(at, rows.pop(again))
    told.rewrite(rows)


def _overspend(told: OnProgress) -> None:
    told.change("CampaignStarted", lambda event: event["plan"].update(budget=4))


def _too_many_in_flight(told: OnProgress) -> None:
    told.change("CampaignStarted", lambda event: event["plan"].update(parallel=1))


def _began_twice(told: OnProgress) -> None:
    told.entries.append(next(entry for entry in told.entries if entry.what == "began"))


def _began_elsewhere(told: OnProgress) -> None:
    began = next(entry for entry in told.entries if entry.what == "began")
    told.entries.append(replace(began, lab="simulator-2"))


def _asked_unknown(told: OnProgress) -> None:
    told.entries.append(Entry("simulator-1", 1, "asked", "nobody-a1", "c000"))


def _never_sent(told: OnProgress) -> None:
    told.entries[:] = [entry for entry in told.entries if entry.what != "sending"]


def _foreign_answer(told: OnProgress) -> None:
    told.change("ResultAccepted", lambda event: event.update(simulator="intruder"))


def _acknowledged_lost(told: OnProgress) -> None:
    told.entries.append(Entry(BROKER, 999, "acknowledged", "nobody-a1", status="result"))


def _acknowledged_early(told: OnProgress) -> None:
    early = next(entry for entry in told.entries if entry.what == "acknowledged" and entry.status == "result")
    told.entries.append(replace(early, life=4))


def _observed_twice(told: OnProgress) -> None:
    told.insert(("ResultAccepted", told.first("ResultAccepted")), after="ResultAccepted")


def _answered_twice(told: OnProgress) -> None:
    told.insert(("LateResultKept", told.first("LateResultKept")), after="LateResultKept")


def _control_twice(told: OnProgress) -> None:
    told.insert(("ControlNoted", told.first("ControlNoted")), after="ControlNoted")


def _not_finished(told: OnProgress) -> None:
    told.rewrite(told.journal()[:-1])
    told.history = replace(told.history, ending=Ending(None, 100.0))


def _goes_on(told: OnProgress) -> None:
    told.insert(("ControlNoted", {"action": "pause", "message_id": "m"}), after="CampaignFinished")


def _away(instrument: str) -> tuple[str, dict[str, Any]]:
    return "InstrumentAway", {"instrument": instrument, "reason": "it says so"}


def _abandoned(told: OnProgress) -> tuple[str, dict[str, Any]]:
    return "CandidateAbandoned", {"candidate_id": told.first("AttemptFailed")["candidate_id"], "reason": "tired"}


def _requeued(told: OnProgress) -> tuple[str, dict[str, Any]]:
    return "CandidateRequeued", {"candidate_id": told.first("ResultAccepted")["candidate_id"], "reason": "why"}


def _withdrawn_while_awaited(told: OnProgress) -> None:
    told.receipt_for("never-made", "withdrawn")


def _contradicted(told: OnProgress, kind: str, **changes: Any) -> None:
    """Let a result be contradicted right behind it: by what it said itself, or by nobody's result."""
    event = told.first(kind) | changes
    told.insert(("ResultContradicted", {**event, "message_id": "another"}), after=kind)


def _accepted_again(told: OnProgress) -> None:
    event = told.first("ResultAccepted")
    told.insert(("LateResultKept", event | {"quantities": [], "why": "late"}), after="ResultAccepted")


def _excluded_before(told: OnProgress) -> None:
    which = [event for kind, event in told.journal() if kind == "ResultAccepted"][-1]["candidate_id"]
    told.insert(("CandidateExcluded", {"candidate_id": which, "reason": "toxic"}), after="RequestIssued")


def _heard_of_another(told: OnProgress) -> None:
    attempt = told.first("ResultAccepted")["attempt_id"]
    told.entries.append(Entry("simulator-1", 1, "receipt", attempt, status="accepted", message="a-stranger-s"))


def _more_than_there_is(told: OnProgress) -> None:
    """Let a plan have a stock, and its requests take more than that."""
    supply = {"available": 3.0, "unit": "", "per_request": 1.0, "column": None}

    def limited(event: dict[str, Any]) -> None:
        event["plan"]["limits"]["stock"] = {"tips": supply}

    told.change("CampaignStarted", limited)
    told.change("RequestIssued", lambda event: event.update(takes={"tips": 9.0}))


BREAKS: list[tuple[str, str, Callable[[OnProgress], Any]]] = [
    ("I1", "has a receipt .accepted.", _forget_attempt),
    ("I1", "has a receipt", _another_value),
    ("I1", "receipt .duplicate.*nothing", lambda t: t.receipt_for("nobody-a1", "duplicate")),
    ("I1", "sent no answer", lambda t: t.entries.append(Entry("simulator-1", 1, "receipt", "x", status="late"))),
    ("I1", "receipt .late.", lambda t: t.receipt_for(t.first("ResultAccepted")["attempt_id"], "late")),
    ("I1", "result .* acknowledged", _acknowledged_lost),
    ("I1", "acknowledged and not committed before", _acknowledged_early),
    ("I1", "gone or another", lambda t: setattr(t, "history", replace(t.history, witnessed=[(3, "f" * 64)]))),
    ("I1", "gone or another", lambda t: setattr(t, "history", replace(t.history, witnessed=[(999, "f" * 64)]))),
    ("I2", "observed a second time", _observed_twice),
    ("I2", "answered already", _answered_twice),
    ("I2", "answered already", lambda t: _contradicted(t, "ResultAccepted")),
    (
        "I2",
        "is contradicted, and has no result",
        lambda t: _contradicted(t, "RequestIssued", simulator="simulator-1", quantities=[]),
    ),
    ("I2", "has a result already", _accepted_again),
    ("I2", "after it was excluded", _excluded_before),
    ("I9", "hears accepted of a-stranger-s, which it never sent", _heard_of_another),
    ("I12", "no receipt long after", lambda t: setattr(t, "history", replace(t.history, kept_back=["a1"]))),
    ("I2", "evaluated .* 2 times", _began_twice),
    ("I2", "2 labs evaluated", _began_elsewhere),
    ("I3", "neither failed nor expired", _swap_events),
    ("I3", "used twice", lambda t: t.insert(("RequestIssued", t.first("RequestIssued")), after="RequestIssued")),
    ("I3", "not in the journal", _asked_unknown),
    (
        "I3",
        "abandoned without",
        lambda t: t.insert(("CandidateAbandoned", t.first("RequestIssued")), after="DecisionMade"),
    ),
    (
        "I3",
        "nobody waits for it",
        lambda t: t.insert(("RequestExpired", t.first("ResultAccepted")), after="ResultAccepted"),
    ),
    ("I4", "the dataset", lambda t: t.sql("UPDATE observation SET value = value + 1 WHERE source = 'simulator-1'")),
    ("I4", "the dataset", lambda t: t.sql("UPDATE observation SET family = 'other'")),
    ("I4", "the dataset", lambda t: t.sql("DELETE FROM observation WHERE source = 'simulator-1'")),
    ("I4", "the requests", lambda t: t.sql("UPDATE request SET outcome = ''")),
    ("I4", "the outbox", lambda t: t.sql("INSERT INTO outbox VALUES ('nobody-a1', 't', x'00')")),
    ("I4", "the bias trajectory", lambda t: t.sql("DELETE FROM bias_point WHERE observation = 2")),
    ("I4", "bias point", lambda t: t.sql("UPDATE bias_point SET entropy_std = 7.0")),
    ("I4", "family", lambda t: t.sql("UPDATE bias_family SET size = size + 1")),
    ("I5", "undisturbed", lambda t: setattr(t, "history", replace(t.history, twin=[["c000"]] * 5))),
    ("I5", "decisions; undisturbed", lambda t: setattr(t, "history", replace(t.history, twin=_chosen(t)[:3]))),
    ("I5", "carried out twice", _control_twice),
    ("I5", "follows", lambda t: t.change("DecisionMade", lambda event: event.update(decision=7), which=2)),
    ("I6", "proposed again", lambda t: t.change("DecisionMade", lambda e: e.update(candidate_ids=["c011"]), which=4)),
    ("I6", "has seed", lambda t: t.change("DecisionMade", lambda event: event.update(seed=1), which=2)),
    ("I6", "has score", lambda t: t.change("DecisionMade", lambda event: event.update(scores=[0.5]), which=2)),
    ("I6", "based on", lambda t: t.change("DecisionMade", lambda event: event.update(based_on=999), which=2)),
    ("I6", "before the one before", lambda t: t.change("DecisionMade", lambda e: e.update(based_on=2), which=3)),
    ("I7", "is missing", lambda t: t.sql("DELETE FROM journal WHERE sequence = 4")),
    ("I7", "does not follow", lambda t: t.sql("UPDATE journal SET payload = '{}' WHERE sequence = 4")),
    ("I7", "is CampaignStarted", lambda t: t.rewrite([t.journal()[0], *t.journal()])),
    ("I8", "of the budget", _overspend),
    ("I8", "in flight", _too_many_in_flight),
    ("I9", "changed by", lambda t: setattr(t, "history", replace(t.history, touched=["changed by garbage"]))),
    ("I9", "who never sent it", _never_sent),
    ("I9", "answered", _foreign_answer),
    ("I9", "was never made", lambda t: t.change("ResultAccepted", lambda event: event.update(attempt_id="nobody-a1"))),
    ("I10", "inbox reached 9", lambda t: setattr(t, "history", replace(t.history, gauges={"inbox": (9, 8)}))),
    ("I11", "expected -10.0 to 10.0", lambda t: t.change("ResultAccepted", lambda event: event.update(value=11.0))),
    ("I11", "None", lambda t: t.change("ResultAccepted", lambda event: event.update(value=None))),
    ("I11", "is observed as", lambda t: t.change("ResultAccepted", lambda e: e["quantities"][0].update(unit="kJ"))),
    ("I12", "not ended", _not_finished),
    ("I12", "allowed are", lambda t: setattr(t, "history", replace(t.history, ending=Ending(101.0, 100.0)))),
    ("I12", "after the campaign was finished", _goes_on),
    ("I14", "which is away", lambda t: t.insert(_away("simulator-2"), _away("simulator-1"), after="StartSetLoaded")),
    ("I14", "nobody is left", lambda t: t.insert(_away("simulator-1"), after="StartSetLoaded")),
    ("I14", "is not away", lambda t: t.change("RequestExpired", lambda event: event.update(costs_attempt=False))),
    ("I14", "attempts that count", lambda t: t.insert(_abandoned(t), after="AttemptFailed")),
    ("I3", "comes back, and it is observed", lambda t: t.insert(_requeued(t), after="ResultAccepted")),
    ("I14", "nobody waits for .*, and the journal does", _withdrawn_while_awaited),
    ("I13", "took 5.5 s", lambda t: setattr(t, "history", replace(t.history, shutdowns=[Shutdown("agent", 5.5)]))),
    ("I13", "undone: rows", lambda t: setattr(t, "history", replace(t.history, shutdowns=[Shutdown("a", 1, "rows")]))),
    ("I15", "is held", lambda t: t.change("DecisionMade", lambda event: event.update(held=True))),
    ("I16", "takes .'tips'.", lambda t: t.change("RequestIssued", lambda event: event.update(takes={"tips": 1.0}))),
    ("I16", "9 of tips are taken, and there are 3", _more_than_there_is),
]


def _chosen(told: OnProgress) -> list[list[str]]:
    return [event["candidate_ids"] for kind, event in told.journal() if kind == "DecisionMade"]


@pytest.mark.parametrize(("invariant", "evidence", "damage"), BREAKS, ids=[f"{i}-{e}" for i, e, _ in BREAKS])
def test_every_broken_invariant_is_found_by_its_name(
    told: OnProgress, invariant: str, evidence: str, damage: Callable[[OnProgress], Any]
) -> None:
    import re

    damage(told)
    found = told.verdict().violations
    assert any(each.invariant == invariant and re.search(evidence, each.evidence) for each in found), found


def test_every_invariant_has_a_broken_history() -> None:
    assert {invariant for invariant, _, _ in BREAKS} == {f"I{number}" for number in range(1, 17)}


@pytest.fixture
def content(tmp_path: Path) -> OnProgress:
    """A campaign whose policy has nothing more to ask for after three decisions, with two in flight at its end."""
    pool, policy = small_pool(12), ContentAfter(decisions=3)
    with closing(opened(tmp_path / "campaign.db", pool)) as store:
        plan = small_plan(pool, budget=5, parallel=3, ordering=Ordering.AS_COMPLETED)
        shelf = Shelf(store, pool, plan, InlinePolicyRunner(policy))
        while shelf.campaign.phase is not Phase.FINISHED:
            shelf.transaction(delivered(result_of(shelf.awaited[0])))
    history = History(database=tmp_path / "campaign.db", ledger=(), pool=pool_arrays(pool), policy=policy)
    return OnProgress(tmp_path / "campaign.db", [], history)


def test_a_campaign_that_its_policy_ends_has_no_violation(content: OnProgress) -> None:
    verdict = content.verdict()
    assert verdict.violations == []
    assert verdict.figures["decisions proposed again"] == 4  # three, and the one that was not made
    assert [kind for kind, _ in content.journal()][-4:] == [
        "PolicyExhausted", "ResultAccepted", "ResultAccepted", "CampaignFinished",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("invariant", "evidence", "damage"),
    [
        (
            "I5",
            "asked again after",
            lambda t: t.insert(("PolicyExhausted", t.first("PolicyExhausted")), after="PolicyExhausted"),
        ),
        ("I5", "decision 1 follows 2", lambda t: t.change("PolicyExhausted", lambda event: event.update(decision=1))),
        ("I6", "not of all", lambda t: t.change("PolicyExhausted", lambda event: event.update(based_on=4))),
        ("I6", "has seed", lambda t: t.change("PolicyExhausted", lambda event: event.update(seed=1))),
        ("I6", "chose .*; proposed", lambda t: setattr(t, "history", replace(t.history, policy=UniformRandom()))),
        (
            "I12",
            "nobody said so",
            lambda t: t.rewrite([(kind, event) for kind, event in t.journal() if kind != "PolicyExhausted"]),
        ),
    ],
)
def test_a_wrong_end_of_asking_is_found(
    content: OnProgress, invariant: str, evidence: str, damage: Callable[[OnProgress], Any]
) -> None:
    import re

    damage(content)
    found = content.verdict().violations
    assert any(each.invariant == invariant and re.search(evidence, each.evidence) for each in found), found


@pytest.mark.parametrize("damaged", [True, False])
def test_a_failure_that_was_damaged_on_its_way_is_refused_and_no_other(told: OnProgress, *, damaged: bool) -> None:
    failed = told.first("AttemptFailed")
    assert failed["reason"] == FailureReason.CRASHED
    told.entries.append(Entry("simulator-1", 1, "receipt", failed["attempt_id"], status="refused"))
    if damaged:
        told.sql("INSERT INTO quarantine VALUES (1, 'now', 't', 'not_json', '', 8, 'd', 'x')")
    assert ("I1" in {each.invariant for each in told.verdict().violations}) != damaged


def test_an_unknown_outcome_is_counted_and_breaks_nothing(told: OnProgress) -> None:
    told.entries.append(Entry("simulator-1", 1, "began", told.first("RequestIssued")["attempt_id"] + "-x", "c000"))
    told.entries.append(Entry("simulator-1", 1, "sending", "another", "c000", "0" * 16))
    verdict = told.verdict()
    assert verdict.violations == []
    assert verdict.unknown == {"evaluations without an end": 1, "answers sent and not confirmed": 1}


def test_the_same_decisions_as_the_twin_and_the_beginning_of_them_are_good(told: OnProgress) -> None:
    told.history = replace(told.history, twin=_chosen(told))
    assert told.verdict().violations == []
    told.history = replace(told.history, twin=[*_chosen(told), ["c000"]], stopped_early=True)
    assert told.verdict().violations == []


def test_the_checkers_context_is_what_a_policy_is_shown(told: OnProgress) -> None:
    """Every array, at every decision: else proposing again would prove nothing."""
    seen: list[Any] = []

    class Looking(UniformRandom):
        def propose(self, context: Any, count: int) -> Any:
            seen.append(context)
            return super().propose(context, count)

    told.history = replace(told.history, policy=Looking())
    assert told.verdict().violations == []
    for decision, context in enumerate(seen):
        assert context.decision == decision
        everything = np.concatenate((context.observed, context.pending, context.available))
        assert sorted(everything.tolist()) == list(range(12))
        assert len(context.values) == len(context.observed)
        assert set(context.acquired.tolist()) <= set(context.observed.tolist())
