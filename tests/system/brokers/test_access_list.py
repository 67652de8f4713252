"""Who may say and hear what, tried by delivery: every part says every topic, and every part listens to everything.

The expected table is written here by hand, apart from the product's own rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.credentials import ANYBODY, Account, accounts_for
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkLost, PublishRefused, Will
from scenarios.broker.broker import embedded_broker, find_mosquitto, mosquitto_broker
from tests.support.brokers import listening

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
BASE = "entropilot/v1/lab"
LABS, PEOPLE = ("furnace", "oven"), ("ann", "bob")

SAID_BY: dict[str, set[str]] = {
    **{f"request/{to}": {"agent"} for to in (*LABS, "any", "ann")},
    **{f"receipt/{to}": {"agent"} for to in (*LABS, *PEOPLE)},
    "metrics": {"agent"},
    "campaign": {"agent"},
    "status/agent": {"agent"},
    **{f"{kind}/{lab}": {lab} for kind in ("result", "failure", "status") for lab in LABS},
    **{f"control/{person}": {person} for person in PEOPLE},
    **{topic: set() for topic in ("control", "control/furnace", "result/ann", "result/agent", "other", "a/b/c")},
    "status/ann": set(),
}
"""Topic below the campaign -> who may say it."""

LISTENERS = {"observer", ANYBODY}
"""They hear everything."""

HEARD_BY: dict[str, set[str]] = {
    **{f"request/{lab}": {lab} for lab in LABS},
    "request/any": set(LABS),
    **{f"receipt/{name}": {name} for name in (*LABS, *PEOPLE)},
    "metrics": set(PEOPLE),
    "campaign": set(PEOPLE),
    **{f"status/{name}": {"agent", *LABS, *PEOPLE} for name in ("agent", "furnace", "oven", "ann")},
    **{f"{kind}/{name}": {"agent"} for kind in ("result", "failure") for name in (*LABS, "ann", "agent")},
    **{name: {"agent"} for name in ("control", "control/ann", "control/bob", "control/furnace")},
}
"""Topic -> who hears it, beside `LISTENERS`."""

BEYOND = ("elsewhere/x", "entropilot/v2/lab/result/furnace", "entropilot")
"""Topics that are none of ours: the account for all may use them, and nobody else."""


class Part:
    """One part of the lab, that listens to everything."""

    def __init__(self, reached: BrokerSettings, account: Account, version: MqttVersion) -> None:
        self.name = account.name
        self.heard: set[tuple[str, str]] = set()
        self._version = version
        self._link = MqttSession(
            reached.model_copy(
                update={"username": account.name, "password": SecretStr(account.password), "version": version}
            ),
            client_id=f"client-of-{account.name}",
            subscriptions=("#",),
        )
        self._end = asyncio.Event()

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Part]:
        async with listening(self._link, self._take):
            yield self

    async def say(self, topic: str) -> bool:
        """Say something; return whether the broker refused it, as far as it says so."""
        try:
            await self._link.publish(topic, self.name.encode())
        except PublishRefused:
            return True
        except LinkLost:  # nobody listens, says the broker
            return False
        return False

    async def end(self) -> None:
        await self._end.wait()

    def _take(self, item: Delivery) -> None:
        if item.topic == f"{BASE}/status/end":
            self._end.set()
        else:
            self.heard.add((item.payload.decode(), item.topic))


@contextlib.asynccontextmanager
async def broker(kind: str, folder: Path, accounts: tuple[Account, ...]) -> AsyncIterator[BrokerSettings]:
    if kind == "embedded":
        async with embedded_broker(accounts=accounts) as reached:
            yield reached
        return
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)
    async with mosquitto_broker(folder, accounts=accounts) as reached:
        yield reached


BROKERS = [("embedded", MqttVersion.V311), ("mosquitto", MqttVersion.V5), ("mosquitto", MqttVersion.V311)]


@pytest.mark.parametrize(("kind", "version"), BROKERS)
async def test_what_every_part_says_reaches_those_who_may_hear_it_and_nobody_else(
    kind: str, version: MqttVersion, tmp_path: Path
) -> None:
    accounts = (*accounts_for(LABS, PEOPLE), *accounts_for())
    topics = [*(f"{BASE}/{each}" for each in SAID_BY), *BEYOND]
    async with contextlib.AsyncExitStack() as stack:
        reached = await stack.enter_async_context(broker(kind, tmp_path, accounts))
        parts = [await stack.enter_async_context(Part(reached, each, version).connected()) for each in accounts]
        refused = {(part.name, topic) for part in parts for topic in topics if await part.say(topic)}
        await parts[-1].say(f"{BASE}/status/end")  # all hear it, and it comes last
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(part.end() for part in parts))
    may_say = {(ANYBODY, topic) for topic in topics}
    may_say |= {(name, f"{BASE}/{each}") for each, names in SAID_BY.items() for name in names}
    for part in parts:
        may_hear = set(topics) if part.name == ANYBODY else set()
        may_hear |= {f"{BASE}/{each}" for each in SAID_BY if part.name in HEARD_BY.get(each, set()) | LISTENERS}
        assert part.heard == {(name, topic) for name, topic in may_say if topic in may_hear}, part.name
    if version is MqttVersion.V5:  # 3.1.1 has no word for it
        assert refused == {(part.name, topic) for part in parts for topic in topics} - may_say


@pytest.mark.parametrize(("kind", "version"), BROKERS)
async def test_nobody_speaks_for_another_by_a_last_will(kind: str, version: MqttVersion, tmp_path: Path) -> None:
    accounts = accounts_for(LABS)
    _, observer, furnace, oven = accounts
    async with broker(kind, tmp_path, accounts) as reached, Part(reached, observer, version).connected() as watching:
        for account, topic in ((furnace, f"{BASE}/status/oven"), (oven, f"{BASE}/status/oven")):
            login = {"username": account.name, "password": SecretStr(account.password), "version": version}
            session = MqttSession(
                reached.model_copy(update=login | {"first_connect_timeout_s": 0.5}),
                client_id=account.name,
                subscriptions=(),
                will=Will(topic, account.name.encode()),
            )
            running = asyncio.create_task(session.run())
            coming = asyncio.create_task(session.receive())
            await asyncio.wait({running, coming}, return_when=asyncio.FIRST_COMPLETED)
            if session._client is not None:
                link = session._client._client.socket()
                assert isinstance(link, socket.socket)
                link.shutdown(socket.SHUT_RDWR)
            await session.close()
            coming.cancel()
            await asyncio.gather(running, coming, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            while ("oven", f"{BASE}/status/oven") not in watching.heard:  # noqa: ASYNC110 - a set tells nobody
                await asyncio.sleep(0.02)
    assert watching.heard == {("oven", f"{BASE}/status/oven")}
