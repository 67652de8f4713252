"""What waits for a broker's word gets it, or learns that the link has ended; nothing waits for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocols.link.transport import LinkLost
from protocols.link.unconfirmed import Unconfirmed

TIMEOUT_S = 0.05


class Connection:
    """As much of a client as is hung up on."""

    def __init__(self) -> None:
        self._disconnected: asyncio.Future[None] = asyncio.get_running_loop().create_future()


def waiting(unconfirmed: Unconfirmed, number: int, size_bytes: int = 100) -> asyncio.Task[int]:
    client: Any = Connection()
    return asyncio.create_task(unconfirmed.answer(client, number, size_bytes))


async def test_a_code_is_given_to_the_message_of_its_number_alone() -> None:
    unconfirmed = Unconfirmed(600.0, lambda *_told, **_fields: None)
    first, second = waiting(unconfirmed, 1), waiting(unconfirmed, 2)
    await asyncio.sleep(0)
    unconfirmed.take(2, 135)
    unconfirmed.take(7, 0)  # which nobody waits for
    unconfirmed.take(1, 0)
    assert (await first, await second, len(unconfirmed)) == (0, 135, 0)


async def test_what_was_confirmed_just_before_the_link_ended_stays_confirmed() -> None:
    unconfirmed = Unconfirmed(600.0, lambda *_told, **_fields: None)
    confirmed, open_yet = waiting(unconfirmed, 1), waiting(unconfirmed, 2)
    await asyncio.sleep(0)
    unconfirmed.take(1, 0)
    unconfirmed.link_ended()
    assert await confirmed == 0
    with pytest.raises(LinkLost):
        await open_yet


async def test_a_size_at_which_the_link_ends_twice_is_suspected() -> None:
    unconfirmed = Unconfirmed(600.0, lambda *_told, **_fields: None)
    found = []
    for _ in range(2):
        sent = waiting(unconfirmed, 1, 5_000)
        await asyncio.sleep(0)
        found.append(unconfirmed.link_ended())
        await asyncio.gather(sent, return_exceptions=True)
    assert found[0] is None
    assert found[1] is not None
    assert found[1].packet_bytes == 5_000


async def test_a_broker_that_confirms_nothing_is_told_once_then_hung_up_on_and_any_word_of_it_counts() -> None:
    told: list[str] = []
    unconfirmed = Unconfirmed(TIMEOUT_S, lambda name, **_fields: told.append(name))
    client: Any = Connection()
    unconfirmed.link_began()
    while not client._disconnected.done():
        with pytest.raises(LinkLost):
            await unconfirmed.answer(client, 1, 100)
    assert "said nothing for" in str(client._disconnected.exception())
    unconfirmed.note_word()
    assert told == ["broker_silent", "broker_speaks_again"]
