"""Sends spans by OTLP over HTTP, with OpenTelemetry's own exporter (extra `otel`). Imported only where traces are on.

The exporter reads OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE and their like from the environment, as everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from protocols.extras import load
from protocols.tracing.export import Send, SpanExport
from protocols.tracing.ids import span_id_of, trace_id_of
from protocols.tracing.settings import TracingSettings
from protocols.tracing.span import Span

TIMEOUT_S: Final = 5.0
"""How long a collector may take for a batch, repetitions included [s]."""

SCOPE: Final = "entropilot"


def open_export(settings: TracingSettings, service: str, resource: Mapping[str, str]) -> SpanExport | None:
    """Return what takes the spans of a part of ours; None where nothing is traced.

    Args:
        settings: Where they go.
        service: Name of the part, for people who look at traces.
        resource: What else names it.

    Raises:
        ExtraMissingError: When they are wanted and the extra is not there.
    """
    if not settings.endpoint:
        return None
    return SpanExport(_sender(settings.endpoint, {"service.name": service, **resource}), settings.max_queue)


def _sender(endpoint: str, resource: Mapping[str, str]) -> Send:
    exporting: Any = load("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resources: Any = load("opentelemetry.sdk.resources")
    # What it would say of every failure on standard error, the counts say.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    exporter = exporting.OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT_S)
    told = resources.Resource.create(dict(resource))

    def send(spans: Sequence[Span]) -> bool:
        return bool(exporter.export([_as_sdk(each, told) for each in spans]).name == "SUCCESS")

    return send


def _as_sdk(span: Span, resource: Any) -> Any:
    """Return a span as the SDK has it."""
    api: Any = load("opentelemetry.trace")
    sdk: Any = load("opentelemetry.sdk.trace")
    scope: Any = load("opentelemetry.sdk.util.instrumentation")

    def context(name: str, *, is_remote: bool = False) -> Any:
        flags = api.TraceFlags(api.TraceFlags.SAMPLED)
        ids = trace_id_of(span.attempt_id), span_id_of(span.attempt_id, name)
        return api.SpanContext(*ids, is_remote=is_remote, trace_flags=flags)

    code = api.StatusCode.ERROR if span.error else api.StatusCode.UNSET
    return sdk.ReadableSpan(
        name=span.name,
        context=context(span.name),
        parent=context(span.parent, is_remote=True) if span.parent else None,
        resource=resource,
        attributes={"entropilot.attempt_id": span.attempt_id, **span.attributes},
        status=api.Status(code, span.error or None),
        start_time=span.start_ns,
        end_time=max(span.start_ns, span.end_ns),
        instrumentation_scope=scope.InstrumentationScope(SCOPE),
    )
