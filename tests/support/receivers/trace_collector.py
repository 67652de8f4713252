"""A collector of traces: a real HTTP server that takes OTLP and parses its protobuf."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class CollectedSpan:
    """A span as it came over the wire; ids in hexadecimal digits."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    start_ns: int
    end_ns: int
    is_error: bool
    attributes: dict[str, Any]


@dataclass
class Collector:
    """What was collected, and how the collector answers."""

    endpoint: str = ""
    spans: list[CollectedSpan] = field(default_factory=list)
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    """While it is not set, requests hang."""
    requests: int = 0

    def of(self, trace_id: str) -> dict[str, CollectedSpan]:
        """The spans of a trace by name."""
        return {span.name: span for span in self.spans if span.trace_id == trace_id}

    def take(self, body: bytes) -> None:
        """Parse a request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for span in (each for scope in resource.scope_spans for each in scope.spans):
                told = {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}
                self.spans.append(
                    CollectedSpan(
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.name,
                        service,
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        span.status.code == 2,
                        told,
                    )
                )


@contextmanager
def trace_collector() -> Iterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    collector.answers.set()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests += 1
            collector.answers.wait()
            if collector.status == 200:
                collector.take(body)
            content = ExportTraceServiceResponse().SerializeToString()
            with contextlib.suppress(OSError):  # whoever sent it has gone meanwhile
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    collector.endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
