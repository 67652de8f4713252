"""Records what travels on a broker, beside those who talk there: it publishes nothing and changes nothing.

While it listens it writes `FILE.part`; at the end that becomes FILE, compressed if its name ends in .gz. A kill leaves
the part, which is a recording as well.

A message that is larger than any of ours is not heard over MQTT 5: the broker keeps back what exceeds the packet size
that we agree to. Over MQTT 3.1.1 its beginning is kept.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.versions import versions
from protocols.concurrency.signals import ending_on_signals
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import MessageError, SettingsError, StoreError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.failures import never_linked
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkDown, LinkUp, Transport
from protocols.recording.parts import move_parts, remove_parts
from protocols.recording.recorded_transport import write_heard
from protocols.recording.seal import compress_recording
from protocols.recording.writer import RecordingWriter
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.storage.private_files import private_files
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.topics import EVERY_CAMPAIGN, PREFIX, Channel, parse
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_settings
from scenarios.world.world import World

EVERYTHING_OF_OURS: Final = f"{PREFIX}/#"

COMPRESSED: Final = ".gz"
PART: Final = ".part"

LOOK_EVERY_S: Final = 0.25
"""How often a watching person is told how much was heard."""

OTHER_TOPICS: Final = "other topics"

FURTHER_CAMPAIGNS: Final = "further campaigns"

MAX_CHANNELS_COUNTED: Final = 1_000
"""Channels that are counted by name: a hundred campaigns at once. Whoever may publish can make up names without end."""


@dataclass(slots=True)
class ListenerCounts:
    """What was heard so far.

    Attributes:
        messages: How many.
        by_channel: Campaign and channel, `FURTHER_CAMPAIGNS` or `OTHER_TOPICS` -> how many.
        last_topic: Of the last message.
        seconds: How long it was listened, from the first link on.
        connected: Whether there ever was a link.
        interruptions: How often the link was lost; what was said meanwhile may be missing.
    """

    messages: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)
    last_topic: str = ""
    seconds: float = 0.0
    connected: bool = False
    interruptions: int = 0

    def note(self, topic: str) -> None:
        """Count a message."""
        self.messages += 1
        self.last_topic = topic
        self.by_channel[self._channel(topic)] += 1

    def _channel(self, topic: str) -> str:
        try:
            known = parse(topic)
        except MessageError:
            return OTHER_TOPICS
        channel = f"{known.campaign}: {known.channel.value}"
        is_counted = channel in self.by_channel or len(self.by_channel) < MAX_CHANNELS_COUNTED
        return channel if is_counted else FURTHER_CAMPAIGNS


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What is to be recorded.

    Attributes:
        broker: Where.
        topics: Filters.
        path: The recording.
        campaign: Whose, if only one is meant.
        duration_s: How long, from the first link on; None until the process is asked to end.
        scenario: Of the campaign, so that the recording can be replayed by itself.
        world: Of the scenario.
        signing: Keys to look at signatures with; without any, nothing is noted of them.
    """

    broker: BrokerSettings
    topics: tuple[str, ...]
    path: Path
    campaign: str = ""
    duration_s: float | None = None
    scenario: Scenario | None = None
    world: World | None = None
    signing: Signing = UNSIGNED


def filters_for(topics: tuple[str, ...], campaign: str | None) -> tuple[str, ...]:
    """Return the topic filters that a command means.

    Raises:
        SettingsError: When one is no filter, or both topics and a campaign are named.
    """
    if not topics and campaign is None:
        return (EVERYTHING_OF_OURS,)
    if not topics:  # with what instruments of every campaign can do, by which this one assigns its work
        return (f"{PREFIX}/{campaign}/#", f"{PREFIX}/{EVERY_CAMPAIGN}/{Channel.CAPABILITIES.value}/+")
    if campaign is not None:  # a filter cannot say both, and the topics of others belong to no campaign
        raise SettingsError(
            f"Both --topic and --campaign {campaign} say what to record",
            expected="one of them",
            action=f"leave one out, or name the campaign's topics too: --topic '{PREFIX}/{campaign}/#'",
        )
    for topic in topics:
        levels = topic.split("/")
        wrong = "#" in topic[:-1] or any("+" in level and level != "+" for level in levels)
        if not topic or wrong or (topic.endswith("#") and levels[-1] != "#") or topic.startswith("$share/"):
            raise SettingsError(
                f"{topic!r} is no topic filter to listen to",
                expected="levels between slashes; + stands for one whole level, # for all further ones at the end",
                action=f"for everything of ours: --topic '{EVERYTHING_OF_OURS}'",
            )
    return topics


