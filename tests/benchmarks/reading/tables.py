"""Time and memory of reading a large Parquet table, beside Arrow's own reading with a digest of the columns.

`python -m tests.benchmarks.reading.tables [--rows 1000000] [--features 64] [--blocks 3]`. Each measurement has a
process of its own, which first reads a small table, so that nothing is counted but the reading; the ways take turns,
because only ratios mean something on a machine that others use. `reference` is `pyarrow.parquet.read_table` and a
SHA-256 of every column. `file` gives the used columns as they stand, `table` is the whole of `read_table`: cells,
checks, families, ids. Memory is what the process grew by at its peak (Linux), per byte of the table in Arrow's memory.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from protocols.tables.files import column_names, read_file
from protocols.tables.table import TableColumns, read_table

FAMILIES: Final = 7

COLUMNS: Final = TableColumns(id="id", family="family", property="energy", unit="eV/atom", features=("f_*",))

KIB: Final = 1024
"""What Linux counts memory in [byte]."""

PEAK: Final = "VmHWM:"
"""The line of `/proc/self/status` with the most memory of this process; `ru_maxrss` begins with its parent's."""


def write_table(path: Path, rows: int, features: int) -> None:
    """Write ids, families, a property and features."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    columns: dict[str, Any] = {
        "id": [f"row-{row}" for row in range(rows)],
        "family": [f"family {row % FAMILIES}" for row in range(rows)],
        "energy": random.normal(size=rows),
    }
    columns |= {f"f_{place}": random.normal(size=rows) for place in range(features)}
    pq.write_table(pa.table(columns), path)


def by_arrow(path: Path) -> None:
    """Read with Arrow, and digest every column."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    for column in table.columns:
        digest = hashlib.sha256()
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    digest.update(buffer)


def as_file(path: Path) -> None:
    """Read the used columns as they stand."""
    names = column_names(path)
    numeric = [name for name in names if name not in {"id", "family"}]
    read_file(path, names, numeric=numeric, texts=("id", "family"))


def as_table(path: Path) -> None:
    """Read and check candidates."""
    read_table(path, COLUMNS)


WAYS: Final[dict[str, Callable[[Path], None]]] = {"reference": by_arrow, "file": as_file, "table": as_table}


def peak() -> int:
    """Most memory that this process had so far [byte]."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return KIB * int(next(line.split()[1] for line in lines if line.startswith(PEAK)))


def measured(way: str, path: Path, small: Path) -> tuple[float, float, float]:
    """What one reading takes in this process: of processors [s], by the clock [s], of memory [byte]."""
    WAYS[way](small)
    before = peak()
    cpu, wall = time.process_time(), time.perf_counter()
    WAYS[way](path)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, wall, float(peak() - before)


def in_a_process(way: str, path: Path, small: Path) -> tuple[float, float, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--measure", way, str(path), str(small)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    cpu, wall, memory = map(float, said)
    return cpu, wall, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        way, path, small = asked.measure
        print(*measured(way, Path(path), Path(small)))
        return
    with tempfile.TemporaryDirectory() as folder:
        import pyarrow.parquet as pq

        path, small = Path(folder) / "large.parquet", Path(folder) / "small.parquet"
        write_table(path, asked.rows, asked.features)
        write_table(small, 100, asked.features)
        size = pq.read_table(path).nbytes
        print(
            f"{asked.rows} rows, {asked.features} features, {size / KIB**2:.0f} MiB in memory; {os.cpu_count()} cores"
        )
        found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
        for _ in range(asked.blocks):
            for way, measurements in found.items():
                measurements.append(in_a_process(way, path, small))
            took = (f"{way} {each[-1][0]:.2f} / {each[-1][1]:.2f}" for way, each in found.items())
            print(f"  CPU s / wall s: {'; '.join(took)}; load {os.getloadavg()[0]:.1f}")
    for way in ("file", "table"):
        pairs = list(zip(found[way], found["reference"], strict=True))
        cpu, wall = (median(ours[place] / theirs[place] for ours, theirs in pairs) for place in (0, 1))
        memory = median(each[2] for each in found[way]) / size
        print(f"{way}: {cpu:.2f} of the reference's CPU, {wall:.2f} by the clock; {memory:.2f} of the table in memory")


if __name__ == "__main__":
    main()
