"""A table may ask a calculator for what it lacks, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protocols.errors import SettingsError
from protocols.tables.table import PropertyValues
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.molecule import Molecule
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement
from simulators.oracle.calculated import CalculatedMisses
from simulators.oracle_table import OracleTable
from tests.support import sample_messages as messages
from tests.support.evaluators import Constant, Documented, Failing

KNOWN = PropertyValues(("here", "empty"), {"energy": np.array([1.0, np.nan])}, {"energy": "eV/atom"})


def oracle(crystals: Any = Documented, molecules: Any = Constant) -> CalculatedMisses:
    return CalculatedMisses(OracleTable(KNOWN, miss="calculate"), crystals, molecules)


def failed(request: CandidateRequest, asked: CalculatedMisses) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        asked.evaluate(request)
    return caught.value


def test_what_the_table_has_is_looked_up_and_no_calculator_is_made() -> None:
    def never() -> Evaluator:
        raise AssertionError

    found = oracle(never, never).evaluate(messages.request(candidate_id="here"))
    assert found == (Quantity(name="energy", value=1.0, unit="eV/atom"),)


@pytest.mark.parametrize("candidate_id", ["nobody", "empty"])
def test_a_crystal_that_it_lacks_is_calculated_and_marked(candidate_id: str) -> None:
    found = oracle().evaluate(messages.request(candidate_id=candidate_id))
    assert isinstance(found, Measurement)
    assert found.quantities[0].value == -1.5
    assert found.remarks == {"answered_by": "the calculator: the oracle's table has no such row"}
    assert found.provenance == {"method": "by eye", "steps": 3}


def test_one_calculator_is_made_for_all_misses_of_a_kind_and_molecules_have_their_own() -> None:
    made: list[str] = []

    def maker(name: str, value: float) -> Any:
        def make() -> Evaluator:
            made.append(name)
            return Constant(value)

        return make

    asked = oracle(maker("crystals", 1.0), maker("molecules", 2.0))
    molecule = messages.request(candidate_id="m", structure=None, molecule=Molecule(smiles="O"))
    values = [Measurement.of(asked.evaluate(messages.request(candidate_id=each))).quantities[0].value for each in "ab"]
    values += [Measurement.of(asked.evaluate(molecule)).quantities[0].value]
    assert (values, made) == ([1.0, 1.0, 2.0], ["crystals", "molecules"])


def test_what_is_neither_crystal_nor_molecule_fails_with_what_it_lacks() -> None:
    failure = failed(messages.request(candidate_id="nobody", structure=None), oracle())
    assert failure.reason is FailureReason.UNKNOWN_CANDIDATE
    assert "no structure or molecule to calculate it from" in failure.detail


def test_a_method_that_the_calculator_does_not_have_is_refused() -> None:
    failure = failed(messages.request(candidate_id="nobody", fidelity="quick"), oracle())
    assert (failure.reason, "no method 'quick'" in failure.detail) == (FailureReason.UNSUPPORTED, True)


def test_a_calculator_that_is_not_installed_is_a_failure_of_the_attempt_alone() -> None:
    def missing() -> Evaluator:
        raise SettingsError("The extra is not installed", action="pip install it")

    failure = failed(messages.request(candidate_id="nobody"), oracle(missing))
    assert failure.reason is FailureReason.UNSUPPORTED
    assert "the calculator cannot be had: The extra is not installed" in failure.detail


def test_what_the_calculator_refuses_is_told_as_it_says_it() -> None:
    assert failed(messages.request(candidate_id="nobody"), oracle(Failing)).detail == "no such element"
