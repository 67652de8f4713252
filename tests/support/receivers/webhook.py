"""A server that takes alerts by POST, and answers as a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """What came, and what is answered."""

    address: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Answers of the next requests; then 200."""
    location: str = ""
    """Where an answer of 302 sends."""
    may_answer: threading.Event = field(default_factory=threading.Event)


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run it on a free port."""
    made = Webhook()
    made.may_answer.set()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.headers.append(dict(self.headers.items()))
            made.bodies.append(json.loads(body))
            made.may_answer.wait()
            with suppress(OSError):  # whoever sent it has gone meanwhile
                self.send_response(made.statuses.pop(0) if made.statuses else 200)
                if made.location:
                    self.send_header("Location", made.location)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"no")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
