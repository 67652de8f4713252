"""A link that stood goes through each state by its name, and stands again when what was wrong is put right.

Nothing is restarted but the broker, and nothing is told to the session: it reads its files for every connection.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.link.broker_settings import MqttVersion
from protocols.link.codes import LinkState
from tests.endurance.stage import require_mosquitto
from tests.support.tls.authority import EXPIRED, NOT_YET, Authority
from tests.system.connections.stage import (
    Files,
    Place,
    at,
    encrypted,
    greets_and_says_nothing,
    plain,
    says_nothing,
    shows,
    speaks_old_tls,
    watched,
)

pytestmark = [
    pytest.mark.system,
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),  # paho drops what it did not trust
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the same
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning"),  # that is its point
]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    require_mosquitto()
    return Authority(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require_mosquitto()
    with Place(tmp_path) as made:
        yield made


def put(files: Files, where: Files) -> None:
    """Put a certificate and its key where the settings look for them."""
    for one, other in zip(files, where, strict=True):
        shutil.copy(one, other)


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"valid": EXPIRED}, LinkState.CERTIFICATE_EXPIRED),
        ({"valid": NOT_YET}, LinkState.CERTIFICATE_NOT_YET_VALID),
        ({"address": "127.0.0.9"}, LinkState.CERTIFICATE_OF_ANOTHER_NAME),
    ],
)
@pytest.mark.parametrize("scheme", ["mqtts", "wss"])
async def test_a_certificate_of_the_broker_that_goes_wrong(
    authority: Authority, place: Place, scheme: str, options: dict[str, Any], state: LinkState
) -> None:
    good, bad = authority.issue("good"), authority.issue("bad", **options)
    place.mosquitto(*encrypted(scheme, good))
    async with watched(at(place.port, scheme, ca_file=authority.certificate)) as link:
        await link.up()
        place.mosquitto(*encrypted(scheme, bad))
        await link.down(state)
        place.mosquitto(*encrypted(scheme, good))
        await link.up()


async def test_a_certificate_of_the_broker_that_is_revoked_and_a_list_that_runs_out(
    authority: Authority, place: Place
) -> None:
    first, second = authority.issue("first"), authority.issue("second")
    listed = authority.revocations()
    place.mosquitto(*shows(first))
    async with watched(at(place.port, "mqtts", ca_file=authority.certificate, crl_file=listed)) as link:
        await link.up()
        authority.revoke(first[0])
        authority.revocations()
        place.mosquitto(*shows(first))
        await link.down(LinkState.CERTIFICATE_REVOKED)
        place.mosquitto(*shows(second))
        await link.up()
        authority.revocations(following="20210101000000Z")
        place.mosquitto(*shows(second))
        assert "it has expired" in await link.down(LinkState.REVOCATIONS_UNKNOWN)
        authority.revocations()
        await link.up()


async def test_a_broker_that_moves_to_another_authority(authority: Authority, place: Place, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    shutil.copy(authority.certificate, trusted)
    other = Authority(tmp_path, "other")
    place.mosquitto(*shows(authority.issue("first")))
    async with watched(at(place.port, "mqtts", ca_file=trusted)) as link:
        await link.up()
        place.mosquitto(*shows(other.issue("second")))
        await link.down(LinkState.CERTIFICATE_NOT_TRUSTED)
        shutil.copy(other.certificate, trusted)
        await link.up()


@pytest.mark.parametrize("version", [MqttVersion.AUTO, MqttVersion.V311])
@pytest.mark.parametrize("kind", ["expired", "revoked", "of another authority", "not there"])
async def test_a_certificate_of_ours_that_goes_wrong(
    authority: Authority, place: Place, tmp_path: Path, kind: str, version: MqttVersion
) -> None:
    good, used = authority.issue("good"), (tmp_path / "ours.pem", tmp_path / "ours.key")
    asks = (*shows(authority.issue("lab")), f"cafile {authority.certificate}", "require_certificate true")
    put(good, used)
    place.mosquitto(*asks)
    settings = at(
        place.port, "mqtts", ca_file=authority.certificate, cert_file=used[0], key_file=used[1], version=version
    )
    async with watched(settings) as link:
        await link.up()
        match kind:
            case "expired":
                put(authority.issue("old", valid=EXPIRED), used)
                place.mosquitto(*asks)
                await link.down(LinkState.OUR_CERTIFICATE_EXPIRED)
            case "revoked":
                authority.revoke(good[0])
                place.mosquitto(*asks, f"crlfile {authority.revocations()}")
                await link.down(LinkState.OUR_CERTIFICATE_REVOKED)
            case "of another authority":
                put(Authority(tmp_path, "other").issue("theirs"), used)
                place.mosquitto(*asks)
                assert str(used[0]) in await link.down(LinkState.OUR_CERTIFICATE_WANTED)
            case _:
                used[0].unlink()
                place.mosquitto(*asks)
                assert str(used[0]) in await link.down(LinkState.OUR_FILES_UNUSABLE)
        put(authority.issue("new"), used)
        await link.up()


@pytest.mark.parametrize(
    ("scheme", "state"),
    [
        ("mqtts", LinkState.TLS_MISSING),
        ("wss", LinkState.TLS_MISSING),
        ("mqtt", LinkState.TLS_EXPECTED),
        ("ws", LinkState.TLS_EXPECTED),
    ],
)
async def test_a_broker_that_begins_or_ceases_to_speak_tls(
    authority: Authority, place: Place, scheme: str, state: LinkState
) -> None:
    both = (encrypted(scheme, authority.issue("lab")), plain(scheme))
    usual, other = both if scheme in {"mqtts", "wss"} else both[::-1]
    place.mosquitto(*usual)
    async with watched(at(place.port, scheme, ca_file=authority.certificate)) as link:
        await link.up()
        place.mosquitto(*other)
        await link.down(state)
        place.mosquitto(*usual)
        await link.up()


async def test_what_is_encrypted_is_never_sent_in_the_clear_instead(authority: Authority, place: Place) -> None:
    heard: list[bytes] = []
    place.mosquitto(*shows(authority.issue("lab")))
    secret = {"username": "me", "password": "cretword"}
    async with watched(at(place.port, "mqtts", ca_file=authority.certificate, **secret)) as link:
        await link.up()
        place.server(lambda client: heard.append(client.recv(4096)))
        await link.down(LinkState.TLS_MISSING)
    assert heard
    assert not any(b"cretword" in each or b"MQTT" in each for each in heard)


async def test_a_broker_that_speaks_only_tls_1_1(authority: Authority, place: Place) -> None:
    files = authority.issue("lab")
    place.mosquitto(*shows(files))
    async with watched(at(place.port, "mqtts", ca_file=authority.certificate)) as link:
        await link.up()
        place.server(speaks_old_tls(files))
        await link.down(LinkState.TLS_TOO_OLD)
        place.mosquitto(*shows(files))
        await link.up()


@pytest.mark.parametrize(
    ("scheme", "since"),
    [
        *((each, "the start") for each in ("mqtt", "mqtts", "ws", "wss")),
        ("mqtts", "the greeting of TLS"),
        ("wss", "the greeting of TLS"),
    ],
)
async def test_a_broker_that_takes_connections_and_never_answers(
    authority: Authority, place: Place, scheme: str, since: str
) -> None:
    files = authority.issue("lab")
    lines = encrypted(scheme, files) if scheme in {"mqtts", "wss"} else plain(scheme)
    place.mosquitto(*lines)
    async with watched(at(place.port, scheme, ca_file=authority.certificate)) as link:
        await link.up()
        place.server(says_nothing if since == "the start" else greets_and_says_nothing(files))
        assert "does not answer" in await link.down(LinkState.SILENT)
        place.mosquitto(*lines)
        await link.up()


async def test_nobody_there(place: Place) -> None:
    place.mosquitto()
    async with watched(at(place.port, "mqtt")) as link:
        await link.up()
        place.nobody()
        await link.down(LinkState.NOT_REACHED)
        place.mosquitto()
        await link.up()


async def test_a_name_that_nobody_knows_is_called_so() -> None:
    elsewhere = at(1, "mqtt").model_copy(update={"url": "mqtt://nobody.invalid", "first_connect_timeout_s": 60.0})
    async with watched(elsewhere) as link:
        assert "nobody.invalid" in await link.down(LinkState.NAME_UNKNOWN)
