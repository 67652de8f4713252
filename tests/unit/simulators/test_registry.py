"""An evaluator is made of a class that can evaluate; whatever else a scenario names is not even called."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from simulators.registry import make_evaluator
from simulators.settings import SimulatorSettings
from tests.support.evaluators import Constant


def test_a_class_of_the_users_own_gets_its_options() -> None:
    settings = SimulatorSettings(evaluator="tests.support.evaluators:Constant", options={"value": 2.5})
    evaluator = make_evaluator(settings)
    assert isinstance(evaluator, Constant)
    assert evaluator._value == 2.5


@pytest.mark.parametrize(
    ("evaluator", "option", "words"),
    [
        ("os:system", "command", "'os:system' is no class"),
        ("subprocess:run", "args", "'subprocess:run' is no class"),
        ("subprocess:Popen", "args", "'subprocess:Popen' has no method `evaluate`"),
    ],
)
def test_what_cannot_evaluate_is_refused_before_it_is_called(
    evaluator: str, option: str, words: str, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    options = {option: f"touch {made}"} | ({} if evaluator == "os:system" else {"shell": True})
    with pytest.raises(SettingsError, match=words):
        make_evaluator(SimulatorSettings(evaluator=evaluator, options=options))
    assert not made.exists()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"evaluator": "nowhere:Lab"}, "there is no 'nowhere' that is installed"),
        ({"evaluator": "os:Lab"}, "there is no Lab in it"),
        ({"options": {"zeal": 1}}, "cannot be made .TypeError"),
    ],
    ids=str,
)
def test_what_cannot_be_had_or_takes_other_options_is_said(named: dict[str, object], words: str) -> None:
    settings = SimulatorSettings.model_validate({"evaluator": "tests.support.evaluators:Constant"} | named)
    with pytest.raises(SettingsError, match=words):
        make_evaluator(settings)
