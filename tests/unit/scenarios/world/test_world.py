"""Worlds made of tables: what is the pool, what is known, and what the campaign begins with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agent.entropy.measure import EntropyMeasure
from protocols.errors import SettingsError, TableError
from protocols.wire.messages import CandidateRequest, FailureReason
from scenarios.compare.compare import compare_policies
from scenarios.run.offline import run_offline
from scenarios.run.outcome import random_instead
from scenarios.run.trajectory import Trajectory
from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import World, build_world
from simulators.evaluator import EvaluationFailed
from simulators.oracle_table import OracleTable

COUNT = 24
FRAME = pd.DataFrame(
    {
        "name": [f"C{index:02}" for index in reversed(range(COUNT))],  # the pool turns the order of the file round
        "system": ["cubic", "hexagonal", "trigonal"] * (COUNT // 3),
        "energy": np.random.default_rng(8).normal(size=COUNT).round(6),
        "f_mass": np.arange(COUNT) % 7 + 0.5,
        "f_size": np.arange(COUNT) ** 2 % 11,
    }
)
COLUMNS: Mapping[str, object] = {
    "id": "name",
    "family": "system",
    "property": "energy",
    "unit": "eV/atom",
    "features": ["f_*"],
}
UNKNOWN = {**COLUMNS, "on_missing": "unknown"}
ALL_THE_SAME = {**COLUMNS, "on_no_entropy": "warn"}
TRUTH = FRAME["energy"].to_numpy()[::-1]
"""The energies in the order of the pool."""

POLICIES = ("etal", "random")


def scenario(
    folder: Path,
    frame: pd.DataFrame = FRAME,
    *,
    columns: Mapping[str, object] = COLUMNS,
    start: Mapping[str, object] | None = None,
    file: str = "table.csv",
    **campaign: object,
) -> Scenario:
    path = folder / file
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is an extra")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return scenario_of(
        {
            "name": "table-world",
            "pool": {"path": str(path), "columns": dict(columns)},
            "start": dict(start or {}),
            "campaign": {"budget": COUNT, "seed": 3} | campaign,
        }
    )


def half_measured(known: int = 9) -> pd.DataFrame:
    """Return the table of a lab that has measured the last `known` rows of the file: the first of the pool."""
    return FRAME.assign(energy=FRAME["energy"].where(FRAME.index >= COUNT - known))


def played(settings: Scenario, world: World) -> Trajectory:
    return run_offline(world.pool, world.values, world.start.tolist(), settings.campaign)


# --- the table, found and read --------------------------------------------------------------------------------------


def test_a_relative_path_is_found_beside_the_scenario_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab" / "tables").mkdir(parents=True)
    (tmp_path / "elsewhere" / "tables").mkdir(parents=True)
    FRAME.to_csv(tmp_path / "lab/tables/crystals.csv", index=False)
    FRAME.head(2).to_csv(tmp_path / "elsewhere/tables/crystals.csv", index=False)
    (tmp_path / "lab/own.toml").write_text(
        "name = 'own'\n[campaign]\nbudget = 3\n[pool]\npath = 'tables/crystals.csv'\n"
        "[pool.columns]\nid = 'name'\nfamily = 'system'\nproperty = 'energy'\nunit = 'eV/atom'\nfeatures = ['f_*']\n"
    )
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = load_scenario("../lab/own.toml", Overrides(), {}).settings
    assert len(build_world(settings).pool) == COUNT
    # The oracle is the same table, from the same place.
    assert settings.simulator.table is not None
    assert OracleTable.from_settings(settings.simulator.table).evaluate(asked("c23"))[0].value == TRUTH[-1]


def test_a_relative_path_that_is_not_beside_the_scenario_file_starts_where_you_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab").mkdir()
    settings = scenario(tmp_path)
    (tmp_path / "lab/own.toml").write_text(
        "name = 'own'\n[campaign]\nbudget = 3\n[pool]\npath = 'table.csv'\n"
        "[pool.columns]\nid = 'name'\nfamily = 'system'\nproperty = 'energy'\nunit = 'eV/atom'\nfeatures = ['f_*']\n"
    )
    monkeypatch.chdir(tmp_path)
    found = build_world(load_scenario("lab/own.toml", Overrides(), {}).settings)
    assert found.pool.digest == build_world(settings).pool.digest


def test_further_properties_are_in_the_order_of_the_pool_too(tmp_path: Path) -> None:
    frame = FRAME.assign(density=[None if index == 3 else 10.0 + index for index in range(COUNT)])
    world = build_world(scenario(tmp_path, frame, columns={**COLUMNS, "additional_properties": {"density": "g/cm^3"}}))
    expected = frame["density"].to_numpy(dtype=float)[::-1]  # the file is in the reverse order
    assert np.array_equal(world.additional["density"], expected, equal_nan=True)
    assert build_world(scenario(tmp_path)).additional == {}


def test_a_balanced_property_beyond_the_range_of_the_campaign_is_refused_before_anything_is_bought(
    tmp_path: Path,
) -> None:
    """Its candidates would be answered, and each answer refused."""
    frame = FRAME.assign(carriers=np.linspace(1e17, 2e18, COUNT))
    columns = {**COLUMNS, "additional_properties": {"carriers": "cm^-3"}}
    with pytest.raises(TableError, match=r"'carriers' is .*campaign\.additional_properties\.carriers\.valid_range"):
        build_world(scenario(tmp_path, frame, columns=columns, additional_properties={"carriers": {"unit": "cm^-3"}}))
    wide = {"carriers": {"unit": "cm^-3", "valid_range": [0, 1e22]}}
    world = build_world(scenario(tmp_path, frame, columns=columns, additional_properties=wide))
    assert world.balanced_beside == ("carriers",)


def test_values_are_in_the_order_of_the_pool_and_nothing_is_known_at_the_start(tmp_path: Path) -> None:
    world = build_world(scenario(tmp_path))
    assert world.pool.candidate_ids == tuple(f"c{index:02}" for index in range(COUNT))
    assert world.values.tolist() == TRUTH.tolist()
    assert world.all_known
    assert world.start_observations() == []
    assert world.warnings == ()


def test_rows_that_are_left_out_are_told_in_the_account_and_no_warning(tmp_path: Path) -> None:
    world = build_world(scenario(tmp_path, half_measured(20), columns={**COLUMNS, "on_missing": "drop"}))
    assert len(world.pool) == 20
    assert not [warning for warning in world.warnings if "left out" in warning]


@pytest.mark.parametrize("file", ["table.csv", "table.parquet"])
def test_an_empty_table_is_an_error(tmp_path: Path, file: str) -> None:
    settings = scenario(tmp_path, FRAME.head(0), file=file)
    with pytest.raises(TableError, match="has no rows"):
        build_world(settings)


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    settings = scenario(tmp_path)
    (tmp_path / "table.csv").unlink()
    with pytest.raises(TableError, match="There is no table"):
        build_world(settings)


# --- the start set --------------------------------------------------------------------------------------------------


def test_a_start_set_is_drawn_by_size_and_seed(tmp_path: Path) -> None:
    start = {"size": 9, "minimum_per_family": 2}
    world = build_world(scenario(tmp_path, start=start))
    assert len(world.start) == 9
    assert (np.bincount(world.pool.family_codes[world.start]) >= 2).all()
    assert world.start_observations() == [(f"c{index:02}", TRUTH[index]) for index in world.start.tolist()]
    assert build_world(scenario(tmp_path, start=start)).start.tolist() == world.start.tolist()
    assert build_world(scenario(tmp_path, start=start, seed=4)).start.tolist() != world.start.tolist()


def test_a_family_that_loses_a_half_has_nothing_of_it_in_the_start_set(tmp_path: Path) -> None:
    start = {"size": 12, "minimum_per_family": 4, "halves": {"cubic": "stable", "trigonal": "unstable"}}
    world = build_world(scenario(tmp_path, start=start))
    system = np.array([world.pool.families[code] for code in world.pool.family_codes])
    begun = np.isin(np.arange(COUNT), world.start)
    assert begun.sum() == 12
    assert world.values[begun & (system == "cubic")].min() >= np.median(world.values[system == "cubic"])
    assert world.values[begun & (system == "trigonal")].max() <= np.median(world.values[system == "trigonal"])


def test_a_half_of_a_family_that_the_table_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'monoclinic'"):
        build_world(scenario(tmp_path, start={"size": 9, "halves": {"monoclinic": "stable"}}))


def test_all_candidates_in_the_start_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"All 24 candidates are in the start set.*make start\.size smaller"):
        build_world(scenario(tmp_path, start={"size": COUNT}))
    assert len(build_world(scenario(tmp_path, start={"size": COUNT - 1})).start) == COUNT - 1


# --- a lab's table: known for some rows only ------------------------------------------------------------------------


def asked(candidate_id: str) -> CandidateRequest:
    return CandidateRequest(
        campaign="c",
        message_id="m",
        sent_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        attempt_id="a",
        candidate_id=candidate_id,
        decision=0,
        attempt=1,
        family="cubic",
        properties=("energy",),
        deadline_s=1.0,
    )


@pytest.mark.parametrize("file", ["table.csv", "table.parquet"])
def test_what_a_lab_has_measured_is_the_start_set_and_the_rest_is_left_to_ask_for(tmp_path: Path, file: str) -> None:
    settings = scenario(tmp_path, half_measured(9), columns=UNKNOWN, file=file)
    world = build_world(settings)
    assert len(world.pool) == COUNT
    assert world.start.tolist() == list(range(9))
    assert world.start_observations() == [(f"c{index:02}", TRUTH[index]) for index in range(9)]
    assert np.isnan(world.values[9:]).all()
    assert not world.all_known
    assert world.warnings == ("energy is known for 9 of 24 rows, and not measured yet for 15.",)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_campaign_on_a_lab_s_table_asks_for_what_is_not_measured_yet(tmp_path: Path, policy: str) -> None:
    settings = scenario(tmp_path, half_measured(9), columns=UNKNOWN, policy=policy)
    world = build_world(settings)
    trajectory = run_offline(world.pool, TRUTH, world.start.tolist(), settings.campaign)
    before, after = trajectory.points[0][1], trajectory.points[-1][1]
    assert sum(before.sizes) == 9
    assert len(trajectory.points) == 1 + 15
    assert sum(after.sizes) == COUNT


def test_a_lab_that_has_measured_nothing_yet_begins_with_nothing(tmp_path: Path) -> None:
    world = build_world(scenario(tmp_path, half_measured(0), columns=UNKNOWN))
    assert world.start_observations() == []
    assert not world.all_known
    assert len(world.pool) == COUNT


def test_a_lab_that_has_measured_everything_has_nothing_left_to_ask_for(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"All 24 candidates are in the start set.*add rows with an empty 'energy'"):
        build_world(scenario(tmp_path, columns=UNKNOWN))
    assert len(build_world(scenario(tmp_path, half_measured(COUNT - 1), columns=UNKNOWN)).start) == COUNT - 1


@pytest.mark.parametrize("start", [{"size": 9}, {"halves": {"cubic": "stable"}}])
def test_a_start_set_is_not_drawn_as_well_where_what_is_known_makes_it(
    tmp_path: Path, start: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match=r"leave out start\.size"):
        build_world(scenario(tmp_path, half_measured(9), columns=UNKNOWN, start=start))


def test_nobody_tells_what_another_policy_would_have_found_where_values_are_not_known(tmp_path: Path) -> None:
    settings = scenario(tmp_path, half_measured(9), columns=UNKNOWN)
    assert random_instead(settings, build_world(settings), measure=EntropyMeasure(), budget=5) is None
    with pytest.raises(TableError, match="no known value"):
        compare_policies(settings, POLICIES, [0])


def test_the_oracle_of_a_lab_s_table_answers_for_what_is_known_and_refuses_the_rest(tmp_path: Path) -> None:
    table = scenario(tmp_path, half_measured(9), columns=UNKNOWN).simulator.table
    assert table is not None
    oracle = OracleTable.from_settings(table)
    assert oracle.evaluate(asked("c08"))[0].value == TRUTH[8]
    with pytest.raises(EvaluationFailed) as caught:
        oracle.evaluate(asked("c09"))
    assert caught.value.reason is FailureReason.UNSUPPORTED


# --- tables in which there is no entropy to find --------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("file", ["table.csv", "table.parquet"])
@pytest.mark.parametrize("size", [0, 9])
def test_equal_values_leave_nothing_to_balance_and_the_campaign_ends_all_the_same(
    tmp_path: Path, policy: str, file: str, size: int
) -> None:
    start = {"size": size, "minimum_per_family": 2}
    settings = scenario(
        tmp_path, FRAME.assign(energy=1.5), columns=ALL_THE_SAME, file=file, start=start, policy=policy, parallel=3
    )
    world = build_world(settings)
    assert world.warnings == ("Every candidate has energy = 1.5: equal values leave nothing to balance.",)
    points = [point for _, point in played(settings, world).points]
    assert [sum(point.sizes) for point in points] == list(range(size, COUNT + 1))
    assert points[-1].entropy_range == 0.0  # three families of eight equal values
    as_published = settings.model_copy(
        update={"campaign": settings.campaign.model_copy(update={"estimator": "published"})}
    )
    for (_, point), (_, published) in zip(
        played(settings, world).points, played(as_published, world).points, strict=True
    ):
        assert [h is None for h in point.entropies] == [size == 0 for size in point.sizes]
        assert published.entropies == (None, None, None)
        assert (published.entropy_range, published.entropy_std, published.mean_gap) == (None, None, None)


@pytest.mark.parametrize("estimator", ["m_spacing", "published"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("file", ["table.csv", "table.parquet"])
def test_a_family_of_one_is_the_poorest_whatever_the_estimator(
    tmp_path: Path, policy: str, file: str, estimator: str
) -> None:
    lonely = FRAME.assign(system=["alone", *FRAME["system"][1:]])
    settings = scenario(tmp_path, lonely, columns=ALL_THE_SAME, file=file, policy=policy, estimator=estimator)
    world = build_world(settings)
    assert world.warnings == ("1 of 4 families have a single candidate, whose entropy says nothing: 'alone'.",)
    last = played(settings, world).points[-1][1]
    assert last.families == ("alone", "cubic", "hexagonal", "trigonal")
    assert last.sizes == (1, 7, 8, 8)
    assert [entropy is None for entropy in last.entropies] == [estimator == "published", False, False, False]
    assert last.starved_family == "alone"
    known = [entropy for entropy in last.entropies if entropy is not None]
    assert last.entropy_range == pytest.approx(max(known) - min(known))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_table_of_families_of_one_is_played_to_its_end(tmp_path: Path, policy: str) -> None:
    settings = scenario(tmp_path, FRAME.assign(system=FRAME["name"]), columns=ALL_THE_SAME, policy=policy)
    points = played(settings, build_world(settings)).points
    assert len(points) == COUNT + 1
    assert points[-1][1].sizes == (1,) * COUNT
    assert len(set(points[-1][1].entropies)) == 1
    assert points[-1][1].entropy_range == 0.0


@pytest.mark.parametrize("policy", POLICIES)
def test_a_table_of_one_candidate_is_a_campaign_of_one_step(tmp_path: Path, policy: str) -> None:
    settings = scenario(tmp_path, FRAME.head(1), columns=ALL_THE_SAME, policy=policy)
    points = played(settings, build_world(settings)).points
    assert [point.sizes for _, point in points] == [(0,), (1,)]
    assert points[-1][1].entropies == (pytest.approx(np.log(1e-3) + 1),)
    assert points[-1][1].entropy_range is None


def test_replicates_give_the_start_set_its_uncertainty_and_the_lab_answers_with_theirs(tmp_path: Path) -> None:
    twice = pd.concat([FRAME, FRAME.iloc[:12].assign(energy=lambda each: each["energy"] + 0.2)])
    settings = scenario(tmp_path, twice, columns={**COLUMNS, "on_replicates": "mean"}, start={"size": 15})
    world = build_world(settings)
    assert len(world.pool) == COUNT
    assert world.uncertainties is not None
    known = world.uncertainties[:, 0]
    assert known[12:] == pytest.approx(0.1)  # s = 0.2 / √2 of two values, and s / √2 of their mean
    assert known[:12].tolist() == [0.0] * 12
    assert world.start_uncertainties() == [(float(known[index]),) for index in world.start]
    table = settings.instruments[0].table
    assert table is not None
    answer = OracleTable.from_settings(table).evaluate(asked(world.pool.candidate_ids[-1]))
    assert answer[0].standard_deviation == pytest.approx(0.1)
    assert answer[0].value == pytest.approx(world.values[-1])


def test_a_table_without_replicates_says_nothing_of_uncertainties(tmp_path: Path) -> None:
    world = build_world(scenario(tmp_path, start={"size": 15}))
    assert world.uncertainties is None
    assert world.start_uncertainties() == []
