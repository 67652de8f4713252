"""Whatever is sent to a running campaign, it goes on: what is none of ours is counted and kept, and changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import BrokerError, MessageError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import MAX_PACKET_BYTES
from protocols.link.credentials import ANYBODY
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery
from protocols.wire.codec import decode
from protocols.wire.limits import MAX_PAYLOAD_BYTES, QUARANTINE_PREFIX_BYTES
from scenarios.broker.broker import find_mosquitto
from tests.support.brokers import listening
from tests.support.commands import PATIENCE_S, Workbench

pytestmark = pytest.mark.system

BASE = "entropilot/v1/lab"
SIMULATOR = "simulator-1"
HUGE = MAX_PACKET_BYTES + 1000
"""A size that we let no MQTT 5 broker send us [byte]."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["embedded", "mosquitto"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto":
        try:
            find_mosquitto()
        except BrokerError as error:
            pytest.skip(error.found)
    return str(request.param)


class Stranger:
    """Somebody else on the broker, who hears everything and says anything."""

    def __init__(self, url: str, version: MqttVersion) -> None:
        self.heard: list[Delivery] = []
        settings = BrokerSettings(url=url, version=version).as_part(ANYBODY)
        self._link = MqttSession(settings, client_id="stranger", subscriptions=(f"{BASE}/#",))

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Stranger]:
        async with listening(self._link, self.heard.append):
            yield self

    async def say(self, topic: str, message: bytes | dict[str, Any]) -> None:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self._link.publish(topic, payload)

    async def hear(self, channel: str, wanted: Callable[[dict[str, Any]], bool] = lambda _message: True) -> Delivery:
        """Wait for a message of a channel."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self.heard:
                    with contextlib.suppress(MessageError):  # it hears its own nonsense too
                        decode(message.topic, message.payload)
                        if message.topic.startswith(f"{BASE}/{channel}") and wanted(json.loads(message.payload)):
                            return message
                await asyncio.sleep(0.01)


def stranger(url: str, kind: str) -> contextlib.AbstractAsyncContextManager[Stranger]:
    return Stranger(url, MqttVersion.V311 if kind == "embedded" else MqttVersion.V5).connected()


async def happened(condition: Callable[[], bool], what: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)
            return
    pytest.fail(f"it did not happen: {what}")


def message(kind: str, **fields: Any) -> dict[str, Any]:
    """A message of ours, without what is its own."""
    number = hashlib.sha256(repr(sorted(fields.items())).encode()).hexdigest()[:12]
    head = {"protocol": 1, "type": kind, "campaign": "lab", "message_id": f"m-{number}"}
    return head | {"sent_at": datetime.now(UTC).isoformat()} | fields


def result(attempt: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = {"attempt_id": attempt["attempt_id"], "candidate_id": attempt["candidate_id"], "simulator": SIMULATOR}
    quantities = [{"name": "energy", "value": 0.5, "unit": "eV"}]
    return message("candidate_result", **(answer | {"quantities": quantities, "duration_s": 0.1} | fields))


def troubles(attempt: dict[str, Any], other: dict[str, Any], *, oversize: int) -> list[tuple[str, bytes, str]]:
    """Topic, payload and the reason that the quarantine must give; each would be a result but for one thing."""
    own = f"{BASE}/result/{SIMULATOR}"
    good = result(attempt)
    text = json.dumps(good)

    def with_value(written: str) -> str:  # the time of sending may hold the same digits
        return text.replace('"value": 0.5', f'"value": {written}')

    made: list[tuple[str, bytes | dict[str, Any], str]] = [
        (own, b'{"protocol": 1, "type": "candi', "not_json"),
        (own, b"\xff\xfe\x00 not text", "not_json"),
        (own, b"", "not_json"),
        (own, text.encode().ljust(oversize), "oversize"),
        (own, good | {"protocol": 2}, "unknown_version"),
        (own, good | {"type": "rumour"}, "unknown_type"),
        (own, good | {"campaign": "another"}, "foreign_campaign"),
        (own, good | {"attempt_id": "0badc0de-d000000-00000000-a1"}, "unknown_attempt"),
        (own, good | {"candidate_id": other["candidate_id"]}, "invalid"),
        (own, good | {"further": 1}, "invalid"),
        (own, with_value("NaN").encode(), "not_json"),
        (own, with_value("1e999").encode(), "invalid"),
        (own, with_value("1e300").encode(), "invalid"),
        (own, with_value('"0.5"').encode(), "invalid"),
        (f"{BASE}/failure/{SIMULATOR}", good, "wrong_topic"),
        (f"{BASE}/control/Not an id", good, "unknown_topic"),
        (f"{BASE}/control", message("control", action="explode"), "invalid"),
    ]
    return [(topic, m if isinstance(m, bytes) else json.dumps(m).encode(), reason) for topic, m, reason in made]


async def test_a_campaign_outlives_every_bad_message_and_counts_them(kind: str, bench: Workbench) -> None:
    url = bench.start_broker(kind)
    flags = ("--broker", url, "--set", f'broker.version="{"3.1.1" if kind == "embedded" else 5}"')
    asking = bench.start("agent", "lab.toml", *flags, "--quiet", "--budget", "40")
    async with stranger(url, kind) as other:
        await happened(lambda: bench.count("RequestIssued") == 4, "four requests")
        requests = bench.rows("SELECT attempt_id, candidate_id FROM request ORDER BY sequence")
        first, second = (dict(zip(("attempt_id", "candidate_id"), row, strict=True)) for row in requests[:2])
        before = bench.rows("SELECT * FROM journal")
        sent = troubles(first, second, oversize=70_000 if kind == "embedded" else MAX_PAYLOAD_BYTES + 1000)
        await other.hear("status/agent", lambda message: message["health"] == "online")
        for topic, payload, _ in sent:
            await other.say(topic, payload)
        if kind == "mosquitto":  # MQTT 5 tells a broker what is too large to send us at all
            await other.say(f"{BASE}/result/{SIMULATOR}", json.dumps(result(first)).encode().ljust(HUGE))
        await happened(lambda: bench.rows("SELECT count(*) FROM quarantine") == [(len(sent),)], "the quarantine")
        assert bench.rows("SELECT * FROM journal") == before

        # A result that is ours and breaks its contract is no stranger's: it costs its attempt.
        wrong = [{"name": "energy", "value": 0.5, "unit": "meV"}]
        await other.say(f"{BASE}/result/{SIMULATOR}", result(first, quantities=wrong))
        receipt = await other.hear("receipt", lambda message: message["attempt_id"] == first["attempt_id"])
        assert json.loads(receipt.payload)["status"] == "refused"

        bench.start("simulator", "lab.toml", *flags, "--set", "simulator.latency.mean_s=0.2")
        accepted = await other.hear("result", lambda message: message["attempt_id"] == second["attempt_id"])
        for _ in range(3):
            await other.say(accepted.topic, accepted.payload)
        ended = await asyncio.to_thread(asking.finish)

    assert (ended.code, ended.err) == (0, "")
    summary = bench.summary()
    assert (summary["spent"], summary["observations"], summary["abandoned"]) == (40, 24 + 40, 0)
    assert (summary["quarantined"], summary["retries"]) == (len(sent), 1)
    assert summary["duplicates"] >= 3
    assert_kept(bench, sent)
    failed = bench.rows("SELECT payload FROM journal WHERE kind = 'AttemptFailed'")
    assert [json.loads(row[0])["attempt_id"] for row in failed] == [first["attempt_id"]]
    assert "expected 'eV'" in json.loads(failed[0][0])["detail"]
    kinds = {row[0] for row in bench.rows("SELECT DISTINCT kind FROM journal")} - {"BecameEven"}
    ordinary = {"CampaignStarted", "StartSetLoaded", "DecisionMade", "RequestIssued", "ResultAccepted"}
    assert kinds == ordinary | {"CampaignFinished", "AttemptFailed"}
    assert bench.rows("SELECT count(*), count(DISTINCT candidate_id) FROM observation") == [(64, 64)]


def assert_kept(bench: Workbench, sent: list[tuple[str, bytes, str]]) -> None:
    """Each one is in the quarantine with topic, reason, size, digest and beginning, and counted by its reason."""
    kept = bench.rows("SELECT topic, reason, size_bytes, digest, prefix, detail FROM quarantine ORDER BY row")
    for (topic, payload, reason), row in zip(sent, kept, strict=True):
        digest = hashlib.sha256(payload).hexdigest()
        assert row[:5] == (topic, reason, len(payload), digest, payload[:QUARANTINE_PREFIX_BYTES])
        assert row[5]
    counts = dict(bench.rows("SELECT disposition, count FROM message_count WHERE disposition LIKE 'quarantined%'"))
    assert counts == Counter(f"quarantined: {reason}" for _, _, reason in sent)


async def test_an_operator_steers_a_campaign_by_messages(kind: str, bench: Workbench) -> None:
    url = bench.start_broker(kind)
    flags = ("--broker", url, "--set", f'broker.version="{"3.1.1" if kind == "embedded" else 5}"')
    asking = bench.start("agent", "lab.toml", *flags, "--quiet", "--budget", "50")
    async with stranger(url, kind) as operator:

        async def order(action: str, fact: str, **fields: Any) -> None:
            """Say it twice, as QoS 1 may; wait for the fact in the journal."""
            control = message("control", action=action, reason=f"to {action}", **fields)
            for _ in range(2):
                await operator.say(f"{BASE}/control", control)
            query = f"SELECT json_extract(payload, '$.message_id') FROM journal WHERE kind = '{fact}'"
            await happened(lambda: bench.rows(query) == [(control["message_id"],)], fact)

        await happened(lambda: bench.count("RequestIssued") == 4, "four requests")
        await operator.hear("status/agent", lambda message: message["health"] == "online")
        await order("pause", "CampaignPaused")
        bench.start("simulator", "lab.toml", *flags, "--set", "simulator.latency.mean_s=0.1")
        await happened(lambda: bench.count("ResultAccepted") == 4, "the answers of before the pause")
        ruled_out, manually = sorted(set(candidates(bench)) - observed(bench))[:2]
        await order("exclude_candidate", "CandidateExcluded", candidate_id=ruled_out)
        quantity = {"name": "energy", "value": 0.25, "unit": "eV"}
        await order("add_observation", "ObservationAdded", candidate_id=manually, quantity=quantity)
        assert bench.count("RequestIssued") == 4  # it is paused
        await order("resume", "CampaignResumed")
        await happened(lambda: bench.count("ResultAccepted") > 8, "further results")
        await order("stop", "CampaignStopping")
        ended = await asyncio.to_thread(asking.finish)

    assert (ended.code, ended.err) == (0, "")
    summary = bench.summary()
    assert summary["stopped_because"] == "stopped by the operator"
    assert (summary["excluded"], summary["quarantined"]) == (1, 0)
    assert 8 < summary["spent"] < 50
    assert summary["observations"] == 24 + 1 + bench.count("ResultAccepted")
    assert bench.rows(f"SELECT value FROM observation WHERE candidate_id = '{manually}'") == [(0.25,)]
    requested = {row[0] for row in bench.rows("SELECT candidate_id FROM request")}
    assert not requested & {ruled_out, manually}
    again = bench.entropilot("agent", "lab.toml", *flags, "--quiet", "--budget", "50", "--resume")
    assert (again.code, bench.summary()) == (0, summary)  # what an operator ended stays ended


def candidates(bench: Workbench) -> list[str]:
    return [line.split(",")[0] for line in (bench.folder / "table.csv").read_text(encoding="utf-8").splitlines()[1:]]


def observed(bench: Workbench) -> set[str]:
    return {row[0] for row in bench.rows("SELECT candidate_id FROM observation")}