def require_new(path: Path) -> None:
    """Check that nothing is overwritten.

    Raises:
        StoreError: When the recording, or the part of one that was killed, is there.
    """
    part = path.with_name(path.name + PART)
    if path.exists():
        beside = f", and beside it {part}, which a recorder left that was killed" if part.exists() else ""
        raise StoreError(
            f"{path} is there already{beside}",
            expected="a new file",
            action="choose another --out, or move "
            + ("both (`entropilot verify` tells whether one is sound)" if beside else "it"),
        )
    if part.exists():
        raise StoreError(
            f"{part} is there: a recorder was killed before it ended",
            expected="a new file",
            action=f"keep it (`mv {part} {path.with_suffix('') if path.suffix == COMPRESSED else path}`), or delete it",
        )


def record(request: RecordRequest, on_progress: Callable[[ListenerCounts], None]) -> ListenerCounts:
    """Record until the time is over or the process is asked to end; return what was heard.

    Args:
        request: What to record.
        on_progress: Called now and then with what was heard so far.

    Raises:
        StoreError: When the file is there, or cannot be written.
        BrokerError: When the broker cannot be reached, or refuses us.
    """
    require_new(request.path)
    request.path.parent.mkdir(parents=True, exist_ok=True)
    with private_files():
        return _record(request, on_progress)


def _record(request: RecordRequest, on_progress: Callable[[ListenerCounts], None]) -> ListenerCounts:
    part = request.path.with_name(request.path.name + PART)
    heard = ListenerCounts()
    try:
        with (
            closing(RecordingWriter(part, _header(request))) as writer,
            asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner,
        ):
            runner.run(_listen(request, writer, heard, on_progress))
    finally:
        if heard.messages == 0:
            remove_parts(part)  # a recording of nothing helps nobody
        elif request.path.suffix == COMPRESSED:
            compress_recording(part, request.path)
            remove_parts(part)
        else:
            move_parts(part, request.path)
    return heard


async def _listen(
    request: RecordRequest,
    writer: RecordingWriter,
    heard: ListenerCounts,
    on_progress: Callable[[ListenerCounts], None],
) -> None:
    client_id = f"entropilot-record-{fresh_id()[:12]}"
    link = MqttSession(request.broker, client_id=client_id, subscriptions=request.topics, listens_only=True)
    session = SignedTransport(link, request.signing)
    listener = _Listener(session, writer, heard)
    ended = asyncio.Event()
    works = (
        session.run(),
        listener.listen(),
        listener.look(on_progress),
        listener.wait(request.duration_s),
        ended.wait(),
    )
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            with ending_on_signals(ended.set):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await session.close()
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None
    if not heard.connected:
        raise never_linked(request.broker.address(), listener.last_down)
    listener.note_time()


class _Listener:
    """Writes what the link brings, and knows since when there is one.

    Args:
        session: The link.
        writer: Of the recording.
        heard: Where it is counted.

    Attributes:
        last_down: Why there was no link yet, as was said last.
    """

    def __init__(self, session: Transport, writer: RecordingWriter, heard: ListenerCounts) -> None:
        self.last_down: LinkDown | None = None
        self._session = session
        self._writer = writer
        self._heard = heard
        self._linked = asyncio.Event()
        self._began_s = 0.0

    async def listen(self) -> None:
        """Write and count until cancelled."""
        while True:
            item = await self._session.receive()
            if isinstance(item, Delivery):
                write_heard(self._writer, item)
                self._heard.note(item.topic)
                self._session.acknowledge(item)
            elif isinstance(item, LinkUp):
                self._note_link()
            elif self._heard.connected:  # not while a broker is looked for, or asked which MQTT it speaks
                self._heard.interruptions += 1
            else:
                self.last_down = item

    async def look(self, on_progress: Callable[[ListenerCounts], None]) -> None:
        """Tell how much was heard, and put it on the disk, until cancelled."""
        while True:
            self.note_time()
            on_progress(self._heard)
            self._writer.flush()
            await asyncio.sleep(LOOK_EVERY_S)

    async def wait(self, duration_s: float | None) -> None:
        """Wait until it was listened as long as that; None: for ever."""
        await self._linked.wait()
        await asyncio.sleep(math.inf if duration_s is None else duration_s)

    def note_time(self) -> None:
        """Note how long it was listened."""
        self._heard.seconds = asyncio.get_running_loop().time() - self._began_s if self._heard.connected else 0.0

    def _note_link(self) -> None:
        if not self._heard.connected:
            self._began_s = asyncio.get_running_loop().time()
            self._heard.connected = True
            self._linked.set()


def _header(request: RecordRequest) -> Mapping[str, Any]:
    header: dict[str, Any] = {
        "campaign": request.campaign,
        "pool_digest": "" if request.world is None else request.world.pool.digest,
        "started_at": datetime.now(UTC).isoformat(),
        "versions": versions(),
        "topics": list(request.topics),
    }
    if request.scenario is not None:
        header["scenario"] = recorded_settings(request.scenario)
    return header
