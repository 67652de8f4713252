"""What passes on a link is written into the recording, as it passed."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocols.link.transport import Delivery, LinkLost, LinkUp
from protocols.recording.allowance import IdleAllowance
from protocols.recording.lines import MessageRow
from protocols.recording.reader import check_recording, open_recording
from protocols.recording.recorded_transport import RecordedTransport, write_heard
from protocols.recording.writer import FLUSH_EVERY_S, RecordingWriter
from tests.support.memory_bus import MemoryBus
from tests.support.virtual_loop import run_in_virtual_time

HEADER = {"campaign": "alloys"}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a recording that is sound."""
    assert check_recording(path).problem == ""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


async def test_a_recorded_transport_writes_what_passes_in_the_order_in_which_it_passes(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer, bus = RecordingWriter(path, HEADER), MemoryBus()
    link = bus.transport("client", ("lab/#",))
    recorded = RecordedTransport(link, writer)
    running = asyncio.create_task(recorded.run())
    assert isinstance(await recorded.receive(), LinkUp)
    await recorded.publish("lab/x", b"hello", retain=True)
    delivery = await recorded.receive()
    assert isinstance(delivery, Delivery)
    assert recorded.write_taken(delivery, "") == 2
    recorded.acknowledge(delivery)
    assert not bus.sessions["client"].unacknowledged
    await recorded.close()
    await running
    with pytest.raises(LinkLost):
        await recorded.publish("lab/x", b"lost")
    writer.close()
    rows = [(row["dir"], row["topic"], row["text"], row["retain"]) for row in read(path)]
    assert rows == [
        ("out", "lab/x", "hello", True),
        ("in", "lab/x", "hello", False),
        ("out", "lab/x", "lost", False),
    ]


async def test_what_was_received_is_written_when_it_is_handled_with_how_long_it_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "recording.jsonl"
    writer, bus = RecordingWriter(path, HEADER), MemoryBus()
    recorded = RecordedTransport(bus.transport("client", ("lab/#",)), writer)
    running = asyncio.create_task(recorded.run())
    assert isinstance(await recorded.receive(), LinkUp)
    await recorded.publish("lab/x", b"answer")
    delivery = await recorded.receive()
    assert isinstance(delivery, Delivery)
    came_s = writer.now_s()
    monkeypatch.setattr(writer, "now_s", lambda: came_s + 2.5)
    assert recorded.write_taken(delivery, "") == 2
    await recorded.close()
    await running
    writer.close()
    row = read(path)[1]
    assert row["waited"] == pytest.approx(2.5, abs=0.2)
    with open_recording(path) as recording:
        *_, message = recording.rows()
    assert isinstance(message, MessageRow)
    assert message.came_s == pytest.approx(row["t"] - row["waited"])


async def test_a_flood_of_receipts_that_say_nothing_new_is_sent_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer, bus = RecordingWriter(path, HEADER, allowance=IdleAllowance(1_000, 0.0)), MemoryBus()
    heard = bus.transport("lab", ("entropilot/#",))
    recorded = RecordedTransport(bus.transport("client", ()), writer)
    running = [asyncio.create_task(link.run()) for link in (heard, recorded)]
    assert isinstance(await recorded.receive(), LinkUp)
    assert isinstance(await heard.receive(), LinkUp)
    topic = "entropilot/v1/c/receipt/a"
    for _ in range(20):
        await recorded.publish(topic, b'{"status":"duplicate"}' + 78 * b" ")
        await recorded.publish(topic, b'{"status":"accepted"}')
    assert len([await heard.receive() for _ in range(40)]) == 40
    for link in (heard, recorded):
        await link.close()
    await asyncio.gather(*running)
    writer.close()
    texts = [row["text"].strip() for row in read(path)]
    assert (texts.count('{"status":"accepted"}'), texts.count('{"status":"duplicate"}')) == (20, 8)


async def test_a_flood_of_repeated_requests_is_sent_and_not_written_and_each_new_one_is(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer, bus = RecordingWriter(path, HEADER, allowance=IdleAllowance(1_000, 0.0)), MemoryBus()
    recorded = RecordedTransport(bus.transport("client", ("entropilot/#",)), writer)
    running = asyncio.create_task(recorded.run())
    assert isinstance(await recorded.receive(), LinkUp)
    for number in range(50):
        await recorded.publish("entropilot/v1/c/request/a", b"the same" + 92 * b" ")
        await recorded.publish("entropilot/v1/c/request/a", b"%d" % number)
    await recorded.close()
    await running
    writer.close()
    texts = [row["text"].strip() for row in read(path)]
    assert (texts.count("the same"), len(texts)) == (1 + 8, 50 + 1 + 8)


def test_of_garbage_on_our_topics_a_listener_keeps_the_beginning_and_all_of_what_others_say(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER, has_notes=False)
    for topic in ("entropilot/v1/c/result/a", "lab/camera"):
        write_heard(writer, Delivery(topic, b"x" * 60_000, retain=False, qos=0, ack_token=None))
    writer.close()
    garbage, of_others = read(path)
    assert (garbage["verdict"], garbage["cut_from_bytes"]) == ("quarantined: not_json", 60_000)
    assert (len(of_others["text"]), "verdict" in of_others) == (60_000, False)


def test_a_lone_message_is_on_the_disk_a_second_later_though_none_follows(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    found = []

    async def link() -> None:
        recorded = RecordedTransport(MemoryBus().transport("client", ("lab/#",)), writer)
        running = asyncio.create_task(recorded.run())
        assert isinstance(await recorded.receive(), LinkUp)
        for topic in ("lab/sent", "lab/again"):
            await recorded.publish(topic, b"hello")
            await asyncio.sleep(1.5 * FLUSH_EVERY_S)
            found.append(check_recording(path).messages)
        await recorded.close()
        await running

    with closing(writer):
        run_in_virtual_time(link(), seed=None)
    assert found == [1, 2]


def test_a_disk_that_is_full_is_told_to_who_writes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RecordingWriter(tmp_path / "recording.jsonl", HEADER)
    flushes: list[int] = []

    def refuse() -> None:
        flushes.append(len(flushes))
        raise OSError(28, "No space left on device")

    async def link() -> None:
        recorded = RecordedTransport(MemoryBus().transport("client", ("lab/#",)), writer)
        running = asyncio.create_task(recorded.run())
        assert isinstance(await recorded.receive(), LinkUp)
        await recorded.publish("lab/x", b"hello")
        await asyncio.sleep(1.5 * FLUSH_EVERY_S)
        assert (len(flushes), running.done()) == (1, False)
        writer._flushed -= FLUSH_EVERY_S
        with pytest.raises(OSError, match="No space left"):
            await recorded.publish("lab/x", b"hello")
        await recorded.close()
        await running

    monkeypatch.setattr(writer, "flush", refuse)
    with closing(writer):
        run_in_virtual_time(link(), seed=None)
