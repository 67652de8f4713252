"""Ends sessions that a broker keeps: our own when a campaign is over, and those of clients that never come back."""

from __future__ import annotations

import contextlib
from enum import Enum, auto
from typing import Final

import aiomqtt

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import NOT_KEPT_S, leave, new_client
from protocols.link.codes import code_of, reason_text
from protocols.link.failures import no_broker_answers, of_opening
from protocols.link.tcp import hang_up, open_socket, write_at_once

ANSWER_TIMEOUT_S: Final = 3.0
"""How long a broker may take to take a client in that comes only to end its session [s]."""


class SessionEnd(Enum):
    """What becomes of our session at the broker when we leave."""

    KEPT = auto()
    """It is kept, and what is sent to us waits there: we come back."""
    ENDED = auto()
    """It is ended: another one goes on under our name, and what we retained may be its own."""
    CLEARED = auto()
    """It is ended, and what we retained is removed: the campaign is over."""


async def end_session(settings: BrokerSettings, client_id: str, version: MqttVersion) -> None:
    """Let a broker forget a client: connect under its id for a session that is not kept, and leave.

    Who is connected under that id is thrown out.

    Args:
        settings: Of the broker.
        client_id: Whose session it is.
        version: 5 or 3.1.1, as far as the broker speaks it; which one the session was begun with does not matter.

    Raises:
        BrokerError: When the broker cannot be reached, or does not take us in.
        SettingsError: When a password or a file of TLS cannot be had.
    """
    address = settings.address()
    client = new_client(settings, address, client_id, version, expiry_s=NOT_KEPT_S, timeout_s=ANSWER_TIMEOUT_S)
    write_at_once(client)
    try:
        await open_socket(client)
        async with client:
            leave(client, version, for_good=True)
            with contextlib.suppress(aiomqtt.MqttError):
                async for _ in client.messages:  # ends when the broker has seen us leave
                    pass
    except aiomqtt.MqttError as error:
        code = code_of(error)
        raise no_broker_answers(address, reason_text(code) if code >= 0 else str(error)) from None
    except OSError as error:
        failure = of_opening(error, address, settings)
        raise failure.error or no_broker_answers(address, failure.reason, failure.advice) from None
    finally:
        hang_up(client._client)  # noqa: SLF001 - aiomqtt leaves open what was never confirmed
