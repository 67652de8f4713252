"""What travels between a simulator and an evaluating process comes out as it went in, or not at all."""

from __future__ import annotations

import json

import pytest

from protocols.errors import SettingsError
from protocols.wire.messages import FailureReason, Quantity, RawFile
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.frames import (
    complaint_reply,
    failure_content,
    measurement_content,
    measurement_of,
    opening_frame,
    opening_reply,
    read_opening,
    read_opening_reply,
)
from simulators.settings import SimulatorSettings
from tests.support.evaluators import energy

FULL = Measurement(
    energy(-1.5),
    {"method": "by eye", "steps": 3.0},
    replicates=(-1.4, -1.6),
    conditions=(Quantity(name="temperature", value=300.0, unit="K"),),
    remarks={"weather": "fine"},
    files=(RawFile(name="spectrum.csv", uri="file:///spectrum.csv"),),
)


def test_a_measurement_comes_out_as_it_went_in() -> None:
    assert measurement_of(json.loads(json.dumps(measurement_content(FULL)))) == FULL


def test_a_failure_comes_out_as_it_went_in() -> None:
    content = json.loads(json.dumps(failure_content(EvaluationFailed(FailureReason.UNSUPPORTED, "no such element"))))
    with pytest.raises(EvaluationFailed, match="unsupported: no such element"):
        measurement_of(content)


def test_settings_come_out_as_they_went_in() -> None:
    settings = SimulatorSettings(calculator="morse", calculator_parameters={"r0": 2.5}, concurrency=7)
    assert read_opening(opening_frame(settings)) == settings


def test_an_evaluator_is_named_or_not() -> None:
    assert read_opening_reply(opening_reply({"evaluator": "ase"})) == {"evaluator": "ase"}
    assert read_opening_reply(opening_reply(None)) is None


def test_a_complaint_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="there is no such class"):
        read_opening_reply(complaint_reply("there is no such class"))
