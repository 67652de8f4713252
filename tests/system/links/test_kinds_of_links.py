"""Plain, encrypted, through a web server: each kind of link carries messages, and refuses whom it does not trust."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.endurance.stage import listens, require_mosquitto
from tests.support.commands import free_port, until

pytestmark = pytest.mark.system

PATIENCE_S = 20.0
KINDS = ("mqtt", "mqtts", "ws", "wss")


def write_certificate(folder: Path) -> None:
    """Write a key and a certificate that it signs itself, for this machine."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab"]
    files = ["-addext", f"subjectAltName=IP:{LOOPBACK}", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(["openssl", *asked, *files], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A Mosquitto that listens in four ways; where each is reached."""
    require_mosquitto()
    write_certificate(tmp_path)
    ports = {kind: free_port() for kind in KINDS}
    lines = ["per_listener_settings false", "allow_anonymous true", "persistence false"]
    if hasattr(os, "getuid") and os.getuid() == 0:
        lines.append("user root")
    for kind, port in ports.items():
        lines.append(f"listener {port} {LOOPBACK}")
        lines += ["protocol websockets"] * kind.startswith("ws")
        if kind.endswith("s") and kind != "ws":
            lines += [f"certfile {tmp_path / 'certificate.pem'}", f"keyfile {tmp_path / 'key.pem'}"]
    (tmp_path / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with (tmp_path / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(
            [find_mosquitto(), "-c", str(tmp_path / "mosquitto.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: process.poll() is not None or all(map(listens, ports.values())), "Mosquitto does not listen")
        assert process.poll() is None, (tmp_path / "mosquitto.log").read_text()
        yield {kind: f"{kind}://{LOOPBACK}:{port}" for kind, port in ports.items()}
    finally:
        process.kill()
        process.wait()


def session_to(url: str, ca_file: Path | None) -> MqttSession:
    settings = BrokerSettings(
        url=url, ca_file=None if ca_file is None else str(ca_file), version=MqttVersion.V5, first_connect_timeout_s=1.0
    )
    return MqttSession(settings, client_id="client", subscriptions=("lab/x",))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_comes_back_over_every_kind_of_link(kind: str, urls: dict[str, str], tmp_path: Path) -> None:
    session = session_to(urls[kind], tmp_path / "certificate.pem" if kind in {"mqtts", "wss"} else None)
    running = asyncio.create_task(session.run())
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await session.receive(), LinkUp)
        await session.publish("lab/x", b"hello")
        came = await session.receive()
        assert isinstance(came, Delivery)
        assert came.payload == b"hello"
        session.acknowledge(came)
        await session.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho drops what it did not trust
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the same
@pytest.mark.parametrize("kind", ["mqtts", "wss"])
def test_a_broker_whose_certificate_nobody_vouches_for_is_not_spoken_to(kind: str, urls: dict[str, str]) -> None:
    async def speak() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await session_to(urls[kind], None).run()

    with pytest.raises(BrokerError, match="its certificate is not trusted"):
        asyncio.run(speak())
    gc.collect()  # so that what paho dropped is found here
