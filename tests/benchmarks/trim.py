"""Time of trimming against the number of rows, beside a straightforward greedy; and what it does to real tables.

`python -m tests.benchmarks.trim [--rows 1000,10000,100000] [TABLE FAMILY PROPERTY KEEP …]`
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc

import numpy as np

from agent.entropy.measure import M_SPACING, EntropyMeasure, default_resolution
from agent.entropy.subset import rows_to_keep
from scenarios.trim.source import NamedColumns, read_source
from scenarios.trim.trim import rows_wanted, trim
from tests.support.references.plain_trim import plain_rows_to_keep

FAMILIES = 7
SHARE = 0.3
PLAIN_ROWS = 300
"""The straightforward greedy is cubic in the number of rows: this takes it seconds."""


def table(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Families of uneven sizes and spreads, energies rounded to a tenth of a meV as tables have them."""
    rng = np.random.default_rng(rows)
    sizes = np.maximum(1, np.round(rows * np.array([0.25, 0.2, 0.18, 0.15, 0.12, 0.07, 0.03]))).astype(int)
    sizes[0] += rows - sizes.sum()
    codes = rng.permutation(np.repeat(np.arange(FAMILIES), sizes))
    spread = np.array([0.4, 0.3, 0.6, 0.5, 0.2, 0.8, 1.0])[codes]
    return codes, np.round(spread * rng.standard_t(5, size=rows), 4)


def timed(rows: int) -> float:
    """Seconds for one trimming to `SHARE` of the rows."""
    codes, values = table(rows)
    measure = EntropyMeasure(M_SPACING, default_resolution(values))

    def entropy_range(kept: np.ndarray) -> float:
        own = [np.sort(values[kept[codes[kept] == code]]) for code in range(FAMILIES)]
        return float(np.ptp([measure.entropy(each) for each in own]))

    keep = int(SHARE * rows)
    wall, cpu = time.perf_counter(), time.process_time()
    kept = rows_to_keep(codes, values, keep, resolution=measure.resolution)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    each = 1e6 * wall / (rows - keep)
    before, after = entropy_range(np.arange(rows)), entropy_range(kept)
    print(
        f"{rows:>9,} rows -> {keep:>8,}: {wall:8.2f} s ({cpu:.2f} s of CPU), {each:5.0f} µs a removal;"
        f" range of entropy {before:.3f} -> {after:.3f} nat"
    )
    return wall


def beside_the_plain_one() -> None:
    codes, values = table(PLAIN_ROWS)
    keep = int(SHARE * PLAIN_ROWS)
    seconds, found = [], []
    for way in (rows_to_keep, plain_rows_to_keep):
        start = time.perf_counter()
        found.append(way(codes, values, keep, resolution=1e-3).tolist())
        seconds.append(time.perf_counter() - start)
    same = "the same rows" if found[0] == found[1] else "OTHER ROWS"
    print(
        f"{PLAIN_ROWS:>9,} rows -> {keep:>8,}: {seconds[0]:.3f} s; a straightforward greedy {seconds[1]:.1f} s"
        f" ({seconds[1] / seconds[0]:.0f} times), {same}"
    )


def memory(rows: int) -> None:
    codes, values = table(rows)
    tracemalloc.start()
    rows_to_keep(codes, values, rows - 50, resolution=1e-3)
    print(f"{rows:>9,} rows: {tracemalloc.get_traced_memory()[1] / rows:.0f} bytes a row at the peak")
    tracemalloc.stop()


def real_table(path: str, family: str, name: str, keep: str) -> None:
    source = read_source(path, NamedColumns(family, name))
    measure = EntropyMeasure(M_SPACING, default_resolution(source.values))
    start = time.perf_counter()
    done = trim(source, rows_wanted(keep, source), measure, seeds=20)
    print(f"\n{source.name}, {name}, {keep} of {len(source.values):,} rows: {time.perf_counter() - start:.1f} s")
    for each in done.table_figures():
        mean, std = each.over_random()
        print(f"  {each.label:<26} {each.full:7.3f} -> {each.trimmed:7.3f}   random {mean:7.3f} ± {std:.3f}")
    for code, named in enumerate(source.families):
        sizes = f"{done.trimmed.sizes[code]:,} of {done.full.sizes[code]:,}"
        print(f"    {named:<24} {done.full.entropies[code]:7.3f} -> {done.trimmed.entropies[code]:7.3f}   {sizes}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000,3000,10000,30000,100000")
    parser.add_argument("tables", nargs="*", help="TABLE FAMILY PROPERTY KEEP, repeated")
    given = parser.parse_args()
    if len(given.tables) % 4:
        sys.exit("a table needs four words: TABLE FAMILY PROPERTY KEEP")
    beside_the_plain_one()
    for rows in [int(each) for each in given.rows.split(",") if each]:
        timed(rows)
    memory(100_000)
    for start in range(0, len(given.tables), 4):
        real_table(*given.tables[start : start + 4])


if __name__ == "__main__":
    main()
