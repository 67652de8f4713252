"""Tests of giving spans away: nobody waits, nothing grows, and what is lost is counted."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from protocols.tracing.export import MAX_BATCH, SpanExport
from protocols.tracing.span import Span

PATIENCE_S = 60.0
"""Longer than anything here takes: a bound that ends what hangs."""


def span(number: int) -> Span:
    return Span(f"a-{number}", "attempt", number, number + 1, "")


class Collector:
    """Takes batches, or hangs, or refuses, or raises."""

    def __init__(self) -> None:
        self.batches: list[list[Span]] = []
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.takes = True
        self.raises: Exception | None = None

    def __call__(self, spans: Sequence[Span]) -> bool:
        self.is_asked.set()
        self.may_answer.wait(PATIENCE_S)
        if self.raises is not None:
            raise self.raises
        self.batches.append(list(spans))
        return self.takes


def test_every_span_comes_once_and_in_order_in_batches() -> None:
    collector = Collector()
    export = SpanExport(collector, max_queue=10_000)
    for number in range(3 * MAX_BATCH):
        export.put(span(number))
    export.close(PATIENCE_S)
    assert [each for batch in collector.batches for each in batch] == [span(n) for n in range(3 * MAX_BATCH)]
    assert max(map(len, collector.batches)) <= MAX_BATCH
    assert (export.sent, export.dropped) == (3 * MAX_BATCH, 0)


def test_a_collector_that_hangs_costs_spans_and_no_time() -> None:
    collector = Collector()
    collector.may_answer.clear()
    export = SpanExport(collector, max_queue=10)
    export.put(span(0))
    assert collector.is_asked.wait(PATIENCE_S)
    for number in range(1, 1_001):
        export.put(span(number))
    assert export.dropped == 990, "the queue holds ten; one is with the collector"
    export.close(0.0)
    assert (export.sent, export.dropped) == (0, 1_001)
    collector.may_answer.set()


def test_what_is_given_up_at_the_end_is_not_counted_again_when_the_collector_answers_after_all() -> None:
    collector = Collector()
    collector.may_answer.clear()
    export = SpanExport(collector, max_queue=10)
    export.put(span(0))
    assert collector.is_asked.wait(PATIENCE_S)
    export.close(0.0)
    collector.may_answer.set()
    export._thread.join(PATIENCE_S)
    assert (export.sent, export.dropped) == (0, 1)


@pytest.mark.parametrize("fault", ["refuses", "raises"])
def test_what_is_not_taken_is_dropped_and_the_next_is_tried(fault: str) -> None:
    collector = Collector()
    collector.takes, collector.raises = fault != "refuses", OSError("gone") if fault == "raises" else None
    export = SpanExport(collector, max_queue=10)
    export.put(span(0))
    assert collector.is_asked.wait(PATIENCE_S)
    while not export.dropped:
        pass
    collector.takes, collector.raises = True, None
    export.put(span(1))
    while not export.sent:
        pass
    export.close(PATIENCE_S)
    assert (export.sent, export.dropped) == (1, 1)


def test_after_the_end_nothing_is_taken() -> None:
    export = SpanExport(Collector(), max_queue=10)
    export.close(PATIENCE_S)
    export.put(span(0))
    assert export.dropped == 1


def test_where_nobody_took_the_last_batch_the_end_waits_for_nobody() -> None:
    collector = Collector()
    collector.takes = False
    export = SpanExport(collector, max_queue=10)
    export.put(span(0))
    while not export.dropped:
        pass
    collector.may_answer.clear()
    export.put(span(1))
    export.close(PATIENCE_S)  # would wait for as long as the test may take
    assert export.dropped == 2
    collector.may_answer.set()
