"""Tests of the spans that are made of committed transactions."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from agent.campaign.events import AttemptFailed, DecisionMade, Event, RequestExpired, RequestIssued, ResultAccepted
from agent.runtime.tracing.attempts import AttemptTraces
from agent.runtime.tracing.interval import Interval
from agent.runtime.tracing.timing import Timings
from agent.runtime.transaction import Transaction
from protocols.tracing.span import ATTEMPT, COMMIT, DECIDE, SEND, Span

WRITTEN = Interval(100, 110)


class Export:
    """Keeps what is given away."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.sent, self.dropped, self.closed = 0, 0, False

    def put(self, span: Span) -> None:
        self.spans.append(span)

    def close(self) -> None:
        self.closed = True


class Bench:
    """Traces of a campaign whose attempts in flight the test says."""

    def __init__(self) -> None:
        self.export = Export()
        self.timings = Timings()
        self.in_flight: set[str] = set()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.now = count(200, 10)
        self.traces = AttemptTraces(
            self.export,  # type: ignore[arg-type]  # the part of it that is used
            self.timings,
            lambda: self.in_flight,
            on_event=lambda name, **told: self.told.append((name, told)),
            now_ns=lambda: next(self.now),
        )

    def commit(self, *events: Event, written: Interval = WRITTEN) -> None:
        for event in events:
            if isinstance(event, RequestIssued):
                self.in_flight.add(event.attempt_id)
            elif isinstance(event, ResultAccepted | AttemptFailed | RequestExpired):
                self.in_flight.discard(event.attempt_id)
        self.traces.committed(Transaction(events=list(events)), written)

    def spans(self, attempt_id: str) -> dict[str, Span]:
        found = [span for span in self.export.spans if span.attempt_id == attempt_id]
        assert len({span.name for span in found}) == len(found), "a name is there once"
        return {span.name: span for span in found}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def decision(number: int, *candidates: str) -> DecisionMade:
    return DecisionMade(number, 1, 0, "random", "", candidates, (None,) * len(candidates), "")


def issued(attempt_id: str, number: int = 0, attempt: int = 1) -> RequestIssued:
    return RequestIssued(attempt_id, "c", number, attempt, "furnace")


def accepted(attempt_id: str) -> ResultAccepted:
    return ResultAccepted(attempt_id, "c", "furnace", 1.0, (), 0.5)


def test_an_attempt_is_a_trace_from_the_question_to_the_commit_of_the_answer(bench: Bench) -> None:
    bench.timings.decided(Interval(10, 60))
    bench.commit(decision(0, "c"), issued("a"))
    bench.traces.sending("a")
    bench.traces.sent("a")
    bench.commit(accepted("a"), written=Interval(900, 950))
    found = bench.spans("a")
    assert (found[DECIDE].start_ns, found[DECIDE].end_ns) == (10, 60)
    assert found[SEND].start_ns < found[SEND].end_ns
    assert (found[COMMIT].start_ns, found[COMMIT].end_ns) == (900, 950)
    assert (found[ATTEMPT].start_ns, found[ATTEMPT].end_ns, found[ATTEMPT].parent) == (10, 950, "")
    assert found[ATTEMPT].attributes["entropilot.outcome"] == "accepted"
    assert not found[ATTEMPT].error


def test_each_of_several_decisions_of_one_transaction_has_its_own_time(bench: Bench) -> None:
    bench.timings.decided(Interval(1, 2))  # an answer that came too late for anything
    bench.timings.decided(Interval(10, 20))
    bench.timings.decided(Interval(30, 40))
    bench.commit(decision(0, "c"), issued("a", 0), decision(1, "d"), issued("b", 1))
    assert bench.spans("a")[DECIDE].start_ns == 10
    assert bench.spans("b")[DECIDE].start_ns == 30
    bench.commit(decision(2, "e"), issued("e", 2))
    assert DECIDE not in bench.spans("e"), "no time is used twice"


@pytest.mark.parametrize(
    ("event", "outcome", "why"),
    [
        (AttemptFailed("a", "c", "furnace", "calculation_failed", "", permanent=False), "failed", "calculation_failed"),
        (RequestExpired("a", "c"), "expired", "no answer in time"),
    ],
)
def test_what_fails_is_an_error_and_the_next_attempt_a_trace_of_its_own(
    bench: Bench, event: Event, outcome: str, why: str
) -> None:
    bench.commit(issued("a"))
    bench.commit(event, issued("a2", 0, 2))
    root = bench.spans("a")[ATTEMPT]
    assert (root.attributes["entropilot.outcome"], root.error) == (outcome, why)
    bench.commit(accepted("a2"))
    assert bench.spans("a2")[ATTEMPT].attributes["entropilot.attempt"] == 2


def test_an_attempt_that_is_closed_by_something_else_ends_too(bench: Bench) -> None:
    bench.commit(issued("a"))
    bench.in_flight.clear()
    bench.commit()
    assert bench.spans("a")[ATTEMPT].attributes["entropilot.outcome"] == "closed"


def test_of_an_attempt_that_an_earlier_process_began_the_end_is_told(bench: Bench) -> None:
    bench.commit(accepted("a"))
    assert bench.spans("a")[ATTEMPT].attributes["entropilot.began_before_restart"] is True


def test_only_the_first_sending_counts(bench: Bench) -> None:
    bench.commit(issued("a"))
    for _ in range(3):
        bench.traces.sending("a")
        bench.traces.sent("a")
    assert SEND in bench.spans("a")


def test_a_request_may_be_with_the_broker_before_its_transaction_is_told_of(bench: Bench) -> None:
    bench.traces.sending("a")
    bench.traces.sent("a")
    bench.commit(issued("a"))
    assert (bench.spans("a")[SEND].start_ns, bench.spans("a")[SEND].end_ns) == (200, 210)


def test_what_an_earlier_process_sent_has_no_second_span_and_does_not_pile_up(bench: Bench) -> None:
    bench.in_flight.add("a")
    bench.traces.sending("a")
    bench.traces.sent("a")
    bench.commit(accepted("a"))
    assert SEND not in bench.spans("a")
    assert bench.traces._sends == {}


def test_a_request_whose_answer_overtakes_the_broker_s_word_was_sent_by_then(bench: Bench) -> None:
    bench.commit(issued("a"))
    bench.traces.sending("a")
    bench.commit(accepted("a"), written=Interval(900, 950))
    bench.traces.sent("a")
    assert (bench.spans("a")[SEND].start_ns, bench.spans("a")[SEND].end_ns) == (200, 900)


def test_what_is_lost_is_told_now_and_then_and_at_the_end(bench: Bench) -> None:
    bench.export.dropped = 3
    bench.commit()
    bench.export.dropped = 5
    bench.commit()
    assert bench.told == [("traces_lost", {"dropped": 3, "sent": 0})]
    bench.traces.close()
    assert bench.told[1:] == [("traces_lost", {"dropped": 5, "sent": 0})]
    assert bench.export.closed
