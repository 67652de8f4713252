"""What is posted, read up to its bound and in its time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from scenarios.watch.serving.guards import too_large
from scenarios.watch.serving.limits import BODY_TIMEOUT_S, MAX_BODY_BYTES
from scenarios.watch.serving.refusals import Refusal


async def body_of(request: Request) -> bytes:
    """Return what was posted.

    Raises:
        Refusal: When it is too large, or does not come in time.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                content += part
                if len(content) > MAX_BODY_BYTES:
                    raise too_large()
    except (TimeoutError, ClientDisconnect):
        raise Refusal(
            HTTPStatus.REQUEST_TIMEOUT, "What was posted did not come whole", expected=f"within {BODY_TIMEOUT_S:g} s"
        ) from None
    return bytes(content)
