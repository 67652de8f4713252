"""The socket below aiomqtt: opened in a thread that can be left behind, watched without delay, closed for certain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import aiomqtt

from protocols.concurrency.daemon_thread import in_daemon_thread

CONNECT_TIMEOUT_S: Final = 5.0
"""How long TCP, then TLS, may take to connect before we try again: a system knocks at 0, 1 and 3 seconds."""


ENDED: Final = "the connection ended"
"""Why an answer never came of a connection that has gone."""


class NotReached(OSError):
    """No server took the connection; why is its cause."""


async def open_socket(client: Any) -> None:
    """Do what aiomqtt would do in a thread that the end of the process waits for.

    Raises:
        NotReached: When no server took the connection.
        OSError: When one did, and TLS or WebSocket did not come about.
    """
    paho = client._client  # noqa: SLF001 - aiomqtt has no call for any of this
    paho.connect_timeout = CONNECT_TIMEOUT_S
    paho.connect_async(client._hostname, client._port)  # noqa: SLF001 - so that it knows where to
    client._set_tls_params()  # noqa: SLF001 - and how
    opened = await in_daemon_thread(lambda: _created_socket(paho), discard=lambda late: late.close())
    paho._create_socket = lambda: opened  # noqa: SLF001
    client._client_connect()  # noqa: SLF001 - takes the socket and sends CONNECT; nothing in it blocks any more
    client._client_connect = lambda: None  # noqa: SLF001


def _created_socket(paho: Any) -> Any:
    """Let paho make its socket; close what it leaves open where a handshake (TLS, WebSocket) fails."""
    made: list[Any] = []

    def noted(make: Callable[..., Any]) -> Callable[..., Any]:
        def make_and_note(*args: Any, **options: Any) -> Any:
            made.append(make(*args, **options))
            return made[-1]

        return make_and_note

    paho._create_socket_connection = noted(paho._create_socket_connection)  # noqa: SLF001
    if paho._ssl_context is not None:  # noqa: SLF001
        paho._ssl_context.wrap_socket = noted(paho._ssl_context.wrap_socket)  # noqa: SLF001 - ours, of this connection
    try:
        return paho._create_socket()  # noqa: SLF001
    except BaseException as error:
        for each in made:
            each.close()
        if not made and isinstance(error, OSError):
            raise NotReached from error
        raise


def hang_up(paho: Any) -> None:
    """Leave now: aiomqtt leaves open what was never confirmed, and paho closes only when the loop turns again."""
    paho.on_socket_register_write = None  # it writes at once then
    try:
        with contextlib.suppress(OSError, ValueError):  # who is gone hears no goodbye, and has no number any more
            paho.disconnect()
    finally:
        paho._sock_close()  # noqa: SLF001 - nothing is left to be said, or nobody takes it


def give_up_answers(client: Any) -> None:
    """Let nobody wait for CONNACK and SUBACK of a connection that has ended: aiomqtt would until they time out."""
    ended = aiomqtt.MqttError(ENDED)
    for answer in (client._connected, *client._pending_subscribes.values()):  # noqa: SLF001 - as above
        if not answer.done():
            answer.set_exception(ended)
            answer.exception()  # who awaits it is told; where nobody does any more, asyncio would complain
    if client._disconnected.done() and not client._disconnected.cancelled():  # noqa: SLF001
        client._disconnected.exception()  # noqa: SLF001 - the same


def write_at_once(client: Any) -> None:
    """Let the loop watch a socket for writing as soon as paho asks for it.

    aiomqtt does so in the loop's next round, for it may be asked from another thread. By then we may have hung up, and
    the socket's number be another's, or nobody's.
    """
    paho = client._client  # noqa: SLF001 - as above
    loop = asyncio.get_running_loop()

    def write() -> None:
        try:
            paho.loop_write()
        except Exception as error:  # noqa: BLE001 - as aiomqtt does: whoever awaits a message is told
            if not client._disconnected.done():  # noqa: SLF001
                client._disconnected.set_exception(error)  # noqa: SLF001

    def watch(_paho: Any, _context: Any, opened: Any) -> None:
        loop.add_writer(opened.fileno(), write)

    paho.on_socket_register_write = watch
