"""Bluesky-Adaptive's own plans drive a campaign, with its RunEngine and devices that are moved and read.

Skipped where bluesky-adaptive is not installed: it is of the extra `bluesky`, and no dependency of ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import entropilot
from tests.support.strangers.strange_campaign import strange_frame

pytestmark = [
    pytest.mark.system,
    # Of Bluesky's, not of ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

protocols = pytest.importorskip(
    "bluesky_adaptive.protocols", reason="bluesky-adaptive is not installed (extra bluesky)"
)


class Moved:
    """What `set` returns: done at once."""

    done, success = True, True

    def add_callback(self, callback: Any) -> None:
        callback(self)

    def exception(self, timeout: float | None = 0.0) -> None:
        return None


class Device:
    """Something with a number: an actuator when it is set, a sensor when it follows from others."""

    parent = None

    def __init__(self, name: str, follows: Any = None) -> None:
        self.name = name
        self.value = 0.0
        self._follows = follows

    def set(self, value: float) -> Moved:
        self.value = float(value)
        return Moved()

    @property
    def position(self) -> float:
        return self.value

    def trigger(self) -> Moved:
        return Moved()

    def read(self) -> dict[str, Any]:
        value = self.value if self._follows is None else self._follows()
        return {self.name: {"value": value, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        return {self.name: {"source": "test", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        return {}


def test_its_plans_run_a_campaign_to_its_end(tmp_path: Path) -> None:
    from bluesky import RunEngine
    from bluesky_adaptive.plans import optimize

    frame, _ = strange_frame()
    campaign = entropilot.Campaign(
        frame, property="energy", family="family", unit="eV", features=["x", "value"], budget=6, parallel=2,
        journal=tmp_path / "runs" / "beamline",
    )  # fmt: skip
    optimizer = entropilot.BlueskyOptimizer(campaign, frame, {"stage": "x", "oven": "value"}, outcome="signal")
    for protocol in (
        "Optimizer", "TrialFaultAware", "SupportsStoppingCriteria", "CanRegisterSuggestions", "Checkpointable",
    ):  # fmt: skip
        assert isinstance(optimizer, getattr(protocols, protocol)), protocol

    stage, oven = Device("stage"), Device("oven")
    detector = Device("detector", lambda: 2.0 * stage.value + oven.value)  # what the instrument says there
    engine = RunEngine({})
    events: list[float] = []
    order: list[str] = []

    def keep(name: str, document: Mapping[str, Any]) -> None:
        if name == "start" and "blop_acquisition_order" in document:
            order[:] = document["blop_acquisition_order"]
        if name == "event" and "detector" in document["data"]:
            events.append(document["data"]["detector"])

    engine.subscribe(keep)

    def evaluate(_uid: str, suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Take the latest readings, in the order in which the plan acquired them."""
        read = dict(zip(order, events[-len(order) :], strict=True))
        assert {str(each["_id"]) for each in suggestions} == set(map(str, read))
        return [{"_id": which, "signal": value} for which, value in read.items()]

    problem = protocols.OptimizationProblem(optimizer, [stage, oven], [detector], evaluate)
    engine(optimize(problem, iterations=None, n_points=2, checkpoint_interval=1))

    assert optimizer.should_stop() == (True, "the budget is spent")
    assert len(optimizer.get_best_points()) == 6
    for which, parameters, outcome in optimizer.get_best_points():
        assert outcome["signal"] == pytest.approx(2.0 * parameters["stage"] + parameters["oven"])
        assert campaign.dataset.value[which] == pytest.approx(outcome["signal"])
    run = campaign.run
    campaign.close()
    assert run.verify()
    assert list(run.decisions.candidate) != []


def test_a_plan_that_fails_gives_the_candidate_back(tmp_path: Path) -> None:
    from bluesky import RunEngine
    from bluesky_adaptive.plans import optimize

    frame, _ = strange_frame()
    campaign = entropilot.Campaign(
        frame, property="energy", family="family", unit="eV", features=["x", "value"], budget=6
    )
    optimizer = entropilot.BlueskyOptimizer(campaign, frame, {"stage": "x", "oven": "value"}, outcome="signal")

    def broken(_uid: str, _suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        message = "the detector is gone"
        raise RuntimeError(message)

    stage, oven = Device("stage"), Device("oven")
    problem = protocols.OptimizationProblem(optimizer, [stage, oven], [Device("detector")], broken)
    with pytest.raises(RuntimeError, match="the detector is gone"):
        RunEngine({})(optimize(problem, iterations=1))
    assert campaign.dataset.shape[0] == 12
    assert len(campaign.open) == 1
    assert optimizer.suggest(), "it is asked for again"
