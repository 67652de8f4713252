"""What every evaluator keeps: it answers what it was asked in the unit that was asked for, or says why it cannot.

    from entropilot.testing import EvaluatorContract, EvaluatorSample, request_for


    class TestFurnace(EvaluatorContract):
        @pytest.fixture
        def sample(self):
            return EvaluatorSample(Furnace, [request_for("hardness", "GPa", parameters={"temperature": (900.0, "K")})])

Candidates that nobody wishes for are made of the requests of the sample.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from protocols.wire.messages import CandidateRequest, Quantity, WantedProperty
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement, identity_of

NO_SUCH_PROPERTY: Final = "no_such_property"
"""A property that nobody measures."""

HUGE: Final = 1e300
"""A value that every arithmetic overflows with."""

STRANGE: Final = ("../../etc/passwd", "'; DROP TABLE candidates; --", "\u202eredro", "NaN", " ")
"""Words that were never meant for a path, a query, a screen or a number."""


def request_for(
    property: str,  # noqa: A002 - the field's word
    unit: str,
    *,
    parameters: Mapping[str, tuple[float, str]] | None = None,
    labels: Mapping[str, str] | None = None,
    **fields: Any,
) -> CandidateRequest:
    """Return a request as an agent sends it.

    Args:
        property: Name of the property that is wanted.
        unit: In which its value is expected.
        parameters: What to set: name -> value and unit.
        labels: What to take: name -> word.
        fields: Any other field of a request, such as `structure`, `molecule`, `formula` or `source_id`.
    """
    numbers = tuple(Quantity(name=name, value=value, unit=told) for name, (value, told) in (parameters or {}).items())
    usual: dict[str, Any] = {
        "campaign": "contract", "message_id": "contract-1", "sent_at": datetime(2026, 1, 1, tzinfo=UTC),
        "attempt_id": "contract-a1", "candidate_id": "contract-candidate", "decision": 0, "attempt": 1,
        "family": "contract", "deadline_s": 600.0, "properties": (property,),
        "wanted": (WantedProperty(name=property, unit=unit),), "parameters": numbers, "labels": dict(labels or {}),
    }  # fmt: skip
    return CandidateRequest(**usual | fields)


@dataclass(frozen=True, slots=True)
class EvaluatorSample:
    """An evaluator, and what it can measure.

    Attributes:
        make: Makes it, called without arguments: its class, or a `functools.partial`.
        requests: Requests that it answers, at least one.
        is_deterministic: Whether the same request always has the same answer, to the last bit.
        deadline_s: Longest time that an answer may take [s]; it is there to end what hangs.
    """

    make: Callable[[], Evaluator]
    requests: Sequence[CandidateRequest]
    is_deterministic: bool = True
    deadline_s: float = 120.0


class EvaluatorContract:
    """The promises of an evaluator. Derive a class from it, and supply the fixture `sample`."""

    @pytest.fixture
    def sample(self) -> EvaluatorSample:
        """Return the evaluator and what it can measure."""
        raise NotImplementedError("supply a fixture sample that returns an EvaluatorSample")

    def test_it_has_the_one_method_of_an_evaluator(self, sample: EvaluatorSample) -> None:
        """An evaluator has a method evaluate(request)."""
        assert isinstance(sample.make(), Evaluator)
        assert sample.requests, "name at least one request that it can answer"

    def test_it_gives_every_property_in_the_unit_that_is_wanted(self, sample: EvaluatorSample) -> None:
        """Each property of the request is there once, finite, in the unit that the request names."""
        evaluator = sample.make()
        for request in sample.requests:
            quantities = _answer(evaluator, request, sample).quantities
            told = {each.name: each for each in quantities}
            assert len(told) == len(quantities), "each property once"
            for name in request.properties:
                assert name in told, f"{name} was asked for, and {', '.join(told) or 'nothing'} came"
            for wanted in request.wanted:
                assert told[wanted.name].unit == wanted.unit, "a value in another unit is refused by the agent"
            assert all(math.isfinite(each.value) for each in quantities)

    def test_what_it_tells_beside_the_values_can_be_kept(self, sample: EvaluatorSample) -> None:
        """Provenance and remarks are short texts and finite numbers, replicates finite numbers."""
        for request in sample.requests:
            found = _answer(sample.make(), request, sample)
            for name, value in (*found.provenance.items(), *found.remarks.items()):
                assert isinstance(name, str)
                assert isinstance(value, str) or math.isfinite(value)
            assert all(math.isfinite(each) for each in found.replicates)

    def test_the_same_request_has_the_same_answer_where_it_says_so(self, sample: EvaluatorSample) -> None:
        """Asked twice, by another one, or in another order, a deterministic evaluator measures the same."""
        if not sample.is_deterministic:
            pytest.skip("it does not say that it is deterministic")
        evaluator = sample.make()
        first = [_answer(evaluator, each, sample).quantities for each in sample.requests]
        again = [_answer(evaluator, each, sample).quantities for each in reversed(sample.requests)]
        other = sample.make()
        assert again == first[::-1], "asked again, it measures otherwise"
        assert [_answer(other, each, sample).quantities for each in sample.requests] == first, "a new one does"

    def test_what_names_its_values_is_words(self, sample: EvaluatorSample) -> None:
        """An evaluator whose values may be kept says by what they are known, in words, and always in the same."""
        named = identity_of(sample.make())
        assert named == identity_of(sample.make())
        assert named is None or all(isinstance(each, str) for each in (*named, *named.values()))

    def test_a_property_that_it_does_not_know_is_refused_by_name(self, sample: EvaluatorSample) -> None:
        """It raises EvaluationFailed with a reason of the protocol, and no value of something else comes."""
        for request in sample.requests:
            unknown = request.model_copy(
                update={"properties": (NO_SUCH_PROPERTY,), "wanted": (WantedProperty(name=NO_SUCH_PROPERTY, unit="K"),)}
            )
            with pytest.raises(EvaluationFailed) as refused:
                _answer(sample.make(), unknown, sample)
            assert refused.value.detail, "say what was found and what this evaluator would need"

    def test_whatever_it_is_sent_it_answers_or_says_why_not(self, sample: EvaluatorSample) -> None:
        """A candidate that lacks what is needed, or is absurd, gives a finite value or EvaluationFailed, in time."""
        evaluator = sample.make()
        for request in sample.requests:
            for what, hostile in hostile_requests(request):
                try:
                    found = _answer(evaluator, hostile, sample)
                except EvaluationFailed as refused:
                    assert refused.detail, what
                    continue
                assert all(math.isfinite(each.value) for each in found.quantities), what
        for request in sample.requests:
            _answer(evaluator, request, sample)  # it lives on


def hostile_requests(request: CandidateRequest) -> Iterator[tuple[str, CandidateRequest]]:
    """Yield requests that nobody wishes for, made of one that is answered, each with what is wrong with it."""

    def changed(**fields: Any) -> CandidateRequest:
        return request.model_copy(update=fields)

    yield (
        "a candidate of which only the id is known",
        changed(structure=None, molecule=None, parameters=(), labels={}, formula="", source_id=None),
    )
    for value in (0.0, -1.0, HUGE, -HUGE, 5e-324):
        every = tuple(each.model_copy(update={"value": value}) for each in request.parameters)
        yield f"every parameter is {value:g}", changed(parameters=every)
    yield (
        "parameters in a unit of something else",
        changed(parameters=tuple(each.model_copy(update={"unit": "mol"}) for each in request.parameters)),
    )
    yield (
        "a parameter that nobody knows",
        changed(parameters=(*request.parameters, Quantity(name="no such parameter", value=1.0, unit=""))),
    )
    yield "the first parameter is not there", changed(parameters=request.parameters[1:])
    for word in STRANGE:
        yield f"words {word!r}", changed(labels=dict.fromkeys(request.labels, word), source_id=word, formula=word)
    if (crystal := request.structure) is not None:
        at_one_place = tuple(crystal.scaled_positions[0] for _ in crystal.scaled_positions)
        yield (
            "all atoms are at one place",
            changed(structure=crystal.model_copy(update={"scaled_positions": at_one_place})),
        )


def _answer(evaluator: Evaluator, request: CandidateRequest, sample: EvaluatorSample) -> Measurement:
    """Ask, and end what hangs."""
    found: list[Measurement] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.append(Measurement.of(evaluator.evaluate(request)))
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked
            failed.append(error)

    asked = threading.Thread(target=ask, daemon=True, name="evaluator")
    asked.start()
    asked.join(sample.deadline_s)
    if asked.is_alive():
        pytest.fail(f"no answer within {sample.deadline_s:g} s")
    if failed:
        raise failed[0]
    return found[0]
