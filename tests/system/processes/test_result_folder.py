"""Results are never overwritten by a later command: its folder is numbered, a named one with results refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import StoreError
from tests.support.commands import Workbench
from tests.support.samples.folders import contents

pytestmark = pytest.mark.system

QUICK = ("oracle_table", "--budget", "4", "--quiet")
COMMANDS = {
    "compare": ("compare", *QUICK, "--policies", "round_robin,random", "--seeds", "1"),
    "forecast": ("forecast", *QUICK, "--draws", "2"),
    "trim": ("trim", "oracle_table", "--keep", "50%", "--seeds", "0", "--quiet"),
    "graph": ("graph", "table.csv", "--columns", "a,b", "--samples", "2", "--quiet"),
    "what-if": ("what-if", "oracle_table", "--policy", "random", "--budget", "4", "--quiet"),
}
FOLDERS = {
    "compare": "compare-oracle_table",
    "forecast": "forecast-oracle_table",
    "trim": "trim-emt_sample",
    "graph": "graph-table",
    "what-if": "what-if-oracle_table-random",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        rows = "\n".join(f"{n % 7},{n * n % 11}" for n in range(40))
        (tmp_path / "table.csv").write_text(f"a,b\n{rows}\n", encoding="utf-8")
        yield opened


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_command_leaves_the_results_of_the_first(command: str, bench: Workbench) -> None:
    first = bench.runs / FOLDERS[command]
    assert bench.entropilot(*COMMANDS[command]).code == 0
    before = contents(first)
    assert before
    assert bench.entropilot(*COMMANDS[command]).code == 0
    assert contents(first) == before
    assert set(contents(bench.runs / f"{FOLDERS[command]}-2")) == set(before)
    named = bench.entropilot(*COMMANDS[command], "--out", str(first))
    assert named.code == StoreError.exit_code
    assert "already" in named.err
    assert "choose another --out" in named.err
    assert contents(first) == before


def test_a_second_global_graph_leaves_the_file_of_the_first(bench: Workbench) -> None:
    command = ("global-graph", "substituted_benzenes", "--quiet")
    assert bench.entropilot(*command).code == 0
    before = (bench.folder / "global_graph.toml").read_bytes()
    assert bench.entropilot(*command).code == 0
    assert (bench.folder / "global_graph-2.toml").read_bytes() == before
    named = bench.entropilot(*command, "--out", "global_graph.toml")
    assert (named.code, "is there already" in named.err) == (StoreError.exit_code, True)
