"""What it costs to show a run, by how long it is: the processor time of each question, median of several.

    python -m tests.benchmarks.reading.runs [--observations 200 20000 200000] [--repeats 9] [--json FILE]

Beside them stands what nobody can do without: to open the database, begin a transaction and read one row. A poll of a
run that has not changed opens nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.run_files import DATABASE
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.reader import reader_of
from tests.support.large_runs import write_run


def processor_ms(ask: Callable[[], object], repeats: int) -> float:
    """Return the processor time of a question [ms], median."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        ask()
        times.append(1e3 * (time.process_time() - began))
    return statistics.median(times)


def measure(folder: Path, observations: int, repeats: int) -> dict[str, float]:
    """Return the processor time of each question by name [ms]."""
    open_run(folder).moment()  # what is imported at the first time is not measured
    fresh, source, reader = open_run(folder), open_run(folder), reader_of(folder / DATABASE)
    middle = iter(range(observations // 3, observations))

    def opened() -> None:
        with reader.reading():
            pass

    found = {"open the database": processor_ms(opened, repeats), "first moment": processor_ms(fresh.moment, 1)}
    source.moment()
    questions: dict[str, Callable[[], object]] = {
        "poll, nothing new": source.version,
        "moment, latest": source.moment,
        "moment, past": lambda: source.moment(next(middle)),
        "series": lambda: source.series(columns=1_000),
        "card in a list": source.card,
        "decision": lambda: source.decision(observations // 2),
        "dataset, 100 rows": lambda: source.dataset(offset=observations // 2, limit=100),
        "journal, 100 rows": lambda: source.journal(after=observations, limit=100),
        "instruments": source.instruments,
        "trust": source.trust,
    }
    found |= {name: processor_ms(ask, repeats) for name, ask in questions.items()}
    source.close()
    fresh.close()
    return found


def main() -> None:
    """Measure runs of several lengths, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--observations", type=int, nargs="+", default=[200, 20_000])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for observations in given.observations:
            folder = Path(scratch) / f"of{observations}"
            write_run(folder, observations)
            found[observations] = measure(folder, observations, given.repeats)
    names = list(found[given.observations[0]])
    print(f"{'processor time [ms]':24}" + "".join(f"{number:>12,}" for number in found))
    for name in names:
        print(f"{name:24}" + "".join(f"{each[name]:12.2f}" for each in found.values()))
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
