"""A link over TLS to real Mosquittos that are wrong in every way: each is told in its own words, and at once.

`first_connect_timeout_s` is a minute here: whoever waited for it would be cut off.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import BrokerError, EntropilotError, SettingsError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkDown, LinkUp
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.endurance.stage import listens, require_mosquitto
from tests.support.commands import free_port, until
from tests.support.tls.authority import EXPIRED, NOT_YET, Authority

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),  # paho drops what it did not trust
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the same
]

PATIENCE_S = 25.0
BOTH = pytest.mark.parametrize("version", [MqttVersion.AUTO, MqttVersion.V5, MqttVersion.V311])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    require_mosquitto()
    return Authority(tmp_path)


@contextmanager
def broker(folder: Path, *lines: str) -> Iterator[int]:
    """A Mosquitto with further lines of configuration; its port."""
    port = free_port()
    usual = [f"listener {free_port()} {LOOPBACK}"] * ("protocol websockets" in lines)  # it does not start without one
    usual += [f"listener {port} {LOOPBACK}", "allow_anonymous true", "persistence false"]
    if hasattr(os, "getuid") and os.getuid() == 0:
        usual.insert(0, "user root")
    (folder / "mosquitto.conf").write_text("\n".join((*usual, *lines)) + "\n")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(
            [find_mosquitto(), "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        until(lambda: process.poll() is not None or listens(port), "Mosquitto does not listen")
        assert process.poll() is None, (folder / "mosquitto.log").read_text()
        yield port
    finally:
        process.kill()
        process.wait()


def shows(files: tuple[Path, Path]) -> tuple[str, ...]:
    """The lines of a broker that shows a certificate."""
    return (f"certfile {files[0]}", f"keyfile {files[1]}")


def session_to(port: int, scheme: str = "mqtts", **options: Any) -> MqttSession:
    settings = BrokerSettings(
        url=f"{scheme}://{LOOPBACK}:{port}",
        first_connect_timeout_s=60.0,
        reconnect_min_s=0.05,
        reconnect_max_s=0.1,
        **{name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
    )
    return MqttSession(settings, client_id="client", subscriptions=("lab/x",))


async def refusal(session: MqttSession, kind: type[EntropilotError] = BrokerError) -> str:
    with pytest.raises(kind) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await session.run()
    told = str(caught.value)
    assert caught.value.action
    assert "start it" not in told
    assert "No MQTT broker answers" not in told
    return told


@BOTH
async def test_a_certificate_of_a_trusted_authority_is_taken(
    authority: Authority, tmp_path: Path, version: MqttVersion
) -> None:
    with broker(tmp_path, *shows(authority.issue("lab"))) as port:
        session = session_to(port, ca_file=authority.certificate, version=version)
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await session.receive(), LinkUp)
        await session.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@BOTH
async def test_an_authority_that_is_not_known_here_is_told_with_the_setting(
    authority: Authority, tmp_path: Path, version: MqttVersion
) -> None:
    with broker(tmp_path, *shows(authority.issue("lab"))) as port:
        told = await refusal(session_to(port, version=version))
    assert "who vouches for it is not known here" in told
    assert "set broker.ca_file" in told


async def test_the_wrong_authority_is_named(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with broker(tmp_path, *shows(authority.issue("lab"))) as port:
        told = await refusal(session_to(port, ca_file=other.certificate))
    assert f"{other.certificate} is not it" in told


async def test_a_certificate_that_vouches_for_itself_is_told_as_such(authority: Authority, tmp_path: Path) -> None:
    own = (authority.certificate, authority.folder / "ca.key")
    with broker(tmp_path, *shows(own)) as port:
        told = await refusal(session_to(port))
    assert "it vouches for itself" in told
    assert "broker.ca_file" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "127.0.0.9"}, f"is not for the name '{LOOPBACK}'"),
        ({"valid": EXPIRED}, "has expired"),
        ({"valid": NOT_YET}, "is not valid yet"),
    ],
)
async def test_a_certificate_of_another_name_or_time_is_told_with_its_remedy(
    authority: Authority, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with broker(tmp_path, *shows(authority.issue("lab", **options))) as port:
        told = await refusal(session_to(port, ca_file=authority.certificate))
    assert words in told
    assert "ca_file" not in told
    assert ("clock" in told) is ("valid" in options)


@BOTH
@pytest.mark.parametrize("scheme", ["mqtts", "wss"])
async def test_tls_to_a_broker_without_it_is_told(
    authority: Authority, tmp_path: Path, version: MqttVersion, scheme: str
) -> None:
    with broker(tmp_path, *["protocol websockets"] * (scheme == "wss")) as port:
        told = await refusal(session_to(port, scheme, version=version))
    assert "no TLS is spoken there" in told
    assert f"try {scheme[:-1]}://{LOOPBACK}:{port}" in told


@BOTH
@pytest.mark.parametrize("scheme", ["mqtt", "ws"])
async def test_no_tls_to_a_broker_with_it_is_told(
    authority: Authority, tmp_path: Path, version: MqttVersion, scheme: str
) -> None:
    with broker(tmp_path, *["protocol websockets"] * (scheme == "ws"), *shows(authority.issue("lab"))) as port:
        told = await refusal(session_to(port, scheme, version=version))
    assert "TLS is spoken there" in told
    assert f"try {scheme}s://{LOOPBACK}:{port}" in told


async def test_websockets_to_a_broker_without_them_are_told(authority: Authority, tmp_path: Path) -> None:
    with broker(tmp_path) as port:
        told = await refusal(session_to(port, "ws"))
    assert "takes no WebSockets at /mqtt" in told
    assert f"try mqtt://{LOOPBACK}:{port}" in told


async def test_a_broker_that_asks_for_our_certificate_gets_it(authority: Authority, tmp_path: Path) -> None:
    asks = (f"cafile {authority.certificate}", "require_certificate true")
    ours = authority.issue("ours")
    with broker(tmp_path, *shows(authority.issue("lab")), *asks) as port:
        told = await refusal(session_to(port, ca_file=authority.certificate, version=MqttVersion.V5))
        assert "broker.cert_file" in told
        session = session_to(port, ca_file=authority.certificate, cert_file=ours[0], key_file=ours[1])
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await session.receive(), LinkUp)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_certificate_that_goes_wrong_later_is_named_and_waited_for(
    authority: Authority, tmp_path: Path
) -> None:
    good, bad = authority.issue("good"), authority.issue("bad", valid=EXPIRED)
    with broker(tmp_path, *shows(good)) as port:
        session = session_to(port, ca_file=authority.certificate)
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await session.receive(), LinkUp)
    moved = f"listener {port} {LOOPBACK}"
    for files, wanted in ((bad, LinkDown), (good, LinkUp)):
        with broker_at(tmp_path, moved, files):
            await until_link(session, lambda item, kind=wanted: isinstance(item, kind) and names(item))  # type: ignore[misc]
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def names(item: object) -> bool:
    """Whether a link that is down says that the certificate has expired; one that is up has nothing to say."""
    return isinstance(item, LinkUp) or (isinstance(item, LinkDown) and "has expired" in item.reason)


async def until_link(session: MqttSession, wanted: Callable[[object], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not wanted(await session.receive()):
            pass


@contextmanager
def broker_at(folder: Path, listener: str, files: tuple[Path, Path]) -> Iterator[None]:
    """A Mosquitto at a port that another one had."""
    lines = [listener, "allow_anonymous true", "persistence false", *shows(files)]
    if hasattr(os, "getuid") and os.getuid() == 0:
        lines.insert(0, "user root")
    (folder / "again.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        [find_mosquitto(), "-c", str(folder / "again.conf")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
@pytest.mark.parametrize("kind", ["missing", "folder", "no PEM", "empty", "a key alone"])
def test_a_file_of_no_use_is_named_with_its_setting(
    authority: Authority, tmp_path: Path, setting: str, kind: str
) -> None:
    file = tmp_path / "given.pem"
    if kind == "folder":
        file.mkdir()
    elif kind != "missing":
        content = {
            "no PEM": b"\x00\xff rubbish",
            "empty": b"",
            "a key alone": (authority.folder / "ca.key").read_bytes(),
        }
        file.write_bytes(content[kind])
    with pytest.raises(SettingsError) as caught:
        session_to(1, ca_file=file) if setting == "ca_file" else session_to(1, cert_file=file)
    assert "given.pem" in caught.value.found
    assert f"broker.{setting}" in caught.value.found
    assert "start it" not in str(caught.value)


def test_a_key_that_asks_for_a_passphrase_is_refused_and_nobody_is_asked(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("ours")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", key, "-out", locked],
        check=True, capture_output=True,
    )  # fmt: skip
    with pytest.raises(SettingsError, match="passphrase"):
        session_to(1, cert_file=certificate, key_file=locked)
