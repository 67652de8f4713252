"""Topics are built and parsed in one place, and nothing that is not ours is taken for ours."""

from __future__ import annotations

import pytest

from protocols.errors import InvariantViolation, MessageError
from protocols.link.memory.broker import matches
from protocols.wire.codec import topic_of
from protocols.wire.limits import MAX_ID_LENGTH, MAX_TOPIC_BYTES
from protocols.wire.topics import (
    ANY_SIMULATOR,
    CLIENT_OPTIONAL,
    EVERY_CAMPAIGN,
    MAX_NAMED,
    PREFIX,
    WITHOUT_CLIENT,
    Channel,
    Topic,
    agent_subscriptions,
    campaigns_filter,
    instrument_status_filters,
    is_kept_after_the_end,
    is_publishable,
    operator_subscriptions,
    parse,
    removes_retained,
    shadow_subscriptions,
    simulator_subscriptions,
)
from tests.support import sample_messages as messages

LONGEST = "a" * MAX_ID_LENGTH
UNPUBLISHABLE = ["", "a/+/b", "a/#", "a\0", "a/\ud800", "a" * (MAX_TOPIC_BYTES + 1), "ä" * MAX_TOPIC_BYTES]


@pytest.mark.parametrize("topic", UNPUBLISHABLE)
def test_a_topic_that_mqtt_does_not_take_is_told_before_it_is_published(topic: str) -> None:
    assert not is_publishable(topic)


@pytest.mark.parametrize("topic", ["a", "/", "others/ä b", "$SYS/x", "a" * MAX_TOPIC_BYTES])
def test_any_other_topic_can_be_published(topic: str) -> None:
    assert is_publishable(topic)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("name", ["a", "0-_z", LONGEST])
def test_a_topic_survives_the_way_to_text_and_back(channel: Channel, name: str) -> None:
    topic = Topic(name, channel, None if channel in WITHOUT_CLIENT else name)
    assert parse(str(topic)) == topic
    assert str(topic).startswith(f"{PREFIX}/{name}/{channel.value}")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        PREFIX,
        f"{PREFIX}/",
        f"{PREFIX}/c",
        f"{PREFIX}/c/",
        f"{PREFIX}/c/result",
        f"{PREFIX}/c/result/",
        f"{PREFIX}/c/result/s/more",
        f"{PREFIX}/c/metrics/s",
        f"{PREFIX}/c/metrics/",
        f"{PREFIX}/c/control/",
        f"{PREFIX}/c/control/s/more",
        f"{PREFIX}/c/measurement/s",
        f"{PREFIX}/c/RESULT/s",
        f"{PREFIX}/C/result/s",
        f"{PREFIX}/c/result/S",
        f"{PREFIX}//result/s",
        f"{PREFIX}/-c/result/s",
        f"{PREFIX}/c/result/s\n",
        f"{PREFIX}/c\n/result/s",
        f"{PREFIX}/c/result/ś",
        f"{PREFIX}/+/result/s",
        f"{PREFIX}/c/result/#",
        f"{PREFIX}/c/result/{LONGEST}a",
        f"{PREFIX}/c/result/\x00",
        f"{PREFIX}/c/result/\ud800",
        f"/{PREFIX}/c/result/s",
        f"x{PREFIX}/c/result/s",
        f"{PREFIX}/{PREFIX}/c/result/s",
        "entropilot/v2/c/result/s",
        "entropilot/v1x/c/result/s",
        "a" * 65_536,
    ],
)
def test_a_topic_that_is_none_of_ours_is_refused_by_that_reason(topic: str) -> None:
    with pytest.raises(MessageError) as caught:
        parse(topic)
    assert caught.value.reason == "unknown_topic"
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", ["", "C", "+", "#", "a/b", "$share", "-a", "a b", "é", LONGEST + "a", "a\n"])
def test_a_name_that_would_break_a_topic_stops_us(name: str) -> None:
    with pytest.raises(InvariantViolation):
        str(Topic(name, Channel.METRICS))
    with pytest.raises(InvariantViolation):
        str(Topic("c", Channel.RESULT, name))
    with pytest.raises(InvariantViolation):
        agent_subscriptions(name)
    with pytest.raises(InvariantViolation):
        simulator_subscriptions(name, campaign="c", shared=False)


def test_an_agent_hears_those_whom_it_asks_and_no_other_device() -> None:
    named = agent_subscriptions("c", ["oven", "furnace"])
    instruments = {"oven", "furnace"}
    for channel in ("result", "failure", "status"):
        heard = {each.split("/")[4] for each in named if f"/{channel}/" in each}
        assert heard == instruments | ({"agent"} if channel == "status" else set())
    assert "+" not in {each.split("/")[4] for each in named if "/control/" not in each and not each.endswith("control")}


@pytest.mark.parametrize(
    "recipients", [[], ["any"], ["oven", "any"], [f"i{number}" for number in range(MAX_NAMED + 1)]]
)
def test_an_agent_that_asks_anybody_or_very_many_hears_everybody(recipients: list[str]) -> None:
    assert agent_subscriptions("c", recipients) == agent_subscriptions("c")
    assert "entropilot/v1/c/result/+" in agent_subscriptions("c", recipients)


