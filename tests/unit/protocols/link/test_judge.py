"""Whether trying again can help: decided by what was said, how often, and whether the broker ever took us."""

from __future__ import annotations

from typing import Any

import aiomqtt
import pytest

from protocols.errors import BrokerError
from protocols.link.broker_limits import BrokerLimits
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.codes import LinkError, LinkState
from protocols.link.failures import SAID_NOTHING, Failure
from protocols.link.judge import PROBE_TIMEOUT_S, Judge

FAULT = BrokerError("its certificate has expired", action="renew it")


def judge(**fields: Any) -> Judge:
    settings = BrokerSettings(url="mqtt://127.0.0.1:1", **fields)
    return Judge(settings, settings.address(), "client")


def test_a_fault_that_no_waiting_changes_ends_a_session_that_never_stood_at_once() -> None:
    with pytest.raises(BrokerError, match="has expired"):
        judge().require_hope(Failure("", FAULT), 0.0)


def test_what_may_be_a_passing_fault_ends_it_only_when_it_comes_twice_in_a_row() -> None:
    met = judge()
    again = Failure("", FAULT, must_repeat=True)
    met.require_hope(again, 0.0)
    met.require_hope(Failure("Connection refused"), 0.0)
    met.require_hope(again, 0.0)
    with pytest.raises(BrokerError, match="has expired"):
        met.require_hope(again, 0.0)


def test_a_broker_that_took_us_once_is_waited_for_whatever_its_certificate_says() -> None:
    met = judge()
    met.connected()
    for _ in range(3):
        met.require_hope(Failure("", FAULT), 10_000.0)


def test_nobody_there_is_waited_for_as_long_as_the_settings_say() -> None:
    met = judge(first_connect_timeout_s=5.0)
    met.require_hope(Failure("Connection refused"), 4.9)
    with pytest.raises(BrokerError, match=r"No MQTT broker answers .*Connection refused") as caught:
        met.require_hope(Failure("Connection refused", advice="wake it"), 5.1)
    assert caught.value.action == "wake it"


@pytest.mark.parametrize("took_us", [False, True])
def test_limits_that_are_too_narrow_must_be_said_twice_by_a_broker_that_took_us(took_us: bool) -> None:
    met, limits = judge(), BrokerLimits(maximum_qos=0)
    if took_us:
        met.connected()
        with pytest.raises(aiomqtt.MqttError, match="confirms no messages"):
            met.require_enough(limits, (), retains=True)
    with pytest.raises(BrokerError, match="cannot serve a campaign"):
        met.require_enough(limits, (), retains=True)


async def test_auto_tries_the_other_mqtt_in_turn_until_one_is_taken() -> None:
    met = judge()
    tried = []
    for _ in range(3):
        tried.append(met.version)
        met.awaited = f"our greeting of MQTT {met.version.value}"
        failure = await met.of_connection(aiomqtt.MqttError("Operation timed out"))
        assert failure.reason.startswith(
            f"it takes connections and does not answer our greeting of MQTT {tried[-1].value}"
        )
    assert tried == [MqttVersion.V5, MqttVersion.V311, MqttVersion.V5]
    met.connected()
    kept = met.version
    await met.of_connection(aiomqtt.MqttError("Operation timed out"))
    assert met.version is kept


@pytest.mark.parametrize("code", [1, 132])
async def test_a_broker_that_comes_back_with_an_older_mqtt_is_spoken_to_in_it_and_later_asked_for_the_newer_again(
    code: int,
) -> None:
    met = judge()
    met.connected()
    met.greets()
    failure = await met.of_connection(said(code))
    assert (failure.state, met.version) == (LinkState.VERSION_NOT_SPOKEN, MqttVersion.V311)
    met.connected()
    await met.of_connection(aiomqtt.MqttError("the connection ended"))
    assert met.version is MqttVersion.V5


async def test_a_version_that_is_asked_for_stays_whatever_a_broker_says() -> None:
    met = judge(version=MqttVersion.V5)
    met.connected()
    met.greets()
    failure = await met.of_connection(said(132))
    assert (failure.state, met.version) == (LinkState.VERSION_NOT_SPOKEN, MqttVersion.V5)


async def test_a_broker_that_hangs_after_it_took_us_is_called_silent_and_not_taken_for_an_older_one() -> None:
    met = judge()
    met.connected()
    met.greets()
    failure = await met.of_connection(aiomqtt.MqttError("Operation timed out"))
    assert (failure.state, met.version) == (LinkState.SILENT, MqttVersion.V5)
    met.connected()
    failure = await met.of_connection(aiomqtt.MqttError(f"{SAID_NOTHING} for 30 s"))
    assert failure.state is LinkState.SILENT


async def test_the_first_refusal_of_a_broker_that_took_us_has_a_name_and_the_second_ends() -> None:
    met = judge()
    met.connected()
    met.greets()
    assert (await met.of_connection(said(135))).state is LinkState.LOGIN_REFUSED
    with pytest.raises(LinkError, match="135") as caught:
        await met.of_connection(said(135))
    assert caught.value.state is LinkState.LOGIN_REFUSED


def said(code: int) -> aiomqtt.MqttError:
    """What aiomqtt makes of a CONNACK with a code."""
    return aiomqtt.MqttCodeError(code)


def test_a_person_waits_no_longer_for_the_first_greeting_than_for_a_probe() -> None:
    patient = {"publish_timeout_s": 60.0, "first_connect_timeout_s": 60.0}
    met = judge(**patient)
    assert met.patience_s() == PROBE_TIMEOUT_S
    met.connected()
    assert met.patience_s() == 60.0
    assert judge(version=MqttVersion.V5, **patient).patience_s() == 60.0
