"""A probe tells the code of every answer, also where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.codes import LinkState
from scenarios.doctor import probe as probes
from scenarios.doctor.probe import ENDED_CODE, NO_ANSWER, NotLetIn, Probe
from tests.unit.protocols.link.mqtt_peer import V5, Script, scripted_peer

VERSIONS = pytest.mark.parametrize("version", [MqttVersion.V5, MqttVersion.V311])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "ANSWER_TIMEOUT_S", 0.3)


@VERSIONS
async def test_who_is_let_in_is_told_the_limits_and_codes(version: MqttVersion) -> None:
    script = Script(properties=b"\x21\x00\x05")  # receive maximum 5
    async with scripted_peer(script) as settings, Probe.let_in(settings, version) as probe:
        assert probe.limits.receive_maximum == (5 if version is MqttVersion.V5 else None)
        code, seconds = await probe.subscribe("lab/x")
        assert (code, seconds > 0) == (1, True)
        assert await probe.publish("lab/x", b"1") == 0
    assert script.open == 0


@pytest.mark.parametrize("code", [0, 16, 135])
async def test_the_code_of_a_confirmation_is_told_as_it_is(code: int) -> None:
    async with scripted_peer(Script(puback=code)) as settings, Probe.let_in(settings, MqttVersion.V5) as probe:
        assert await probe.publish("lab/x", b"1") == code


@pytest.mark.usefixtures("impatient")
async def test_a_broker_that_does_not_confirm_is_told_from_one_that_hangs_up() -> None:
    async with scripted_peer(Script(puback=None)) as settings, Probe.let_in(settings, MqttVersion.V5) as probe:
        assert await probe.publish("lab/x", b"1") == NO_ANSWER
    async with scripted_peer(Script(largest=1)) as settings, Probe.let_in(settings, MqttVersion.V5) as probe:
        assert await probe.publish("lab/x", b"1") == ENDED_CODE
        assert await probe.heard("lab/x", b"1", 5.0) is None
        assert not probe.is_up
        assert (await probe.subscribe("lab/x"))[0] == ENDED_CODE


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("connack", "state", "code"),
    [
        ({V5: 135}, LinkState.LOGIN_REFUSED, 135),
        ({V5: 132}, LinkState.VERSION_NOT_SPOKEN, 132),
        ({V5: 137}, LinkState.ENDED, 137),
        ({V5: None}, LinkState.SILENT, -1),
    ],
)
async def test_who_is_not_let_in_is_told_why(connack: dict[int, Any], state: LinkState, code: int) -> None:
    script = Script(connack=connack)
    async with scripted_peer(script) as settings:
        with pytest.raises(NotLetIn) as caught:
            async with Probe.let_in(settings, MqttVersion.V5):
                pass
    assert (caught.value.failure.state, caught.value.code, caught.value.reached) == (state, code, True)


async def test_nobody_there_is_told_from_who_does_not_let_us_in() -> None:
    with pytest.raises(NotLetIn) as caught:
        async with Probe.let_in(BrokerSettings(url="mqtt://127.0.0.1:1"), MqttVersion.V5):
            pass
    assert (caught.value.failure.state, caught.value.reached) == (LinkState.NOT_REACHED, False)
