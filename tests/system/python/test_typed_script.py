"""The script that `mypy` checks strictly does what its types say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import entropilot
from tests.system.python.typed_script import best, both, policy

pytestmark = pytest.mark.system


async def test_the_typed_script_runs(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPILOT_RUNS", str(tmp_path))
    scenario = entropilot.Scenario.of_table(frame, property="hardness", family="system", start=12, budget=4)
    run, gap = await both(scenario, frame)
    assert (len(run.dataset), gap > 0.0) == (16, True)
    assert best(run) > 0.0
    assert isinstance(policy, entropilot.Policy)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(entropilot.__file__).parent / "py.typed").is_file()
