"""The oracle that looks answers up."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.table import PropertyValues, TableColumns
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.parameters import ParameterColumns, Parameters
from simulators.evaluator import EvaluationFailed, Evaluator
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


UNSURE = TableColumns(id="id", family="s", property="e", unit="eV", features=("f",))
BY_FORMULA = TableColumns(id="id", family="s", property="e", unit="eV", composition="f")


def unsure(tmp_path: Path, cells: tuple[str, str], **settings: object) -> OracleTable:
    path = tmp_path / "unsure.csv"
    path.write_text(f"id,s,e,sd,f\na,x,1.5,{cells[0]},0\nb,x,2.5,{cells[1]},1\n")
    named = {"path": str(path), "columns": UNSURE, "uncertainties": {"e": "sd"}} | settings
    return OracleTable.from_settings(OracleTableSettings.model_validate(named))


def test_a_column_of_uncertainties_says_how_well_values_are_known_and_is_no_value_itself(tmp_path: Path) -> None:
    oracle = unsure(tmp_path, ("0.25", ""))
    (first,), (second,) = (oracle.evaluate(request(name, "e")) for name in ("a", "b"))
    assert (first.value, first.standard_deviation, first.unit) == (1.5, 0.25, "eV")
    assert (second.value, second.standard_deviation) == (2.5, None)
    assert failed(oracle, request("a", "sd")).reason is FailureReason.UNSUPPORTED


def test_a_negative_uncertainty_and_a_column_that_is_not_there_are_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"the uncertainty 'sd' of 'b' is -0\.5"):
        unsure(tmp_path, ("0.25", "-0.5"))
    with pytest.raises(TableError, match="'sigma'"):
        unsure(tmp_path, ("0.25", "0.5"), uncertainties={"e": "sigma"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"miss": "nearest"}, "needs a tolerance"),
        ({"miss": "nearest", "tolerance": 0.0}, "greater than 0"),
        ({"miss": "guess"}, "'fail', 'silent', 'nearest' or 'calculate'"),
        ({"uncertainties": {"colour": "sd"}}, "uncertainties names 'colour'; expected a property: e"),
        ({"columns": UNSURE.model_copy(update={"on_replicates": "mean"}), "uncertainties": {"e": "sd"}}, "leave one"),
        ({"columns": BY_FORMULA, "miss": "nearest", "tolerance": 1.0}, "to tell what is near"),
    ],
)
def test_settings_of_a_table_that_make_no_sense_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        OracleTableSettings.model_validate({"path": "t.csv", "columns": UNSURE} | settings)


def test_ids_that_stand_twice_with_other_values_and_a_broken_table_are_told_before_anything_starts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "twice.csv"
    path.write_text("id,s,e,f\na,x,1.5,0\na,x,2.5,0\n")
    with pytest.raises(TableError, match=r"The id 'a' stands in line 2 of twice.csv and line 3"):
        OracleTable.from_settings(OracleTableSettings(path=str(path), columns=UNSURE))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"\x1f\x8b\x08 and nothing else")
    with pytest.raises(TableError):
        OracleTable.from_settings(OracleTableSettings(path=str(broken), columns=UNSURE))


def test_the_nearest_row_of_a_table_that_is_read_in_blocks_is_refused(tmp_path: Path) -> None:
    """Its features are not in memory, and distances to all rows would be computed for each request."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "table.parquet"
    pd.DataFrame({"id": ["a", "b"], "f": [0.0, 1.0], "family": ["x", "y"], "y": [1.0, 2.0]}).to_parquet(path)
    columns = {"id": "id", "family": "family", "property": "y", "unit": "eV", "features": ["f"], "in_blocks": True}
    settings = OracleTableSettings.model_validate(
        {"path": str(path), "columns": columns, "miss": "nearest", "tolerance": 0.5}
    )
    with pytest.raises(TableError, match="read in blocks"):
        OracleTable.from_settings(settings)
