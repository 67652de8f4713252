"""The oracle that looks answers up, its noise and its waiting times."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from protocols.tables.table import PropertyValues, TableColumns
from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.parameters import ParameterColumns, Parameters
from simulators.evaluator import EvaluationFailed, Evaluator
from simulators.noise import LATENCY_BOUND_IN_MEANS, GaussianNoise, Latency, LatencySettings, NoiseSettings
from simulators.oracle_table import NoAnswer, OracleTable, OracleTableSettings

KNOWN = PropertyValues(
    ("nacl-1", "fe-2"),
    {"energy": np.array([-0.5, 0.25]), "gap": np.array([8.5, np.nan])},
    {"energy": "eV/atom", "gap": "eV"},
)


def request(candidate_id: str, *properties: str, told: Parameters | None = None) -> CandidateRequest:
    return CandidateRequest(
        parameters=() if told is None else told.quantities(),
        labels={} if told is None else told.labels(),
        campaign="c",
        message_id="m",
        sent_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        attempt_id="a",
        candidate_id=candidate_id,
        decision=0,
        attempt=1,
        family="cubic",
        properties=properties or ("energy",),
        deadline_s=1.0,
    )


def failed(oracle: OracleTable, asked: CandidateRequest) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        oracle.evaluate(asked)
    return caught.value


def test_the_oracle_is_an_evaluator_and_answers_with_value_and_unit() -> None:
    oracle = OracleTable(KNOWN)
    assert isinstance(oracle, Evaluator)
    assert oracle.evaluate(request("fe-2")) == (Quantity(name="energy", value=0.25, unit="eV/atom"),)


def test_a_mean_of_several_measurements_is_answered_with_its_uncertainty() -> None:
    known = PropertyValues(
        ("nacl-1", "fe-2"), KNOWN.values, KNOWN.units, {"energy": np.array([0.05, np.nan]), "gap": np.full(2, np.nan)}
    )
    found = {name: OracleTable(known).evaluate(request(name)) for name in known.candidate_ids}
    assert [each.standard_deviation for each in found["nacl-1"]] == [0.05, None]
    assert [each.standard_deviation for each in found["fe-2"]] == [None]


def test_requested_properties_come_first_and_what_else_is_known_comes_after() -> None:
    found = OracleTable(KNOWN).evaluate(request("nacl-1", "gap"))
    assert [(each.name, each.value, each.unit) for each in found] == [("gap", 8.5, "eV"), ("energy", -0.5, "eV/atom")]


def test_a_request_for_a_method_with_a_column_is_answered_from_it() -> None:
    """Nothing else of the row is told: it is what the target says."""
    known = PropertyValues(
        KNOWN.candidate_ids, KNOWN.values, KNOWN.units, fidelities={"rough": np.array([1.5, np.nan])}
    )
    oracle = OracleTable(known)
    (quantity,) = oracle.evaluate(request("nacl-1").model_copy(update={"fidelity": "rough"}))
    assert (quantity.name, quantity.value, quantity.unit) == ("energy", 1.5, "eV/atom")
    assert oracle.evaluate(request("nacl-1").model_copy(update={"fidelity": "best"}))[0].value == -0.5
    asked = request("fe-2").model_copy(update={"fidelity": "rough"})
    assert failed(oracle, asked).reason is FailureReason.UNSUPPORTED


def test_an_unknown_candidate_fails_and_is_never_guessed() -> None:
    failure = failed(OracleTable(KNOWN), request("nacl-2"))
    assert failure.reason is FailureReason.UNKNOWN_CANDIDATE
    assert "nacl-2" in failure.detail


def test_a_failure_names_the_candidate_as_its_table_does() -> None:
    asked = request("mp-10-f501d1fcceca").model_copy(update={"source_id": "MP 10/α"})
    assert "'MP 10/α' ('mp-10-f501d1fcceca')" in failed(OracleTable(KNOWN), asked).detail
    same = request("nacl-2").model_copy(update={"source_id": "nacl-2"})
    assert "candidate 'nacl-2' is not" in failed(OracleTable(KNOWN), same).detail


def test_a_silent_oracle_gives_no_answer_for_an_unknown_candidate_only() -> None:
    oracle = OracleTable(KNOWN, miss="silent")
    with pytest.raises(NoAnswer) as caught:
        oracle.evaluate(request("nacl-2"))
    assert pickle.loads(pickle.dumps(caught.value)).candidate_id == "nacl-2"
    assert oracle.evaluate(request("fe-2"))


@pytest.mark.parametrize(("candidate", "name"), [("nacl-1", "colour"), ("nobody", "colour"), ("fe-2", "gap")])
def test_a_property_that_is_not_known_is_unsupported(candidate: str, name: str) -> None:
    failure = failed(OracleTable(KNOWN), request(candidate, "energy", name))
    assert failure.reason is FailureReason.UNSUPPORTED
    assert name in failure.detail


def test_an_oracle_is_built_of_plain_json_and_knows_the_normalised_ids(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("jid,s,e,gap,f\nJVASP-1,x,1.5,,0\nJVASP-2,x,2.5,3.5,1\n")
    columns = TableColumns(
        id="jid", family="s", property="e", unit="eV", features=("f",), additional_properties={"gap": "eV"}
    )
    text = OracleTableSettings(path=str(path), columns=columns).model_dump_json()
    oracle = OracleTable.from_settings(OracleTableSettings.model_validate_json(text))
    assert [each.value for each in oracle.evaluate(request("jvasp-2", "e"))] == [2.5, 3.5]
    assert [each.name for each in oracle.evaluate(request("jvasp-1", "e"))] == ["e"]
    assert failed(oracle, request("jvasp-1", "e", "gap")).reason is FailureReason.UNSUPPORTED


# --- noise ----------------------------------------------------------------------------------------------------------

ENERGY = Quantity(name="energy", value=1.0, unit="eV")


def drawn(noise: GaussianNoise, count: int, quantity: Quantity = ENERGY) -> np.ndarray:
    return np.array([noise.apply(quantity, f"attempt-{i}").value for i in range(count)])


def test_the_same_attempt_has_the_same_noise_and_every_other_seed_attempt_or_property_another() -> None:
    noise = GaussianNoise(0.5, seed=7)
    values = {
        noise.apply(ENERGY, "a").value,
        noise.apply(ENERGY, "b").value,
        GaussianNoise(0.5, seed=8).apply(ENERGY, "a").value,
        noise.apply(ENERGY.model_copy(update={"name": "gap"}), "a").value,
    }
    assert len(values) == 4
    assert GaussianNoise(0.5, seed=7).apply(ENERGY, "a") == noise.apply(ENERGY, "a")


def test_noise_is_normal_with_the_deviation_it_states() -> None:
    values = drawn(GaussianNoise(0.5, seed=1), 4000)
    # Four standard errors of a mean and of a deviation of 4000 draws.
    assert values.mean() == pytest.approx(1.0, abs=4 * 0.5 / 4000**0.5)
    assert values.std() == pytest.approx(0.5, abs=4 * 0.5 / 8000**0.5)
    # 68.3 % of a normal lie within one deviation; four standard errors of that share.
    assert (abs(values - 1.0) < 0.5).mean() == pytest.approx(0.683, abs=0.03)


def test_the_deviation_travels_and_adds_in_squares_to_one_that_is_there() -> None:
    noise = GaussianNoise(0.3, seed=0)
    assert noise.apply(ENERGY, "a").standard_deviation == 0.3
    known = ENERGY.model_copy(update={"standard_deviation": 0.4})
    assert noise.apply(known, "a").standard_deviation == pytest.approx(0.5)


def test_noise_by_property_leaves_the_others_exact() -> None:
    noise = GaussianNoise.from_settings(NoiseSettings(standard_deviation={"gap": 0.1}))
    assert noise.apply(ENERGY, "a") == ENERGY
    assert noise.apply(ENERGY.model_copy(update={"name": "gap"}), "a").value != 1.0


def test_noise_keeps_a_value_within_what_may_travel() -> None:
    edge = Quantity(name="e", value=MAX_ABS_VALUE, unit="")
    values = drawn(GaussianNoise(MAX_ABS_VALUE, seed=0), 50, edge)
    assert values.max() == MAX_ABS_VALUE
    assert values.min() < MAX_ABS_VALUE


# --- latency --------------------------------------------------------------------------------------------------------


def waits(settings: dict[str, object], count: int = 4000) -> np.ndarray:
    latency = Latency(LatencySettings.model_validate(settings))
    return np.array([latency.seconds(f"attempt-{i}") for i in range(count)])


def test_a_constant_latency_is_its_mean() -> None:
    assert set(waits({"mean_s": 2.5}, 10)) == {2.5}


@pytest.mark.parametrize(
    ("settings", "deviation"),
    [({"distribution": "exponential"}, 1.0), ({"distribution": "lognormal", "spread": 0.5}, (np.exp(0.25) - 1) ** 0.5)],
)
def test_a_latency_has_the_mean_it_states_and_scatters_as_its_distribution(
    settings: dict[str, object], deviation: float
) -> None:
    values = waits({"mean_s": 2.0} | settings)
    assert values.mean() == pytest.approx(2.0, abs=4 * 2 * deviation / 4000**0.5)
    assert values.std() == pytest.approx(2 * deviation, rel=0.1)
    np.testing.assert_array_equal(values, waits({"mean_s": 2.0} | settings))
    assert len(set(values)) == 4000


def test_a_latency_never_exceeds_its_bound() -> None:
    values = waits({"mean_s": 1.0, "distribution": "lognormal", "spread": 1.0})
    assert values.max() == LATENCY_BOUND_IN_MEANS
    assert values.min() > 0


@pytest.mark.parametrize("fields", [{"mean_s": -1.0}, {"spread": 2.0}, {"distribution": "gamma"}, {"jitter": 1.0}])
def test_latency_settings_that_make_no_sense_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LatencySettings.model_validate(fields)


def test_a_negative_deviation_is_refused() -> None:
    with pytest.raises(ValidationError):
        NoiseSettings(standard_deviation=-0.1)


CALLED = ParameterColumns(("temperature",), ("K",), ("solvent",))
COLD, HOT, WET = (Parameters(CALLED, (at,), (solvent,)) for at, solvent in ((300.0, "a"), (350.0, "a"), (350.0, "b")))


def recipes(*parameters: Parameters) -> OracleTable:
    ids = tuple(f"r{place}" for place in range(len(parameters)))
    values = {"yield": np.arange(float(len(parameters)))}
    return OracleTable(PropertyValues(ids, values, {"yield": "%"}, parameters=parameters))


def test_a_candidate_of_another_id_is_found_by_what_is_to_be_set_for_it() -> None:
    oracle = recipes(COLD, HOT)
    (found,) = oracle.evaluate(request("somebody", "yield", told=HOT))
    assert found.value == 1.0
    missing = failed(oracle, request("somebody", "yield", told=WET))
    assert missing.reason is FailureReason.UNKNOWN_CANDIDATE
    assert failed(oracle, request("somebody", "yield")).reason is FailureReason.UNKNOWN_CANDIDATE


def test_two_rows_with_the_same_parameters_are_told_apart_by_id_alone() -> None:
    oracle = recipes(HOT, HOT)
    assert failed(oracle, request("somebody", "yield", told=HOT)).reason is FailureReason.UNKNOWN_CANDIDATE
    assert oracle.evaluate(request("r1", "yield", told=HOT))[0].value == 1.0


def test_a_known_id_with_other_parameters_is_another_table_s() -> None:
    oracle = recipes(COLD, HOT)
    assert oracle.evaluate(request("r1", "yield"))[0].value == 1.0
    wrong = failed(oracle, request("r1", "yield", told=COLD))
    assert (wrong.reason, "other parameters" in wrong.detail) == (FailureReason.INVALID_REQUEST, True)
