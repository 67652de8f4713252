"""A scenario may say several instruments: each is what [simulator] says, and what its own table says over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.settings.listing import settings_table
from scenarios.run.standalone import run_simulator
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario

LAB = """
name = "mine"
[pool]
source = "table"
path = "mine.csv"
[pool.columns]
family = "system"
property = "gap"
unit = "eV"
features = ["x"]
[campaign]
budget = 10
[simulator]
concurrency = 3
[simulator.latency]
distribution = "exponential"
mean_s = 0.5
[simulators.xrd]
concurrency = 1
[simulators.furnace.latency]
mean_s = 2.0
[simulators.model]
evaluator = "ase"
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(LAB)
    (tmp_path / "mine.csv").write_text("system,gap,x\na,1.0,2.0\n")
    return str(path)


def loaded(mine: str, *assignments: str) -> Scenario:
    return load_scenario(mine, Overrides(assignments=assignments), {}).settings


def refused(mine: str, *assignments: str) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(mine, *assignments)
    return str(error.value)


def test_an_instrument_is_what_all_share_and_what_is_its_own_over_it(mine: str) -> None:
    xrd, furnace, model = loaded(mine).instruments
    assert [each.id for each in (xrd, furnace, model)] == ["xrd", "furnace", "model"]
    assert (xrd.concurrency, furnace.concurrency) == (1, 3)
    assert (xrd.latency.mean_s, furnace.latency.mean_s, furnace.latency.distribution) == (0.5, 2.0, "exponential")


def test_requests_go_to_the_instruments_in_their_order_unless_the_campaign_says_otherwise(mine: str) -> None:
    assert loaded(mine).recipients == ("xrd", "furnace", "model")
    assert loaded(mine, 'campaign.recipients=["furnace"]').recipients == ("furnace",)
    assert load_scenario("oracle_table", Overrides({"id": "me"}), {}).settings.recipients == ("me",)


def test_without_instruments_of_its_own_the_lab_is_the_one_simulator() -> None:
    scenario = load_scenario("oracle_table", Overrides(), {}).settings
    assert scenario.instruments == (scenario.simulator,)


def test_the_pools_table_is_found_for_every_instrument_that_has_no_evaluator_of_its_own(
    mine: str, tmp_path: Path
) -> None:
    xrd, furnace, model = loaded(mine).instruments
    paths = [each.table.path for each in (xrd, furnace) if each.table is not None]
    assert paths == [str(tmp_path / "mine.csv")] * 2
    assert (xrd.evaluator, model.evaluator, model.table) == ("table", "ase", None)


def test_every_value_says_whether_it_comes_from_the_instrument_from_all_or_from_the_table(mine: str) -> None:
    resolved = load_scenario(mine, Overrides(assignments=("simulators.xrd.resend_max_s=5",)), {})
    line = Path(mine).read_text().splitlines().index("concurrency = 1") + 1
    origin = {key: resolved.source_of[f"simulators.xrd.{key}"] for key in ("concurrency", "id", "latency.mean_s")}
    assert origin == {
        "concurrency": f"{mine}, line {line}",
        "id": "derived from simulators.xrd",
        "latency.mean_s": "derived from simulator.latency.mean_s",
    }
    assert resolved.source_of["simulators.xrd.table.path"] == "derived from pool.path"
    assert resolved.source_of["simulators.xrd.memory_limit_mb"] == "default"
    assert resolved.settings.simulators["xrd"].resend_max_s == 5
    assert settings_table(resolved).row_count == len(resolved.source_of)


def test_a_scenario_that_was_written_down_is_the_same_when_it_is_read_again(mine: str) -> None:
    scenario = loaded(mine)
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario


