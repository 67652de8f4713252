"""Nothing of the folder that a command is started in is imported, and code runs only where a person says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import entropilot
from protocols.errors import BrokerError
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Finished, Workbench, clean_environment

pytestmark = pytest.mark.system

TRAP = "import os; open({mark!r}, 'a').close(); os._exit(7)\n"
"""What a stranger's file does when it is imported: leave a mark, and end the process."""

TRAPS = (
    *("random.py", "struct.py", "pickle.py", "numpy.py", "agent.py"),
    *("scenarios/__init__.py", "simulators/__init__.py", "protocols/__init__.py"),
)
"""Names of Python's modules, of a package and of ours."""

CODE = """
import os
from agent.acquisition.base import Choice, Proposal
from protocols.wire.messages import Quantity

class First:
    def propose(self, context, count):
        open(os.path.join({folder!r}, "was_asked"), "a").close()
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), "the first")

class Lab:
    def evaluate(self, request):
        open(os.path.join({folder!r}, "has_measured"), "a").close()
        return (Quantity(name="energy", value=0.5, unit="eV"),)
"""


def set_traps(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(TRAP.format(mark=str(folder / "was_run")))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder full of traps, with one run that was started in it."""
    folder = tmp_path_factory.mktemp("traps")
    set_traps(folder, *TRAPS)
    (folder / "own").mkdir()
    (folder / "own" / "code.py").write_text(CODE.format(folder=str(folder)))
    with Workbench(folder, fresh=True) as opened:
        own = ("--set", "simulator.evaluator=own/code.py:Lab")
        assert_clean(opened, opened.entropilot("run", "lab.toml", "--budget", "3", "--policy", "etal", "--quiet", *own))
        yield opened


def assert_clean(bench: Workbench, ended: Finished) -> None:
    assert (ended.code, ended.err) == (0, ""), ended
    assert not (bench.folder / "was_run").exists()


def test_a_run_has_its_results(bench: Workbench) -> None:
    assert bench.summary()["spent"] == 3
    assert bench.count("ResultAccepted") == 3
    assert (bench.folder / "has_measured").exists()


def test_a_replay_makes_the_same_decisions(bench: Workbench) -> None:
    ended = bench.entropilot("replay", "lab", "--json")
    assert_clean(bench, ended)
    assert json.loads(ended.out)["identical"] == json.loads(ended.out)["decisions"] > 0


def test_an_explanation_asks_the_policy_again(bench: Workbench) -> None:
    ended = bench.entropilot("why", "lab", "last", "--json", "--no-figure")
    assert_clean(bench, ended)
    assert json.loads(ended.out)["again"]["verdict"] == "same"


def test_a_comparison_plays_its_campaigns(bench: Workbench) -> None:
    command = ("compare", "lab.toml", "--policies", "etal,random", "--seeds", "2", "--budget", "3", "--json")
    ended = bench.entropilot(*command)
    assert_clean(bench, ended)
    assert json.loads(ended.out)


def test_a_folder_of_the_agents_name_is_left_alone(tmp_path: Path) -> None:
    set_traps(tmp_path, "agent/__init__.py")
    with Workbench(tmp_path, fresh=True) as bench:
        command = ("compare", "lab.toml", "--policies", "etal", "--seeds", "1", "--budget", "2", "--quiet")
        assert_clean(bench, bench.entropilot(*command))
        assert_clean(bench, bench.entropilot("run", "lab.toml", "--budget", "2", "--policy", "etal", "--quiet"))
        assert bench.summary()["spent"] == 2


def test_a_simulator_answers_an_agent_each_in_a_process_of_its_own(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    broker = bench.parts[-1]
    reach = ("--broker", url, "--set", 'broker.version="3.1.1"', "--campaign", "apart")
    own = ("--set", "simulator.evaluator=own/code.py:Lab")
    simulator = bench.start("simulator", "lab.toml", *reach, *own)
    ended = bench.entropilot("agent", "lab.toml", *reach, "--budget", "2", "--quiet")
    assert_clean(bench, ended)
    assert bench.count("ResultAccepted", "apart") == 2
    simulator.end()
    broker.end()
    assert not (bench.folder / "was_run").exists()


def test_a_run_that_kills_itself_goes_on(bench: Workbench) -> None:
    command = ("run", "lab.toml", "--budget", "3", "--quiet", "--campaign", "killed", "--set", "crashes.at=[1]")
    ended = bench.entropilot(*command)
    assert ended.code == 0, ended
    assert bench.count("ResultAccepted", "killed") == 3
    assert not (bench.folder / "was_run").exists()


def test_mosquitto_is_kept_by_a_process_of_ours(bench: Workbench) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)
    command = ("run", "lab.toml", "--budget", "2", "--quiet", "--campaign", "mosquitto", "--broker", "mosquitto")
    assert_clean(bench, bench.entropilot(*command))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Workbench]:
    """A lab whose scenario lies in another folder than the commands are started in, and names code beside itself."""
    with Workbench(tmp_path) as opened:
        home = tmp_path / "home"
        home.mkdir()
        for name in ("lab.toml", "table.csv"):
            (tmp_path / name).rename(home / name)
        text = (home / "lab.toml").read_text()
        text = text.replace('policy = "random"', 'policy = "code.py:First"')
        (home / "lab.toml").write_text(text.replace("[simulator]", '[simulator]\nevaluator = "code:Lab"'))
        (home / "code.py").write_text(CODE.format(folder=str(tmp_path)))
        yield opened


def test_code_beside_the_scenario_runs_and_a_recording_of_it_runs_nothing_without_a_word(own: Workbench) -> None:
    marks = [own.folder / "was_asked", own.folder / "has_measured"]
    ended = own.entropilot("run", "home/lab.toml", "--budget", "3", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert all(mark.exists() for mark in marks)
    for mark in marks:
        mark.unlink()
    assert str(own.folder) not in json.dumps(own.rows("SELECT payload FROM journal"))

    refused = own.entropilot("replay", "lab")
    assert refused.code == 2
    assert "The recording recording.jsonl names the policy 'code.py:First', which is code" in refused.err
    assert "--allow-code FOLDER" in refused.err
    what_if = own.entropilot("what-if", "lab", "--policy", "random", "--fill", "simulator", "--quiet")
    assert what_if.code == 2
    assert "names the evaluator 'code:Lab', which is code" in what_if.err
    assert own.entropilot("pack", "lab", "-o", "lab.pack", "--quiet").code == 0
    packed = own.entropilot("run", "lab.pack", "--campaign", "packed", "--quiet")
    assert packed.code == 2
    assert "The pack lab.pack names the policy 'code.py:First'" in packed.err
    assert not any(mark.exists() for mark in marks)

    allowed = own.entropilot("replay", "lab", "--allow-code", "home", "--json")
    assert (allowed.code, json.loads(allowed.out)["identical"]) == (0, 3)
    assert marks[0].exists()


def test_a_policy_whose_file_was_changed_is_noticed_by_resume_and_replay(own: Workbench) -> None:
    command = ("run", "home/lab.toml", "--budget", "3", "--quiet")
    halting = "\n        if context.decision == 2: return 'rubbish'\n        return Proposal("
    code = (own.folder / "home" / "code.py").read_text()
    (own.folder / "home" / "code.py").write_text(code.replace("\n        return Proposal(", halting))
    halted = own.entropilot(*command)
    assert halted.code == 6
    assert "its method propose returned a str" in halted.err
    assert "expected: a Proposal" in halted.err
    (own.folder / "home" / "code.py").write_text(code)
    resumed = own.entropilot(*command, "--resume")
    assert resumed.code == 0
    assert "the policy code.py:First, its file or the versions of the packages are not those" in resumed.err
    replayed = own.entropilot("replay", "lab", "--allow-code", "home")
    assert replayed.code == 0
    assert "is not the one that decided" in " ".join(replayed.out.split())


def test_a_package_that_hides_ours_ends_the_command_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "__init__.py").write_text(TRAP.format(mark=str(tmp_path / "was_run")))
    ended = subprocess.run(
        [sys.executable, "-m", "entropilot", "list"],
        cwd=tmp_path.parent, env=clean_environment() | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert f"another package hides it: {tmp_path / 'agent'}. Expected: " in ended.stderr
    assert str(Path(entropilot.__path__[0]).parent / "agent") in ended.stderr
    assert not (tmp_path / "was_run").exists()
