"""A broker that gives what it retains only to who names the topic is recognised, and said to be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.run_files import DATABASE
from protocols.link.broker_settings import BrokerSettings
from protocols.wire.topics import campaigns_filter
from scenarios.status import look as looking
from scenarios.status.look import look
from tests.unit.scenarios.status.test_standing import retained, state, status

URL = "mqtt://127.0.0.1:1"
ALL = retained(state("lab"), status("lab", "agent"), status("lab", "furnace"), state("other"))


class Broker:
    """A broker with something retained.

    Args:
        gives_wildcards: Whether it gives it to a subscription of several topics.
    """

    def __init__(self, *, gives_wildcards: bool) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._gives_wildcards = gives_wildcards

    def retained_on(
        self, _broker: BrokerSettings, filters: tuple[str, ...], *, least_s: float = 0.0, also_live: bool = False
    ) -> dict[str, bytes]:
        self.asked.append(filters)
        assert also_live
        wide = any("+" in each for each in filters) and self._gives_wildcards
        return {topic: payload for topic, payload in ALL.items() if wide or topic in filters}


def at(monkeypatch: pytest.MonkeyPatch, *, gives_wildcards: bool) -> Broker:
    broker = Broker(gives_wildcards=gives_wildcards)
    monkeypatch.setattr(looking, "retained_on", broker.retained_on)
    return broker


def test_a_usual_broker_tells_all_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broker = at(monkeypatch, gives_wildcards=True)
    found = look(URL, (), tmp_path, 0.0)
    assert ([each.campaign for each in found.campaigns], found.gives_wildcards) == (["lab", "other"], True)
    assert (found.notes, broker.asked[0][0]) == ((), campaigns_filter())


def test_campaigns_of_run_folders_are_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("lab", "Not A Name"):
        (tmp_path / name).mkdir()
        (tmp_path / name / DATABASE).touch()
    at(monkeypatch, gives_wildcards=False)
    found = look(URL, (), tmp_path, 0.0)
    assert ([each.campaign for each in found.campaigns], found.gives_wildcards) == (["lab"], False)
    assert "only to who names the topic" in found.notes[0]


def test_where_nothing_is_known_both_reasons_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at(monkeypatch, gives_wildcards=False)
    found = look(URL, (), tmp_path, 0.0)
    assert (found.campaigns, found.gives_wildcards) == ((), None)
    assert "--campaign" in found.notes[0]


def test_a_campaign_that_is_named_is_asked_for_by_name_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broker = at(monkeypatch, gives_wildcards=False)
    found = look(URL, ("lab",), tmp_path, 0.0)
    assert ([each.campaign for each in found.campaigns], found.notes) == (["lab"], ())
    assert len(broker.asked) == 1
