"""Tests of the spans that an instrument makes of what it commits."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from protocols.tracing.span import EVALUATE, SEND, Span
from protocols.wire.codec import topic_of
from simulators.outbox import Answer, AttemptProgress, Change
from simulators.tracing import MAX_OPEN, EvaluationTraces
from tests.support.sample_messages import failure, result


class Export:
    """Keeps what is given away."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.sent, self.dropped, self.closed = 0, 0, False

    def put(self, span: Span) -> None:
        self.spans.append(span)

    def close(self) -> None:
        self.closed = True


def traces(export: Export, **options: Any) -> EvaluationTraces:
    clock = count(100, 10)
    return EvaluationTraces(export, "furnace", now_ns=lambda: next(clock), **options)  # type: ignore[arg-type]


def answered(attempt_id: str, topic: str) -> Change:
    return Change(attempt_id, AttemptProgress.ANSWERED, answer=Answer(attempt_id, topic, b"{}"))


@pytest.mark.parametrize(("answer", "fails"), [(result("a"), False), (failure("a"), True)])
def test_an_evaluation_lasts_from_its_commit_to_that_of_its_answer(answer: Any, fails: bool) -> None:
    export = Export()
    made = traces(export)
    made.committed([Change("a", AttemptProgress.RECEIVED), Change("a", AttemptProgress.STARTED)])
    made.committed([answered("a", topic_of(answer))])
    (span,) = export.spans
    assert (span.name, span.parent, span.start_ns, span.end_ns) == (EVALUATE, SEND, 100, 110)
    assert bool(span.error) is fails


def test_an_answer_whose_beginning_nobody_knows_is_no_span() -> None:
    export = Export()
    traces(export).committed([answered("a", topic_of(failure("a")))])
    assert export.spans == []


def test_what_never_answers_does_not_pile_up() -> None:
    made = traces(Export())
    for number in range(MAX_OPEN + 10):
        made.committed([Change(f"a-{number}", AttemptProgress.STARTED)])
    assert len(made._began) == MAX_OPEN


def test_what_was_lost_is_told_at_the_end() -> None:
    export, told = Export(), list[Any]()
    export.dropped = 2
    traces(export, on_event=lambda name, **fields: told.append((name, fields))).close()
    assert (export.closed, told) == (True, [("traces_lost", {"dropped": 2, "sent": 0})])
