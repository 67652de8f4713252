"""A simulator that several campaigns ask serves each, and says what it can do to all of them."""

from __future__ import annotations

from pathlib import Path

from protocols.wire.codec import decode
from protocols.wire.messages import CapabilitiesRequest
from protocols.wire.topics import EVERY_CAMPAIGN
from tests.support import sample_messages as messages
from tests.support.evaluators import HeldExecutor
from tests.support.lab import NOW, Lab, until


async def test_who_asks_for_much_does_not_keep_another_campaign_waiting(tmp_path: Path) -> None:
    lab, executor = Lab(tmp_path, concurrency=1), HeldExecutor()
    async with lab.agent(), lab.simulator(executor, campaign=None) as service:
        for number in range(6):
            await lab.ask(messages.request(f"a-{number}", candidate_id=f"al-{number}"))
        await until(lambda: len(service.waiting) == 5)
        await lab.ask(messages.request("b-0", campaign="other"))
        await until(lambda: len(service.waiting) == 6)
        for ended, begun in (("a-0", "b-0"), ("b-0", "a-1"), ("a-1", "a-2")):
            executor.release(ended)
            await until(lambda begun=begun: begun in executor.asked)  # type: ignore[misc]
    assert executor.asked == ["a-0", "b-0", "a-1", "a-2"]


async def test_who_asks_hears_again_what_it_can_do(tmp_path: Path) -> None:
    lab = Lab(tmp_path, concurrency=3)
    async with lab.agent(), lab.simulator(HeldExecutor(), campaign=None):
        topic = f"entropilot/v1/{EVERY_CAMPAIGN}/capabilities/{messages.SIMULATOR}"
        await until(lambda: topic in lab.bus.retained)
        before = [message.payload for _, message in lab.bus.log if message.topic == topic]
        await lab.tell(CapabilitiesRequest(campaign="mine", message_id="m", sent_at=NOW))
        await until(lambda: len([1 for _, message in lab.bus.log if message.topic == topic]) == len(before) + 1)
    said = decode(topic, lab.bus.retained[topic])
    assert said.type == "capabilities"
    assert said.slots == 3
