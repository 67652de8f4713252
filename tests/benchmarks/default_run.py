"""What the default run takes: time, and peak memory of everything that it starts; and how soon `--help` comes.

    python -m tests.benchmarks.default_run

Memory is the sum of the resident set sizes of the whole process tree, which counts shared pages several times: an
upper bound.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time

import psutil

SAMPLE_EVERY_S = 0.05
MEBIBYTE = 1 << 20
COMMAND = (sys.executable, "-m", "entropilot")


def tree_memory(process: psutil.Process) -> float:
    """Return the resident memory of a process and all below it [MiB]."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += each.memory_info().rss
    return total / MEBIBYTE


def default_run(folder: str) -> tuple[float, float]:
    """Run the default scenario; return seconds and peak memory [MiB]."""
    began = time.perf_counter()
    child = subprocess.Popen([*COMMAND, "run", "emt_alloys", "--quiet", "--runs", folder])
    process = psutil.Process(child.pid)
    peak = 0.0
    while child.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak = max(peak, tree_memory(process))
        time.sleep(SAMPLE_EVERY_S)
    return time.perf_counter() - began, peak


def help_time(runs: int = 7) -> float:
    """Return the median time of `--help` [s]."""
    waits = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
        waits.append(time.perf_counter() - began)
    return statistics.median(waits)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        seconds, peak_memory = default_run(name)
    print(f"default run: {seconds:.1f} s, peak memory of all its processes {peak_memory:.0f} MiB")
    print(f"--help: {help_time():.2f} s (median of 7)")
