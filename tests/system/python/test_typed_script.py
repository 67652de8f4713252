"""What a person writes who checks types strictly passes, and a mistake in it is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import clean_environment
from tests.support.documents.markdown import ROOT

pytestmark = pytest.mark.system

SCRIPT = '''
import entropilot


def best(run: entropilot.Run) -> float:
    moment = run.at(observation=3)
    print(moment, run.why(3), run.verify().is_sound, run.name)
    return float(run.trajectory["mean_gap"].min())


async def both(scenario: entropilot.Scenario) -> tuple[entropilot.Run, float]:
    run = await entropilot.arun(scenario, budget=6, settings={"campaign.parallel": 2})
    found = await entropilot.acompare(scenario, ["gap_gain", "random"], seeds=3)
    return run, float(found.final["mean_gap"].mean())


class Mine:
    """A policy."""

    def propose(self, context: "AcquisitionContext", count: int) -> "Proposal":
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), reason="the first ones")


from agent.acquisition.base import AcquisitionContext, Choice, Proposal  # noqa: E402

policy: entropilot.Policy = Mine()
print(best(entropilot.run("oracle_table", budget=5)), entropilot.what_if("oracle_table", fill="simulator").coverage)
'''


@pytest.mark.slow
def test_a_strictly_typed_script_passes_and_its_mistakes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + "entropilot.run(7)\nentropilot.open_run('x').nothing\n", encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nmypy_path = {ROOT}\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "--follow-imports=silent",
         "--ignore-missing-imports", "--cache-dir", str(ROOT / ".mypy_cache" / "of_scripts"), str(path)],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=clean_environment(), timeout=280,
    )  # fmt: skip
    lines = len(SCRIPT.splitlines())
    found = [
        line.split("script.py:")[1] for line in ended.stdout.splitlines() if "script.py:" in line and "error" in line
    ]
    assert [int(line.partition(":")[0]) for line in found] == [lines + 1, lines + 2], ended.stdout
    assert "[arg-type]" in found[0]
    assert "[attr-defined]" in found[1]
