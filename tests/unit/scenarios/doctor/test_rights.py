"""A broker's word on a right is told in words; where it says nothing against it, only delivery counts."""

from __future__ import annotations

import pytest

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.credentials import Role
from scenarios.broker.embedded.users import Action
from scenarios.doctor.needs import Need, Part
from scenarios.doctor.probe import ENDED_CODE, NO_ANSWER
from scenarios.doctor.rights import Accounts, payload_of_ours, refusal_of, show_rights
from tests.unit.protocols.link.mqtt_peer import Script, scripted_peer

TOPIC = "entropilot/v1/lab/request/doctor"
SAY = Need(Action.WRITE, "entropilot/v1/lab/request/+", TOPIC)
HEAR = Need(Action.READ, "entropilot/v1/lab/result/+", "entropilot/v1/lab/result/doctor")


def alone(settings: BrokerSettings) -> Accounts:
    return Accounts(Part(Role.AGENT, "agent"), settings, MqttVersion.V5, None, (), lambda _account: settings)


@pytest.mark.parametrize("code", [0, 1, 16])
def test_a_code_that_refuses_nothing_says_nothing(code: int) -> None:
    assert refusal_of(code) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [(135, "not authorised (code 135)"), (ENDED_CODE, "end of the connection"), (NO_ANSWER, "not answered")],
)
def test_a_refusal_is_told_with_its_code(code: int, words: str) -> None:
    assert words in (refusal_of(code) or "")


def test_what_is_said_is_nobody_elses_and_no_message_of_the_protocol() -> None:
    assert payload_of_ours() != payload_of_ours()
    assert not payload_of_ours().startswith(b"{")


@pytest.mark.parametrize(
    ("script", "verdict"), [(Script(puback=135), "fail"), (Script(puback=0), "warn"), (Script(largest=60), "fail")]
)
async def test_a_broker_that_delivers_nothing_refuses_or_shows_nothing(script: Script, verdict: str) -> None:
    """The scripted one confirms and delivers to nobody; a confirmation alone is never taken for a right."""
    async with scripted_peer(script) as settings:
        (check,) = await show_rights(alone(settings), [SAY], "lab", ())
    assert (check.name, check.verdict, check.subject) == ("say", verdict, SAY.topics)
    assert check.action


async def test_a_subscription_that_is_refused_fails_and_one_that_delivers_nothing_is_not_shown() -> None:
    for suback, verdict in ((135, "fail"), (1, "warn")):
        async with scripted_peer(Script(suback=suback)) as settings:
            (check,) = await show_rights(alone(settings), [HEAR], "lab", ())
        assert (check.name, check.verdict) == ("hear", verdict)


async def test_nothing_is_said_that_a_part_at_work_would_hear() -> None:
    script = Script()
    async with scripted_peer(script) as settings:
        (check,) = await show_rights(alone(settings), [HEAR], "lab", {"agent"})
    assert (check.verdict, "would hear it" in check.found) == ("warn", True)
    assert script.topics == []
