"""Which fault an attempt meets is drawn from the candidate and the number of the attempt, as often as the rates say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from protocols.wire.limits import MAX_ABS_VALUE
from simulators.faults import WRONG_UNIT, Fault, Faults, FaultSettings, contradicting, spoilt
from tests.support import sample_messages as messages
from tests.support.evaluators import energy

ALL: dict[str, Any] = {f"{fault.value}_rate": 0.1 for fault in Fault}


def drawn(faults: Faults, number: int = 4_000) -> list[Fault | None]:
    return [faults.of(messages.request("a-1", candidate_id=f"c-{place}")) for place in range(number)]


def test_every_fault_has_a_rate_and_is_met_as_often_as_it_says() -> None:
    met = drawn(Faults(FaultSettings(**ALL)))
    shares = {fault: count / len(met) for fault, count in Counter(met).items()}
    assert set(shares) == {*Fault, None}
    for fault in Fault:
        assert shares[fault] == pytest.approx(0.1, abs=0.02), fault  # four standard deviations of 4,000 draws
    assert shares[None] == pytest.approx(0.2, abs=0.026)


def test_a_fault_depends_on_candidate_and_number_and_not_on_the_id_of_the_attempt() -> None:
    faults = Faults(FaultSettings(silent_rate=0.5))
    for place in range(50):
        names = {"candidate_id": f"c-{place}", "attempt": 2}
        assert faults.of(messages.request("a-1", **names)) == faults.of(messages.request("other-uid-a2", **names))
    of_first = drawn(faults, 50)
    assert of_first != [faults.of(messages.request(candidate_id=f"c-{place}", attempt=2)) for place in range(50)]
    assert of_first != drawn(Faults(FaultSettings(silent_rate=0.5, seed=1)), 50)


def test_where_one_instrument_is_well_another_of_the_same_seed_with_less_faults_is_well_too() -> None:
    worse, better = (drawn(Faults(FaultSettings(failure_rate=rate)), 500) for rate in (0.5, 0.2))
    assert all(second is None for first, second in zip(worse, better, strict=True) if first is None)
    assert worse.count(None) < better.count(None)


def test_without_rates_there_is_no_fault_and_with_one_of_one_there_is_no_other() -> None:
    assert set(drawn(Faults(FaultSettings()), 200)) == {None}
    assert set(drawn(Faults(FaultSettings(garbage_rate=1.0)), 200)) == {Fault.GARBAGE}


def test_rates_beyond_one_are_refused_and_those_that_miss_it_by_rounding_are_not() -> None:
    with pytest.raises(ValidationError, match=r"add up to 1\.1; expected at most 1"):
        FaultSettings(failure_rate=0.6, late_rate=0.5)
    FaultSettings(failure_rate=0.1, silent_rate=0.2, late_rate=0.7)  # 1.0000000000000002, or less


def test_a_spoilt_value_is_in_no_unit_or_range_and_other_faults_leave_it_alone() -> None:
    (in_wrong_unit,) = spoilt(energy(0.5), Fault.WRONG_UNIT)
    (out_of_range,) = spoilt(energy(0.5), Fault.OUT_OF_RANGE)
    assert (in_wrong_unit.value, in_wrong_unit.unit) == (0.5, WRONG_UNIT)
    assert (out_of_range.value, out_of_range.unit) == (MAX_ABS_VALUE, energy(0.5)[0].unit)
    assert spoilt(energy(0.5), Fault.LATE) == spoilt(energy(0.5), None) == energy(0.5)


@pytest.mark.parametrize("value", [-1.0, -0.5, 0.0, 3.0])
def test_a_contradiction_has_another_value_and_a_message_id_of_its_own(value: float) -> None:
    said = messages.result(quantities=energy(value))
    other = contradicting(said, "m-2")
    assert other.quantities[0].value != value
    assert (other.attempt_id, other.candidate_id, other.message_id) == (said.attempt_id, said.candidate_id, "m-2")
