"""A pool in files takes the memory of a block, whatever is read of it; and a campaign over it can be run and proved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import Workbench

pa = pytest.importorskip("pyarrow", reason="pyarrow is in the extra parquet")
pq = pytest.importorskip("pyarrow.parquet")

ON_LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's account of memory")

MEMORY = """
def memory(kind):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))
"""

READS = (
    MEMORY
    + """
import sys
from protocols.tables.blocks.mapped_array import give_back, mapped
array = mapped(sys.argv[1], "<f8", (16, 1 << 20))
for row in range(16):
    assert float(array[row].sum()) == 1 << 20
    if sys.argv[2] == "yes":
        give_back(array)
print(memory("RssFile"))
"""
)

DECIDES = (
    MEMORY
    + """
import sys
import numpy as np
import pyarrow.parquet
from agent.acquisition.base import AcquisitionContext
from agent.acquisition.registry import make_policy
from agent.campaign.context import pool_arrays
from agent.pool.mapped_pool import mapped_pool
from agent.surrogate import queries
from protocols.tables.blocks.reading import read_in_blocks
from protocols.tables.columns import TableColumns

queries.KEPT_BYTES = 0  # of a pool this small the scaled features would be kept
options = {"gap_gain": {"active_rows": "all", "memory_mb": 0}, "uncertainty": {"memory_mb": 0}}
policies = [make_policy(name, its) for name, its in options.items()]
before = memory("VmHWM")
columns = TableColumns(family="family", property="y", unit="eV", features=("f*",), in_blocks=True)
pool = mapped_pool(read_in_blocks(sys.argv[1], columns), has_ids=False)
n = len(pool)
values = np.array(pool.table.values("y"))
arrays = pool_arrays(pool)
for policy in policies:
    observed, acquired = np.arange(0, n, n // 50), np.zeros(0, dtype=np.int64)
    for number in range(3):
        nothing, free = np.zeros(0, dtype=np.int64), np.setdiff1d(np.arange(n), observed)
        seen = AcquisitionContext(arrays, observed, values[observed], acquired, nothing, free, number, number)
        chosen = policy.propose(seen, 1).choices[0].index
        acquired = np.append(acquired, chosen)
        observed = np.sort(np.append(observed, chosen))
print(memory("VmHWM") - before)
"""
)

FEWER, MORE, FEATURES = 100_000, 300_000, 16

MOST_BYTES_A_ROW = 300
"""What one candidate more may cost: 35 numbers of its means, deviations and scores, and of what is between. In memory
its features, id and object take 700 bytes before anything is decided."""


def peak_mib(script: str, *arguments: str | Path, **environment: str) -> float:
    """Run a script in a process of its own; return what it prints last."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment or None, text=True)
    return float(said.stdout.split()[-1])


def write_table(path: Path, rows: int, features: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, features)).astype(np.float32)
    named = {f"f{place}": X[:, place] for place in range(features)}
    y = np.sin(X[:, 0]) + X[:, 1] + rng.normal(scale=0.1, size=rows)
    ids = [f"m{number}" for number in rng.permutation(rows)]
    pq.write_table(pa.table({"id": ids, "family": rng.choice(["a", "b", "c"], rows), "y": y, **named}), path)


@ON_LINUX
@pytest.mark.system
def test_pages_that_are_given_back_are_no_memory_of_the_process(tmp_path: Path) -> None:
    """Of 128 MiB that were read; those that are kept count."""
    path = tmp_path / "large"
    np.ones((16, 1 << 20)).tofile(path)
    assert peak_mib(READS, path, "no") - peak_mib(READS, path, "yes") > 100.0


@ON_LINUX
@pytest.mark.system
def test_a_candidate_more_costs_a_few_numbers_and_not_its_features(tmp_path: Path) -> None:
    """Reading, ids of content, and two policies that score every candidate: by the peaks of two sizes."""
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"PYTHONPATH": ":".join(each for each in sys.path if each)}
    peaks = []
    for rows in (FEWER, MORE):
        path = tmp_path / f"table-{rows}.parquet"
        write_table(path, rows, FEATURES)
        peaks.append(peak_mib(DECIDES, path, **environment))
    assert (peaks[1] - peaks[0]) * 1024**2 / (MORE - FEWER) < MOST_BYTES_A_ROW


SCENARIO = """
name = "mapped"
[campaign]
policy = "gap_gain"
budget = 8
parallel = 2
[campaign.policy_options]
active_rows = "all"
[start]
size = 30
[pool]
path = "table.parquet"
[pool.columns]
id = "id"
family = "family"
property = "y"
unit = "eV"
features = ["f?"]
[simulator]
evaluator = "table"
"""


@pytest.mark.system
def test_a_campaign_over_a_mapped_pool_is_that_of_the_pool_in_memory(tmp_path: Path) -> None:
    """By the commands: run, the same run in memory, what differs (nothing), verify, replay, and why."""
    write_table(tmp_path / "table.parquet", 3_000, 5)
    (tmp_path / "mapped.toml").write_text(SCENARIO, encoding="utf-8")
    with Workbench(tmp_path) as bench:
        in_blocks = "pool.columns.in_blocks"
        for name, value in (("mapped", "true"), ("whole", "false")):
            ran = bench.entropilot(
                "run", "mapped.toml", "--campaign", name, "--set", f"{in_blocks}={value}", "--quiet",
            )  # fmt: skip
            assert ran.code == 0, ran.err
        assert "the same: 8 decisions" in bench.entropilot("diff", "mapped", "whole").out
        assert bench.entropilot("verify", "mapped").code == 0
        assert "8 of 8 decisions identical" in bench.entropilot("replay", "mapped").out
        assert bench.entropilot("why", "mapped", "3").code == 0
