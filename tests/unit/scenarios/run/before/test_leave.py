"""A real lab is driven only with a person's word and at a broker of the list; a simulated one anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from protocols.mapping.settings import LabSettings
from scenarios.run.before.leave import leave_of, require_leave
from scenarios.run.request import RunRequest
from scenarios.settings.live import LiveSettings
from scenarios.settings.model import Scenario
from scenarios.world.world import build_world
from tests.support.mapping.samples import changed
from tests.support.runs.toy_table import scenario_on, write_toy_table

LAB = "mqtts://somebody@broker.lab"


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return scenario_on(write_toy_table(tmp_path / "t.csv"))


def asked(scenario: Scenario, url: str = "embedded", brokers: tuple[str, ...] = (), **options: Any) -> RunRequest:
    at = scenario.model_copy(update={"broker": BrokerSettings(url=url), "live": LiveSettings(brokers=brokers)})
    return RunRequest(at, build_world(scenario), "toy", Path("nowhere"), **options)


def test_a_run_that_plays_its_lab_itself_needs_no_word(scenario: Scenario) -> None:
    require_leave(asked(scenario))
    require_leave(asked(scenario, LAB))


def test_what_instruments_elsewhere_are_shows_later(scenario: Scenario) -> None:
    require_leave(asked(scenario, LAB, with_simulator=False))


def test_with_the_word_the_broker_must_be_on_the_list(scenario: Scenario) -> None:
    with pytest.raises(SettingsError, match=r"broker\.lab:8883 is not among.*which is empty.*ENTROPILOT_LIVE__BROKERS"):
        require_leave(asked(scenario, LAB, with_simulator=False, is_live=True))
    with pytest.raises(SettingsError, match=r"one of other\.lab:1883"):
        require_leave(asked(scenario, LAB, ("other.lab:1883",), with_simulator=False, is_live=True))
    require_leave(asked(scenario, LAB, ("broker.lab:8883",), with_simulator=False, is_live=True))
    require_leave(asked(scenario, is_live=True))


def test_a_section_for_a_labs_own_messages_needs_the_word(scenario: Scenario) -> None:
    own = scenario.model_copy(update={"lab": LabSettings.model_validate(changed())})
    with pytest.raises(SettingsError, match=r"would drive a real lab: the scenario has a \[lab\] section.*--dry-run"):
        require_leave(asked(own, LAB, ("broker.lab:8883",), with_simulator=False))
    require_leave(asked(own, LAB, ("broker.lab:8883",), with_simulator=False, is_live=True))
    assert leave_of(asked(own, LAB, with_simulator=False)).real
    assert not leave_of(asked(scenario, LAB, with_simulator=False)).real
