"""A login is judged by the broker's own words: version, refusal, limits."""

from __future__ import annotations

import pytest

from protocols.link.broker_limits import BrokerLimits
from protocols.link.broker_settings import MqttVersion
from scenarios.doctor.checks import Verdict
from scenarios.doctor.login import SLOW_S, judge_limits, judge_round_trip, log_in
from tests.unit.protocols.link.mqtt_peer import V5, Script, scripted_peer

V311 = 4


async def verdicts(
    script: Script, version: MqttVersion = MqttVersion.AUTO
) -> tuple[MqttVersion | None, dict[str, str]]:
    """The MQTT with which a scripted broker lets us in, and what each check came to."""
    async with scripted_peer(script) as settings:
        login = await log_in(settings.model_copy(update={"version": version}))
    return login.version, {each.name: each.verdict for each in login.checks}


async def test_a_broker_of_mqtt_5_is_asked_once() -> None:
    script = Script()
    version, told = await verdicts(script)
    assert (version, script.levels) == (MqttVersion.V5, [V5])
    assert told == {"mqtt_version": "pass", "credentials": "pass", "limits": "pass"}


@pytest.mark.parametrize("code", [1, 132, -1])
async def test_one_that_speaks_only_3_1_1_is_a_warning(code: int) -> None:
    version, told = await verdicts(Script(connack={V5: code}))
    assert version is MqttVersion.V311
    assert told["mqtt_version"] == "warn"


async def test_one_that_does_not_speak_what_is_asked_for_fails() -> None:
    version, told = await verdicts(Script(connack={V5: 132}), MqttVersion.V5)
    assert (version, told) == (None, {"mqtt_version": "fail"})


@pytest.mark.parametrize("code", [133, 134, 135])
async def test_a_refusal_of_who_we_are_fails_and_the_other_mqtt_is_not_tried(code: int) -> None:
    script = Script(connack={V5: code})
    version, told = await verdicts(script)
    assert (version, told) == (None, {"mqtt_version": "pass", "credentials": "fail"})
    assert script.levels == [V5]


@pytest.mark.parametrize(
    ("limits", "verdict", "words"),
    [
        (BrokerLimits(), Verdict.PASS, "it says of none"),
        (BrokerLimits(receive_maximum=20), Verdict.PASS, "at most 20 messages unconfirmed"),
        (BrokerLimits(maximum_qos=0), Verdict.FAIL, "confirms no messages"),
        (BrokerLimits(keeps_retained=False), Verdict.FAIL, "keeps no retained messages"),
        (BrokerLimits(takes_wildcards=False), Verdict.FAIL, "no filter with + or #"),
        (BrokerLimits(max_packet_bytes=2_000), Verdict.WARN, "at most 2,000 bytes"),
        (BrokerLimits(takes_shared=False), Verdict.WARN, "no shared subscriptions"),
        (BrokerLimits(session_expiry_s=60), Verdict.WARN, "for 60 s"),
    ],
)
def test_limits_are_judged_by_what_a_campaign_needs(limits: BrokerLimits, verdict: Verdict, words: str) -> None:
    (check,) = judge_limits(limits, MqttVersion.V5)
    assert (check.verdict, words in check.found) == (verdict, True)


def test_an_older_broker_tells_no_limits() -> None:
    (check,) = judge_limits(BrokerLimits(), MqttVersion.V311)
    assert check.verdict is Verdict.PASS


def test_a_slow_way_is_a_warning() -> None:
    assert judge_round_trip(SLOW_S / 2).verdict is Verdict.PASS
    assert judge_round_trip(SLOW_S * 2).verdict is Verdict.WARN
