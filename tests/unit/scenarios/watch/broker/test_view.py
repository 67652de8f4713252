"""A view of a broker believes what can be read, keeps its bounds, and knows who is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage, CampaignPhase, CampaignState, FamilyBias, Health, MetricsReport, Status
from scenarios.watch.broker import view as module
from scenarios.watch.broker.view import BrokerView, is_there

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
HEAD: dict[str, Any] = {"campaign": "lab", "message_id": "m", "sent_at": NOW}


def report(observation: int, row: int | None = None, campaign: str = "lab") -> MetricsReport:
    families = (FamilyBias(family="a", size=5, entropy=0.5), FamilyBias(family="b", size=observation))
    return MetricsReport(
        **{**HEAD, "campaign": campaign}, observation=observation, property="e", unit="eV", families=families, row=row
    )


def state(**changed: Any) -> CampaignState:
    usual: dict[str, Any] = {
        "phase": CampaignPhase.RUNNING, "budget": 9, "spent": 1, "in_flight": 2, "abandoned": 0, "decision": 3,
        "observation": 1,
    }  # fmt: skip
    return CampaignState(**HEAD, **(usual | changed))


def agent(health: Health) -> Status:
    return Status(**HEAD, client="agent", role="agent", health=health)


def seen(*messages: AnyMessage) -> BrokerView:
    view = BrokerView()
    for message in messages:
        view.take(topic_of(message), encode(message), NOW)
    return view


def test_a_campaign_is_what_its_agent_said_last() -> None:
    view = seen(state(spent=1, row=8), agent(Health.ONLINE), report(1, 7), state(spent=2, row=9), report(2, 12))
    lab = view.known()["lab"]
    assert (lab.state is not None and lab.state.spent, list(lab.reports), lab.version) == (2, [1, 2], 12)
    assert [lab.row_of(each) for each in lab.reports.values()] == [7, 12]
    assert is_there(lab.agent) is True


def test_where_no_rows_are_told_every_message_is_something_new() -> None:
    view = seen(state(), report(1))
    before = view.known()["lab"].version
    view.take(topic_of(report(2)), encode(report(2)), NOW)
    assert view.known()["lab"].version > before


def test_points_that_go_back_belong_to_a_campaign_that_was_begun_again() -> None:
    assert list(seen(report(7), report(8), report(1)).known()["lab"].reports) == [1]


def test_what_cannot_be_read_is_counted_and_what_is_of_others_passed_over() -> None:
    view = seen(state())
    view.take("entropilot/v1/lab/campaign", b"{}", NOW)
    view.take("entropilot/v1/lab/metrics", b"\xff", NOW)
    view.take("somebody/else", b"x", NOW)
    view.take("entropilot/v1/lab/result/sim", b"x", NOW)
    assert (view.unreadable, list(view.campaigns)) == (2, ["lab"])


def test_an_empty_message_says_that_the_campaign_is_over_and_its_figures_stay() -> None:
    view = seen(state(), report(3), agent(Health.ONLINE))
    view.take("entropilot/v1/lab/status/agent", b"", NOW)
    lab = view.known()["lab"]
    assert (is_there(lab.agent), lab.last_report is not None) == (None, True)


def test_no_stranger_makes_it_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CAMPAIGNS", 3)
    monkeypatch.setattr(module, "MAX_REPORTS", 10)
    view = seen(*(report(1, campaign=f"c{number}") for number in range(9)))
    assert len(view.campaigns) == 3
    view = seen(*(report(number) for number in range(40)))
    assert len(view.known()["lab"].reports) <= 10
    assert 39 in view.known()["lab"].reports
