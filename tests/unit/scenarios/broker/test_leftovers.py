"""What campaigns left is read off retained messages; parts that say that they are there are left alone."""

from __future__ import annotations

from datetime import UTC, datetime

from protocols.link.client_ids import agent_client_id, operator_client_id, simulator_client_id
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import Health, Status
from protocols.wire.topics import EVERY_CAMPAIGN, PREFIX
from scenarios.broker.leftovers import chosen, leftovers_in
from simulators.messages import status_message

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def instrument(campaign: str, name: str, health: Health, instance: str | None = "i1") -> tuple[str, bytes]:
    return status_message(campaign, name, health, NOW, instance=instance)


def agent(campaign: str, health: Health, instance: str = "agent-1") -> tuple[str, bytes]:
    status = Status(
        campaign=campaign, message_id="m", sent_at=NOW, client="agent", role="agent", health=health, instance=instance
    )
    return topic_of(status), encode(status)


def test_each_campaign_has_its_topics_and_the_client_ids_that_its_statuses_tell() -> None:
    metrics = f"{PREFIX}/mine/metrics"
    found = leftovers_in(
        dict(
            [
                agent("mine", Health.OFFLINE),
                instrument("mine", "x", Health.OFFLINE),
                instrument("mine", "old", Health.OFFLINE, None),
                (metrics, b"whatever"),
                instrument("other", "x", Health.OFFLINE),
                ("entropilot/v1/none/of/ours", b"1"),
                ("somebody/elses", b"1"),
            ]
        )
    )
    mine, other = found
    assert (mine.campaign, other.campaign) == ("mine", "other")
    assert mine.client_ids == [
        operator_client_id("mine"),
        agent_client_id("mine", "agent-1"),
        simulator_client_id("mine", "old", None),
        simulator_client_id("mine", "x", "i1"),
    ]
    assert len(mine.topics) == 4
    assert metrics in mine.topics
    assert mine.online == []


def test_an_instrument_of_every_campaign_has_the_client_id_that_it_had() -> None:
    (found,) = leftovers_in(dict([instrument(EVERY_CAMPAIGN, "x", Health.OFFLINE)]))
    assert simulator_client_id(None, "x", "i1") in found.client_ids


def test_a_status_that_cannot_be_read_is_a_topic_like_any_other() -> None:
    (found,) = leftovers_in({f"{PREFIX}/mine/status/x": b"garbage", f"{PREFIX}/mine/control": b"stop"})
    assert found.topics == [f"{PREFIX}/mine/control", f"{PREFIX}/mine/status/x"]
    assert found.client_ids == [operator_client_id("mine")]


def test_a_campaign_of_which_somebody_is_there_is_left_alone_unless_it_is_named() -> None:
    found = leftovers_in(
        dict([agent("live", Health.ONLINE), instrument("live", "x", Health.OFFLINE), agent("gone", Health.OFFLINE)])
    )
    wanted, live = chosen(found, frozenset())
    assert [each.campaign for each in wanted] == ["gone"]
    assert [(each.campaign, each.online) for each in live] == [("live", ["agent"])]
    wanted, live = chosen(found, frozenset({"live"}))
    assert [each.campaign for each in wanted] == ["live"]
    assert live == []
