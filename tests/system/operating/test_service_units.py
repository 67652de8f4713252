"""The units for systemd: sound by systemd itself, restarted where that helps, and what they start works."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from scenarios.display.console import OUR_FAULT
from scenarios.display.system_limits import SystemLimitError
from tests.support.commands import PATIENCE_S, Workbench, clean_environment
from tests.support.documents.commands import problem_of
from tests.support.documents.markdown import ROOT

UNITS: Final = ROOT / "docs/examples/systemd"
EACH: Final = pytest.mark.parametrize("path", sorted(UNITS.iterdir()), ids=lambda path: path.name)

INSTANCE: Final = "lab"
"""In place of `%i`."""

pytestmark = pytest.mark.system


def settings_of(path: Path) -> list[tuple[str, str, str]]:
    """Section, key and value of every line of a unit, with the instance's name in place."""
    section, found = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            found.append((section, key, value.replace("%i", INSTANCE)))
    return found


def value_of(path: Path, name: str) -> str:
    return next((value for _, key, value in settings_of(path) if key == name), "")


@EACH
def test_each_unit_has_the_sections_and_keys_that_systemd_wants_once(path: Path) -> None:
    found = settings_of(path)
    assert {section for section, _, _ in found} <= {"Unit", "Service", "Timer", "Install"}
    repeated = {"Environment", "SystemCallFilter"}
    once = [(section, key) for section, key, _ in found if key not in repeated]
    assert len(set(once)) == len(once)
    assert value_of(path, "Description")
    if path.suffix == ".service":
        assert value_of(path, "ExecStart").startswith("/")
        assert value_of(path, "User") == "entropilot"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@EACH
def test_systemd_finds_nothing_wrong(path: Path, tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        shutil.copy(unit, tmp_path / unit.name.replace("@", f"@{INSTANCE}"))
    named = tmp_path / path.name.replace("@", f"@{INSTANCE}")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(named)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "entropilot" in line]
    assert (done.returncode, ours) == (0, [])


@EACH
def test_what_a_unit_starts_can_be_typed(path: Path) -> None:
    line = value_of(path, "ExecStart")
    if not line:
        return
    words = line[line.index("entropilot ") :].replace("'", "").replace('"$$SCENARIO"', "oracle_table")
    words = words.replace("${SCENARIO}", "oracle_table").replace("${CAMPAIGN}", INSTANCE).replace('"$$@" agent', "")
    words = words.replace("/etc/entropilot/alerts.toml", "alerts.toml")
    assert not problem_of(words.split()), words


def test_no_part_is_started_again_whose_end_a_restart_does_not_change() -> None:
    agent = UNITS / "entropilot-agent@.service"
    left = {int(code) for code in value_of(agent, "RestartPreventExitStatus").split()}
    listed = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    assert left <= {int(code) for code in re.findall(r"^\| (\d+) \|", listed, re.MULTILINE)}
    assert not left & {OUR_FAULT, SystemLimitError.exit_code}, "there a restart is the recovery"
    how_to = (ROOT / "docs/how-to/service.md").read_text(encoding="utf-8")
    told = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", how_to, re.MULTILINE) for code in codes.split(",")}
    assert told == left
    assert value_of(agent, "SuccessExitStatus") == "130"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


def test_the_agent_s_line_begins_a_campaign_and_resumes_it_after_a_kill(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=1")
    command = value_of(UNITS / "entropilot-agent@.service", "ExecStart")
    shell, flag, rest = command.split(" ", 2)
    script, _, name = rest.rpartition(" ")
    line = [shell, flag, script.strip("'").replace("$$", "$"), name]
    # The command's own folder first, as on a service's path.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = clean_environment() | {"SCENARIO": "lab.toml", "ENTROPILOT_BROKER__URL": url, "PATH": path}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(line, cwd=bench.folder, env=environment, stderr=subprocess.PIPE)

    first = start()
    try:
        bench.wait_for_events("ResultAccepted", 2)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == -signal.SIGKILL
    second = start()
    _, said = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 0, said.decode()
    assert bench.count("ResultAccepted") == 12
