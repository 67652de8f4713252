"""Tests of OTLP: a real collector over HTTP reads what was sent."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from protocols.extras import ExtraMissingError
from protocols.tracing.ids import span_id_of, trace_id_of
from protocols.tracing.otlp import open_export
from protocols.tracing.settings import OFF, TracingSettings
from protocols.tracing.span import ATTEMPT, COMMIT, Span
from tests.support.receivers.trace_collector import Collector, trace_collector

PATIENCE_S = 60.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    with trace_collector() as made:
        yield made


def test_the_collector_reads_ids_times_parents_and_errors_as_they_were(collector: Collector) -> None:
    export = open_export(TracingSettings(endpoint=collector.endpoint), "entropilot-agent", {"entropilot.campaign": "c"})
    assert export is not None
    export.put(Span("a-1", COMMIT, 5_000, 7_000))
    export.put(Span("a-1", ATTEMPT, 1_000, 7_000, "", {"entropilot.decision": 3}, "no answer in time"))
    export.close(PATIENCE_S)
    assert (export.sent, export.dropped) == (2, 0)
    found = collector.of(f"{trace_id_of('a-1'):032x}")
    root, commit = found[ATTEMPT], found[COMMIT]
    assert root.span_id == f"{span_id_of('a-1', ATTEMPT):016x}" == commit.parent_id
    assert (root.parent_id, root.service) == ("", "entropilot-agent")
    assert (commit.start_ns, commit.end_ns) == (5_000, 7_000)
    assert (root.is_error, commit.is_error) == (True, False)
    assert root.attributes == {"entropilot.attempt_id": "a-1", "entropilot.decision": 3}


def test_a_collector_that_refuses_takes_nothing(collector: Collector) -> None:
    collector.status = 400
    export = open_export(TracingSettings(endpoint=collector.endpoint), "entropilot-agent", {})
    assert export is not None
    export.put(Span("a-1", ATTEMPT, 1, 2, ""))
    export.close(PATIENCE_S)
    assert (export.sent, export.dropped, collector.requests) == (0, 1, 1)


def test_by_default_nothing_is_traced() -> None:
    assert open_export(OFF, "entropilot-agent", {}) is None


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ExtraMissingError, match="otel"):
        open_export(TracingSettings(endpoint="http://127.0.0.1:4318/v1/traces"), "entropilot-agent", {})


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://a/b", "http://name:secret@host/v1/traces", "http://a b"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        TracingSettings(endpoint=endpoint)
