"""The application: every path of the table with who answers it, and the files of the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from scenarios.observe.metrics_text import CONTENT_TYPE, metrics_text
from scenarios.watch.broker.order_desk import OrderDesk
from scenarios.watch.figures import figures_of
from scenarios.watch.serving.answers import UNCACHED, Answers, Handler
from scenarios.watch.serving.desk import Shelf, SourceDesk
from scenarios.watch.serving.gate import Application, Gate, Receive, Scope, Send
from scenarios.watch.serving.guards import Guards
from scenarios.watch.serving.openapi import openapi_document
from scenarios.watch.serving.parameters import values_of
from scenarios.watch.serving.paths import OPERATIONS, Operation, Values
from scenarios.watch.serving.questions import Questions
from scenarios.watch.serving.refusals import Refusal, not_found
from scenarios.watch.serving.static_files import StaticFile, page_files
from scenarios.watch.serving.streams import Streams
from scenarios.watch.state.answers import ControlAnswer

READ_ONLY: Final = "The page was started with --read-only."

LEAST_METRICS_S: Final = 1.0
"""How long the figures of /metrics are told again before they are read again [s]: every run is read for them."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What the server is made of.

    Attributes:
        app: What answers.
        streams: The viewers.
        close: Releases everything.
    """

    app: Application
    streams: Streams
    close: Callable[[], None]


def serving(
    shelf: Shelf,
    guards: Guards,
    *,
    root_path: str = "",
    read_only: bool = False,
    call_soon: Callable[[Callable[[], None]], object] = lambda call: call(),
    clock: Callable[[], float] = time.monotonic,
) -> Serving:
    """Put the server together.

    Args:
        shelf: Where its runs are.
        guards: Whom it answers.
        root_path: Below which a proxy shows it.
        read_only: Whether no order is sent.
        call_soon: Lets a call be made in the server's loop, from any thread.
        clock: Returns a time that never goes back [s].
    """
    desk = SourceDesk(shelf)

    def why_no_control(key: str) -> str:
        return READ_ONLY if read_only else shelf.why_no_control(key)

    streams = Streams(desk, why_no_control)

    def told(key: str, answer: ControlAnswer) -> None:
        call_soon(lambda: streams.tell_receipt(key, answer))

    orders = OrderDesk(shelf.place, told)
    questions = Questions(desk)
    answers = Answers(desk, streams, orders, questions, why_no_control=why_no_control, clock=clock)
    handlers = {
        **answers.handlers(),
        "openapi": _openapi(root_path),
        "metrics": _Metrics(desk, clock).answer,
    }
    router = Router(_routes(handlers, page_files()), redirect_slashes=False, default=_nothing)

    def close() -> None:
        orders.close()
        questions.close()
        desk.close()

    return Serving(Gate(router, guards, root_path), streams, close)


class _Path:
    """Answers one path: the operation of the method that was asked with."""

    def __init__(self, operations: Mapping[str, tuple[Operation, Handler]]) -> None:
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what is asked for, and answer."""
        request = Request(scope, receive, send)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in self._operations:
            allowed = ", ".join(self._operations)
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f"{request.method} cannot be done with {request.url.path}",
                expected=allowed,
                headers={"Allow": allowed},
            )
        operation, handler = self._operations[method]
        asked = values_of(operation, request.path_params, request.query_params.multi_items(), request.headers)
        answer = await handler(request, asked)
        await answer(scope, receive, send)


def _routes(handlers: Mapping[str, Handler], files: Mapping[str, StaticFile]) -> list[Route]:
    by_path: dict[str, dict[str, tuple[Operation, Handler]]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = (operation, handlers[operation.name])
    routes = [Route(path, _Path(operations)) for path, operations in by_path.items()]
    return [*routes, *(Route(path, _File(file)) for path, file in files.items())]


class _File:
    """Answers with a file of the page."""

    def __init__(self, file: StaticFile) -> None:
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless the browser has it."""
        request = Request(scope)
        if request.method == "POST":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "A file takes nothing", headers={"Allow": "GET, HEAD"})
        headers = {"ETag": self._file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == self._file.tag:
            await Response(None, HTTPStatus.NOT_MODIFIED, headers)(scope, receive, send)
        else:
            await Response(self._file.content, headers=headers, media_type=self._file.media)(scope, receive, send)


class _Metrics:
    """Tells the figures of all runs, read at most once a second."""

    def __init__(self, desk: SourceDesk, clock: Callable[[], float]) -> None:
        self._desk = desk
        self._clock = clock
        self._text = ""
        self._read_at: float | None = None

    async def answer(self, _: Request, __: Values) -> Response:
        """Return them."""
        if self._read_at is None or self._clock() - self._read_at >= LEAST_METRICS_S:
            self._read_at = self._clock()
            self._text = metrics_text(await self._desk.of_all(figures_of))
        return PlainTextResponse(self._text, headers={**UNCACHED, "Content-Type": CONTENT_TYPE})


def _openapi(root_path: str) -> Handler:
    document = openapi_document(version("entropilot"), root_path)

    async def answer(_: Request, __: Values) -> Response:
        return JSONResponse(document, headers=UNCACHED)

    return answer


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    raise not_found(
        f"There is nothing at {scope['path'][:100]!r}",
        expected="a path of /api/openapi.json, or the page at /",
        action="correct the address",
    )
