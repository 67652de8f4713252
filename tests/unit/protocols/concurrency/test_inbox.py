"""Inputs are taken in order and in batches, a suspect comes alone, and a full inbox makes its senders wait."""

from __future__ import annotations

import asyncio

import pytest

from protocols.concurrency.inbox import Inbox


def inbox(*, size: int = 8, batch: int = 4) -> Inbox[str]:
    return Inbox(size=size, batch=batch, is_suspect=lambda item: item.startswith("suspect"))


async def filled(*items: str, batch: int = 4) -> Inbox[str]:
    made = inbox(batch=batch)
    for item in items:
        await made.put(item)
    return made


async def test_what_waits_is_taken_at_once_and_in_order_up_to_a_batch() -> None:
    waiting = await filled("1", "2", "3", "4", "5")
    assert len(waiting) == 5
    assert await waiting.receive(None) == ["1", "2", "3", "4"]
    assert await waiting.receive(None) == ["5"]


@pytest.mark.parametrize(
    ("items", "batches"),
    [
        (["1", "suspect", "2"], [["1"], ["suspect"], ["2"]]),
        (["suspect", "1", "2"], [["suspect"], ["1", "2"]]),
        (["suspect a", "suspect b", "1"], [["suspect a"], ["suspect b"], ["1"]]),
        (["1", "2", "3", "4", "suspect"], [["1", "2", "3", "4"], ["suspect"]]),
    ],
)
async def test_a_suspect_comes_in_a_batch_of_its_own(items: list[str], batches: list[list[str]]) -> None:
    waiting = await filled(*items)
    assert [await waiting.receive(0.1) for _ in batches] == batches
    assert await waiting.receive(0.001) == [], "nothing comes twice"


async def test_who_receives_waits_for_the_first_input_or_its_time() -> None:
    waiting = inbox()
    assert await waiting.receive(0.001) == []
    receiving = asyncio.create_task(waiting.receive(None))
    await asyncio.sleep(0.01)
    assert not receiving.done()
    await waiting.put("1")
    assert await receiving == ["1"]


async def test_a_wake_lets_receive_return_with_what_there_is_and_is_no_input() -> None:
    waiting = inbox()
    receiving = asyncio.create_task(waiting.receive(None))
    await asyncio.sleep(0)
    waiting.wake()
    assert await receiving == []
    waiting.wake()
    await waiting.put("1")
    assert await waiting.receive(None) == ["1"]


async def test_a_wake_of_a_full_inbox_is_not_needed_and_does_no_harm() -> None:
    waiting = await filled(*"12345678")
    waiting.wake()
    assert [await waiting.receive(None) for _ in range(2)] == [list("1234"), list("5678")]
    assert await waiting.receive(0.001) == []


async def test_who_fills_a_full_inbox_waits_and_loses_nothing() -> None:
    waiting = await filled(*"12345678")
    putting = asyncio.create_task(waiting.put("9"))
    await asyncio.sleep(0.01)
    assert not putting.done()
    assert len(waiting) == 8
    taken = [item for _ in range(3) for item in await waiting.receive(0.1)]
    await putting
    assert taken == list("123456789")
