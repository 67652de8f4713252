"""What stands before every answer: guards, the root path of a proxy, errors as JSON, and the headers of a safe page."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

from protocols.errors import EntropilotError
from scenarios.watch.serving.guards import Asked, Guards
from scenarios.watch.serving.refusals import Answer, Refusal, answer_to

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own files. No script in the document, nothing from elsewhere, and no frame around it."""

SAFE_HEADERS: Final = (
    ("content-security-policy", CONTENT_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)

_log: Final = logging.getLogger(__name__)


class Gate:
    """Lets through what the guards allow; answers everything else itself.

    Args:
        inner: The application.
        guards: Whom the server answers.
        root_path: Below which a proxy shows it, without a slash at its end; it is taken off where the proxy has not.
    """

    def __init__(self, inner: Application, guards: Guards, root_path: str = "") -> None:
        self._inner = inner
        self._guards = guards
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # there is none, and nobody is let in by one
            return
        saying = _Saying(send)
        try:
            below = self._below_root(scope)
            self._guards.require_allowed(_asked(below))
            await self._inner(below, receive, saying)
        except EntropilotError as error:
            await saying.instead(answer_to(error), scope, receive)
        except Exception:  # noqa: BLE001 - the last place that an error can be told
            _log.exception("a fault of Entropilot in %s", scope["path"])
            await saying.instead(answer_to(_FAULT), scope, receive)

    def _below_root(self, scope: Scope) -> Scope:
        path = scope["path"]
        if self._root_path and path == self._root_path:
            raise Refusal(HTTPStatus.PERMANENT_REDIRECT, "", headers={"Location": f"{self._root_path}/"})
        if self._root_path and path.startswith(f"{self._root_path}/"):
            path = path[len(self._root_path) :]
        return {**scope, "path": path, "root_path": ""}


_FAULT: Final = Refusal(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "A fault of Entropilot",
    expected="an answer",
    action="look at what `entropilot watch` printed, and please report it",
)


class _Saying:
    """Sends an answer with the headers of a safe page, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            given = [each for each in message.get("headers", ()) if each[0].lower() not in _SAFE_NAMES]
            message = {**message, "headers": [*given, *_SAFE_HEADERS]}
        await self._send(message)

    async def instead(self, answer: Answer, scope: Scope, receive: Receive) -> None:
        """Send a refusal, unless an answer has begun: then the connection ends without its end, as is seen."""
        if self._has_begun:
            raise ConnectionAbortedError("the answer had begun")
        content = json.loads(answer.problem.model_dump_json())
        headers = {"Cache-Control": "no-store", **answer.headers}
        await JSONResponse(content, answer.status, headers)(scope, receive, self)


_SAFE_HEADERS: Final = [(name.encode(), value.encode()) for name, value in SAFE_HEADERS]
_SAFE_NAMES: Final = frozenset(name for name, _ in _SAFE_HEADERS)


def _asked(scope: Scope) -> Asked:
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    return replace(Asked(scope["method"], scope["path"]), length=length, headers=headers)