def test_a_control_has_the_level_of_its_operator_or_none() -> None:
    for operator in ("alice", None):
        topic = Topic("c", Channel.CONTROL, operator)
        assert parse(str(topic)) == topic


@pytest.mark.parametrize("channel", sorted(set(Channel) - CLIENT_OPTIONAL))
def test_a_client_level_is_where_it_belongs_and_nowhere_else(channel: Channel) -> None:
    with pytest.raises(InvariantViolation):
        str(Topic("c", channel, "s" if channel in WITHOUT_CLIENT else None))


def test_the_agent_hears_what_is_meant_for_it_and_not_its_own_words() -> None:
    filters = agent_subscriptions(messages.CAMPAIGN)
    heard = {
        message.type for message in messages.one_of_each() if any(matches(each, topic_of(message)) for each in filters)
    }
    assert heard == {"candidate_result", "candidate_failure", "status", "control", "capabilities"}
    in_place_of_all = messages.capabilities(campaign=EVERY_CAMPAIGN)
    assert any(matches(each, topic_of(in_place_of_all)) for each in filters)
    assert not any(matches(each, f"{PREFIX}/other/result/sim-1") for each in filters)


def test_a_shadow_hears_all_of_its_campaign_but_the_bias() -> None:
    filters = shadow_subscriptions(messages.CAMPAIGN)
    heard = {
        message.type for message in messages.one_of_each() if any(matches(each, topic_of(message)) for each in filters)
    }
    unheard = {"metrics_report", "campaign_state", "capabilities_request"}
    assert heard == {message.type for message in messages.one_of_each()} - unheard
    assert not any(matches(each, f"{PREFIX}/other/request/sim-1") for each in filters)


def test_an_operator_hears_the_receipts_for_it_and_where_the_campaign_stands() -> None:
    filters = operator_subscriptions(messages.CAMPAIGN, "ada")
    heard = {
        message.type for message in messages.one_of_each() if any(matches(each, topic_of(message)) for each in filters)
    }
    assert heard == {"control_receipt", "campaign_state"}
    assert not any(matches(each, topic_of(messages.control_receipt(operator="bob"))) for each in filters)
    assert matches(campaigns_filter(), topic_of(messages.campaign_state(campaign="other")))


def test_what_a_finished_campaign_leaves_is_its_state_alone() -> None:
    kept = [message.type for message in messages.one_of_each() if is_kept_after_the_end(topic_of(message))]
    assert kept == ["campaign_state"]
    assert not is_kept_after_the_end("elsewhere/campaign")


@pytest.mark.parametrize("campaign", [messages.CAMPAIGN, None])
def test_a_simulator_hears_its_requests_those_to_anyone_and_its_receipts(campaign: str | None) -> None:
    filters = simulator_subscriptions(messages.SIMULATOR, campaign=campaign, shared=False)
    mine = [
        topic_of(messages.request()),
        topic_of(messages.request(), recipient=messages.SIMULATOR),
        topic_of(messages.receipt()),
        f"{PREFIX}/{messages.CAMPAIGN}/announce",
    ]
    assert all(any(matches(each, topic) for each in filters) for topic in mine)
    foreign = [
        topic_of(messages.request(), recipient="sim-2"),
        topic_of(messages.receipt(simulator="sim-2")),
        *(topic_of(message) for message in (messages.result(), messages.status(), messages.metrics_report())),
    ]
    assert not any(matches(each, topic) for each in filters for topic in foreign)
    elsewhere = topic_of(messages.request(campaign="other"))
    assert any(matches(each, elsewhere) for each in filters) is (campaign is None)


def test_only_requests_to_anyone_are_shared_among_simulators() -> None:
    plain = simulator_subscriptions("s", campaign="c", shared=False)
    shared = simulator_subscriptions("s", campaign="c", shared=True)
    anyone = f"{PREFIX}/c/request/{ANY_SIMULATOR}"
    assert [each for each in shared if each not in plain] == [f"$share/simulators/{anyone}"]
    assert [each for each in plain if each not in shared] == [anyone]


@pytest.mark.parametrize(
    ("topic", "payload", "removes"),
    [
        (f"{PREFIX}/c/status/x", b"", True),
        (f"{PREFIX}/c/metrics", b"", True),
        (f"{PREFIX}/c/capabilities/x", b"", True),
        (f"{PREFIX}/c/status/x", b"{}", False),
        (f"{PREFIX}/c/result/x", b"", False),
        ("elsewhere", b"", False),
    ],
)
def test_only_an_empty_message_where_something_is_retained_removes_it(
    topic: str, payload: bytes, removes: bool
) -> None:
    assert removes_retained(topic, payload) is removes


def test_an_instrument_hears_of_others_of_its_id_wherever_they_serve() -> None:
    mine = instrument_status_filters("x", campaign="c")
    assert mine == (f"{PREFIX}/c/status/x", f"{PREFIX}/{EVERY_CAMPAIGN}/status/x", f"{PREFIX}/c/status/agent")
    assert instrument_status_filters("x", campaign=None) == (f"{PREFIX}/+/status/x",)
