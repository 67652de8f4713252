"""Where campaigns stand follows from what a broker retains; what cannot be read is counted and not believed."""

from __future__ import annotations

from typing import Literal

from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import CampaignPhase, CampaignState, Health, Message, Status
from scenarios.status.standing import standing_of
from tests.support.campaigns import NOW


def state(campaign: str, phase: CampaignPhase = CampaignPhase.RUNNING) -> CampaignState:
    return CampaignState(
        campaign=campaign, message_id="s", sent_at=NOW, phase=phase, budget=20, spent=3, in_flight=4, abandoned=0,
        decision=7, observation=3,
    )  # fmt: skip


def status(campaign: str, client: str, health: Health = Health.ONLINE) -> Status:
    role: Literal["agent", "simulator"] = "agent" if client == "agent" else "simulator"
    return Status(campaign=campaign, message_id="t", sent_at=NOW, client=client, role=role, health=health)


def retained(*messages: Message) -> dict[str, bytes]:
    return {topic_of(each): encode(each) for each in messages}  # type: ignore[arg-type]


def test_a_campaign_has_its_state_its_agent_and_its_instruments() -> None:
    there = retained(
        state("two"), status("two", "agent"), status("two", "furnace"), state("one", CampaignPhase.FINISHED)
    )
    campaigns, for_every, unreadable = standing_of(there)
    assert [each.campaign for each in campaigns] == ["one", "two"]
    assert campaigns[0].state == state("one", CampaignPhase.FINISHED)
    assert campaigns[1].agent == status("two", "agent")
    assert campaigns[1].instruments == {"furnace": status("two", "furnace")}
    assert (campaigns[0].agent, for_every, unreadable) == (None, {}, 0)


def test_an_instrument_that_serves_every_campaign_is_no_campaign() -> None:
    campaigns, for_every, _ = standing_of(retained(status("every-campaign", "oven")))
    assert (campaigns, list(for_every)) == ((), ["oven"])


def test_what_is_no_message_of_its_topic_is_counted_and_what_is_not_ours_passed_over() -> None:
    good = retained(state("one"))
    (payload,) = good.values()
    there = good | {
        "entropilot/v1/two/campaign": payload,  # of another campaign
        "entropilot/v1/one/status/oven": b"\xff",
        "somebody/else": b"x",
        "entropilot/v1/one/metrics": b"{}",
    }
    campaigns, _, unreadable = standing_of(there)
    assert ([each.campaign for each in campaigns], unreadable) == (["one"], 2)
