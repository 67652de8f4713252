"""What is imported, and above all what is not, by `import entropilot`, the list of commands, and a report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Workbench, clean_environment

pytestmark = pytest.mark.system

NUMERIC = {"ase", "matplotlib", "pandas", "pyarrow", "pymatgen", "rdkit", "scipy", "sklearn", "torch"}
LINKED = {"aiomqtt", "jmespath", "paho", "pint", "sqlalchemy", "sqlmodel", "starlette", "structlog", "uvicorn"}
SHOWN = {"numpy", "pydantic", "rich", "typer"}
FOR_A_REPORT = {"numpy", "pydantic", "rich", "typer"}
"""Of these, what a report needs: it reads JSON, checks it and lays it out."""


COMMAND_LINE = "import sys; sys.argv[0] = 'entropilot'; from entropilot.__main__ import main; main()"


def imported(program: str, folder: Path, *arguments: str) -> set[str]:
    """Run a program in a new process; return the packages, and our modules of commands, that it has loaded."""
    told = "import atexit, sys; atexit.register(lambda: print('loaded', *sorted(sys.modules), file=sys.stderr))\n"
    ended = subprocess.run(
        [sys.executable, "-c", told + program, *arguments], check=False, capture_output=True, text=True, cwd=folder,
        env=clean_environment(), timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    modules = ended.stderr.rpartition("loaded ")[2].split()
    return {each.partition(".")[0] for each in modules} | {each for each in modules if each.startswith("scenarios.cli")}


def test_import_entropilot_loads_no_package_at_all(tmp_path: Path) -> None:
    assert not imported("import entropilot", tmp_path) & (NUMERIC | LINKED | SHOWN)


def test_the_list_of_commands_loads_no_command_and_nothing_that_draws_or_checks(tmp_path: Path) -> None:
    found = imported(COMMAND_LINE, tmp_path, "--help")
    assert not found & (NUMERIC | LINKED | SHOWN - {"typer"})
    assert {each for each in found if each.startswith("scenarios.cli.")} == {
        "scenarios.cli.app",
        "scenarios.cli.commands",
    }


def test_a_command_loads_its_own_module_and_no_other(tmp_path: Path) -> None:
    found = imported(
        "import sys; sys.argv[:] = ['entropilot', 'verify', '--help']; from entropilot.__main__ import main; main()",
        tmp_path,
    )
    others = {"doctor", "init", "keys", "lab", "look", "mapping", "operate", "replay", "run", "study", "tables"}
    assert "scenarios.cli.maintain" in found
    assert not found & {f"scenarios.cli.{each}" for each in others}
    assert not found & (NUMERIC | LINKED)


def test_a_report_of_a_finished_run_loads_neither_data_frames_nor_a_database(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        ended = bench.entropilot("run", "oracle_table", "--budget", "3", "--quiet")
        assert ended.code == 0, ended.err
        found = imported(COMMAND_LINE, bench.folder, "report", "oracle_table")
    assert found >= FOR_A_REPORT
    assert not found & (NUMERIC | LINKED)