def test_what_is_wrong_with_an_instrument_is_told_by_its_key(mine: str) -> None:
    assert "simulators.xrd.latency.mean_s is -1" in refused(mine, "simulators.xrd.latency.mean_s=-1")
    assert "no setting simulators.xrd.latencey" in refused(mine, "simulators.xrd.latencey.mean_s=1")
    assert "simulators.XRD" in refused(mine, "simulators.XRD.concurrency=1")
    assert "xrd has the id 'b'; leave it out" in refused(mine, "simulators.xrd.id=b")
    assert "simulators.xrd is 3" in refused(mine, "simulators.xrd=3")


def test_what_is_wrong_with_all_instruments_is_told_once(mine: str) -> None:
    assert refused(mine, "simulator.concurrency=0").startswith("simulator.concurrency is 0")


@pytest.mark.parametrize("name", ["any", "agent", "campaign", "operator", "recording"])
def test_an_instrument_cannot_be_called_what_means_something_else(mine: str, name: str) -> None:
    assert f"the id {name!r} is reserved" in refused(mine, f"simulators.{name}.concurrency=1")


def test_values_out_of_range_need_a_range_that_ends(mine: str) -> None:
    faulty = "simulators.xrd.faults.out_of_range_rate=0.5"
    endless = "campaign.valid_range=[0,1e200]"
    assert "out_of_range_rate needs a campaign.valid_range" in refused(mine, faulty, endless)
    assert loaded(mine, faulty, "campaign.valid_range=[0,9]").instruments[0].faults.out_of_range_rate == 0.5


@pytest.mark.parametrize("flags", [{}, {"id": "furnance"}])
def test_a_simulator_alone_must_be_one_of_the_instruments(mine: str, flags: dict[str, str], tmp_path: Path) -> None:
    scenario = load_scenario(mine, Overrides(flags), {}).settings
    with pytest.raises(SettingsError, match="one of xrd, furnace, model"):
        run_simulator(scenario, campaign=None, memory=tmp_path / "memory")
    assert not (tmp_path / "memory").exists()


OTHER_COLUMNS = 'columns={family="system", property="gap", unit="meV", features=["x"]}'


def test_each_instrument_may_have_a_table_methods_noise_and_drift_of_its_own(mine: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("system,gap,x\na,1.5,2.0\n")
    xrd, furnace, _ = loaded(
        mine,
        f"simulators.xrd.table.path={tmp_path / 'other.csv'}",
        'simulators.xrd.serves.fidelities=["quick"]',
        "simulator.noise.standard_deviation=0.1",
        "simulators.xrd.noise.relative=0.05",
        "simulators.xrd.drift={rate=0.01}",
    ).instruments
    assert xrd.table is not None
    assert furnace.table is not None
    assert (Path(xrd.table.path).name, Path(furnace.table.path).name) == ("other.csv", "mine.csv")
    assert (xrd.serves.fidelities, furnace.serves.fidelities) == (("quick",), None)
    assert xrd.noise is not None
    assert (xrd.noise.standard_deviation, xrd.noise.relative, furnace.drift) == (0.1, 0.05, None)
    assert xrd.counted_by is not None
    assert furnace.counted_by is None


def test_a_table_in_another_unit_than_the_campaigns_is_told_before_anything_starts(mine: str) -> None:
    told = refused(mine, f"simulators.xrd.table={{{OTHER_COLUMNS}}}")
    assert "the table of xrd gives 'gap' in 'meV', the campaign wants it in 'eV'" in told


def test_a_table_that_looks_for_the_nearest_row_needs_features_in_requests(mine: str) -> None:
    nearest = 'simulators.xrd.table={miss="nearest", tolerance=0.5}'
    assert "set campaign.send_features = true" in refused(mine, nearest)
    assert loaded(mine, nearest, "campaign.send_features=true").instruments[0].table is not None


def test_a_drift_by_the_hour_does_not_go_with_decisions(mine: str) -> None:
    hours = 'simulators.xrd={drift={rate=1.0, per="hour"}, calibration={counts="decisions"}}'
    assert "decisions say nothing of hours" in refused(mine, hours)
