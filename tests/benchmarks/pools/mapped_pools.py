"""A pool of ten million candidates with 64 features: time and memory of reading, of decisions, and of a whole run.

    python -m tests.benchmarks.pools.mapped_pools [--rows 10000000] [--features 64] [--labels 100] [--decisions 10]

A table of a smooth property in seven families, its ids in no order, is written as Parquet once. Each part runs in a
process of its own, whose peak of resident memory (VmHWM, mapped pages of files included) is printed with its times.
`--in-memory` decides again with all features in memory and compares choices and scores; `--run` plays a whole campaign
by `entropilot run`, with the oracle of the same table, and prints the peak of each process. Times are of one processor
(of reading by the clock too), with one thread of BLAS. What is made stands in `--out`, the cache of tables too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, PoolArrays
from agent.acquisition.registry import make_policy
from agent.campaign.context import pool_arrays
from agent.entropy.measure import M_SPACING, EntropyMeasure, default_resolution
from agent.pool.mapped_pool import MappedPool, mapped_pool
from protocols.tables.blocks.reading import read_in_blocks
from protocols.tables.columns import TableColumns

FAMILIES: Final = ("cubic", "hexagonal", "monoclinic", "orthorhombic", "tetragonal", "triclinic", "trigonal")

ROWS_AT_ONCE: Final = 200_000

POLICIES: Final[dict[str, dict[str, Any]]] = {
    "random": {},
    "uncertainty": {},
    "gap_gain": {"active_rows": "all"},
    "gap_gain, a sample": {},
}
"""What is timed: a policy and its options."""

COLUMNS: Final = TableColumns(
    id="id", family="family", property="energy", unit="eV/atom", features=("x*",), in_blocks=True
)

LOOK_EVERY_S: Final = 0.2


def write_table(path: Path, rows: int, features: int, seed: int = 0) -> None:
    """Write a table of a smooth property with noise, a part at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    weights = rng.normal(size=features) / np.sqrt(features)
    numbers = rng.permutation(rows)
    writer = None
    for start in range(0, rows, ROWS_AT_ONCE):
        some = numbers[start : start + ROWS_AT_ONCE]
        X = rng.normal(size=(len(some), features)).astype(np.float32)
        codes = rng.integers(len(FAMILIES), size=len(some))
        y = np.sin(X[:, 0]) + X @ weights + 0.3 * codes * X[:, 1] + rng.normal(scale=0.05, size=len(some))
        columns: dict[str, Any] = {
            "id": [f"m-{number:08d}" for number in some],
            "family": pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(FAMILIES)),
            "energy": y.astype(np.float64),
        }
        table = pa.table(columns | {f"x{place:02d}": X[:, place] for place in range(features)})
        writer = writer or pq.ParquetWriter(path, table.schema, compression="none", use_dictionary=["id", "family"])
        writer.write_table(table)
        print(f"\rwriting {path.name}: {start + len(some):,} rows", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if writer is not None:
        writer.close()


def peak_mib() -> float:
    """Return the peak of resident memory of this process, mapped pages included [MiB]."""
    return peak_of("self")


def peak_of(process: int | str) -> float:
    """Return the peak of resident memory of a process [MiB]; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def read(path: Path) -> MappedPool:
    """Return the pool of the table, telling its time."""
    began, cpu = time.perf_counter(), time.process_time()
    pool = mapped_pool(read_in_blocks(path, COLUMNS), has_ids=True)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"| reading | {took:.1f} s, CPU {cpu:.1f} s | {peak_mib():,.0f} MiB | digest {pool.digest[:12]} |", flush=True
    )
    return pool


def contexts(pool: PoolArrays, truth: FloatArray, labels: int) -> Generator[AcquisitionContext, int]:
    """Yield contexts; send what was chosen of each."""
    rng = np.random.default_rng(1)
    start = np.sort(rng.choice(len(truth), labels, replace=False))
    acquired: IndexArray = np.empty(0, dtype=np.int64)
    available = np.ones(len(truth), dtype=bool)
    available[start] = False
    measure = EntropyMeasure(M_SPACING, default_resolution(truth[start]))
    while True:
        observed = np.sort(np.concatenate((start, acquired)))
        chosen = yield AcquisitionContext(
            pool, observed, truth[observed], acquired, np.empty(0, dtype=np.int64), np.flatnonzero(available),
            decision=len(acquired), seed=len(acquired), measure=measure,
        )  # fmt: skip
        acquired = np.concatenate((acquired, [chosen]))
        available[chosen] = False


def decide(path: Path, label: str, labels: int, decisions: int, *, in_memory: bool) -> None:
    """Time decisions of one policy; print them, and choices and scores for who compares."""
    pool = mapped_pool(read_in_blocks(path, COLUMNS), has_ids=True)
    arrays = pool_arrays(pool)
    if in_memory:
        from dataclasses import replace

        arrays = replace(arrays, features=np.array(pool.features, dtype=np.float64, subok=False))
    truth = np.array(pool.table.values("energy")) if pool.table is not None else np.empty(0)
    policy = make_policy(label.split(",", maxsplit=1)[0], POLICIES[label])
    asked = contexts(arrays, truth, labels)
    context, times, chosen = next(asked), [], []
    for _ in range(decisions):
        began = time.process_time()
        choice = policy.propose(context, 1).choices[0]
        times.append(time.process_time() - began)
        chosen.append((choice.index, choice.score))
        context = asked.send(choice.index)
    print(json.dumps({"times_s": times, "peak_mib": peak_mib(), "chosen": chosen}))


def run(path: Path, folder: Path, label: str, decisions: int, labels: int) -> None:
    """Play a campaign by `entropilot run`, and look at the memory of its processes."""
    options = "".join(f"{name} = {json.dumps(value)}\n" for name, value in POLICIES[label].items())
    columns = "\n".join(
        f"{name} = {json.dumps(value)}"
        for name, value in COLUMNS.model_dump(exclude_defaults=True, mode="json").items()
    )
    policy = label.split(",", maxsplit=1)[0]
    scenario = folder / "scenario.toml"
    scenario.write_text(
        f'name = "mapped"\n[campaign]\nproperty = "energy"\nunit = "eV/atom"\npolicy = "{policy}"\n'
        f"budget = {decisions}\nparallel = 1\n[campaign.policy_options]\n{options}"
        f'[start]\nsize = {labels}\n[pool]\npath = "{path.resolve()}"\n[pool.columns]\n{columns}\n'
        '[simulator]\nevaluator = "table"\n',
        encoding="utf-8",
    )
    command = [
        sys.executable, "-m", "entropilot", "run", str(scenario), "--runs", str(folder), "--campaign", "campaign",
        "--quiet",
    ]  # fmt: skip
    shutil.rmtree(folder / "campaign", ignore_errors=True)
    began, peaks = time.perf_counter(), dict[int, float]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None:
            for each in tree_of(process.pid):
                peaks[each] = max(peaks.get(each, 0.0), peak_of(each))
            time.sleep(LOOK_EVERY_S)
        print(process.stdout.read() if process.stdout else "")
    told = ", ".join(f"{peak:,.0f}" for peak in peaks.values())
    print(f"| run of {decisions} decisions, {label} | {time.perf_counter() - began:.0f} s | peaks {told} MiB |")


def tree_of(process: int) -> list[int]:
    """Return a process and all that it has started."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [process, *(each for child in children for each in tree_of(int(child)))]


def main() -> None:
    """Run all parts, or the one that is named, in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--decisions", type=int, default=10)
    parser.add_argument("--policies", default=";".join(POLICIES))
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--run", action="store_true", help="a whole campaign of the last of --policies")
    parser.add_argument("--out", type=Path, default=Path("runs/mapped-pools"))
    parser.add_argument("--part", default="")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / f"pool-{asked.rows}x{asked.features}.parquet"
    os.environ["XDG_CACHE_HOME"] = str((asked.out / "cache").resolve())
    if asked.part == "write":
        write_table(path, asked.rows, asked.features)
    elif asked.part == "read":
        read(path)
    elif asked.part:
        decide(path, asked.part, asked.labels, asked.decisions, in_memory=asked.in_memory)
    else:
        _all_parts(asked, path)


def _all_parts(asked: argparse.Namespace, path: Path) -> None:
    if not path.exists():
        _part(asked, "write")
    size_gib = path.stat().st_size / 1024**3
    print(f"{asked.rows:,} x {asked.features}, {asked.labels} labels; {size_gib:.2f} GiB of Parquet", flush=True)
    for _ in range(2):
        print(_part(asked, "read"), end="")
    for label in asked.policies.split(";"):
        found = json.loads(_part(asked, label))
        times = found["times_s"]
        later = np.median(times[1:]) if len(times) > 1 else times[0]
        print(f"| {label} | CPU: first {times[0]:.1f} s, then {later:.2f} s (most {max(times[1:] or times):.1f}) |"
              f" {found['peak_mib']:,.0f} MiB |", flush=True)  # fmt: skip
        if asked.in_memory:
            whole = json.loads(_part(asked, label, "--in-memory"))
            same = "the same choices and scores" if whole["chosen"] == found["chosen"] else "OTHER CHOICES OR SCORES"
            print(f"| … in memory | {same} | {whole['peak_mib']:,.0f} MiB |", flush=True)
    if asked.run:
        run(path, asked.out, asked.policies.split(";")[-1], asked.decisions, asked.labels)


def _part(asked: argparse.Namespace, part: str, *more: str) -> str:
    sizes = (f"--rows={asked.rows}", f"--features={asked.features}", f"--labels={asked.labels}")
    command = [
        sys.executable, "-m", "tests.benchmarks.pools.mapped_pools", *sizes, f"--decisions={asked.decisions}",
        f"--out={asked.out}", f"--part={part}", *more,
    ]  # fmt: skip
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one).stdout


if __name__ == "__main__":
    main()
