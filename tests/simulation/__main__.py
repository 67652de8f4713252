"""Simulate campaigns in virtual time among faults, one for every seed.

    python -m tests.simulation --seeds 300                  # seeds 0 to 299
    python -m tests.simulation --seeds 20000 --jobs 2 --json simulation.json
    python -m tests.simulation --seed 4711 --trace          # one seed, with all that happened in it

A seed and a commit are the whole bug report. The exit code is 1 on any violation.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.simulation.run import Report, play_seed

MOST_SHOWN: Final = 20
"""Failing seeds that the summary names."""

CHUNK: Final = 8
"""Seeds that a worker takes at once."""


@dataclass
class Summary:
    """What all seeds gave together."""

    first: int
    seeds: int = 0
    finished: int = 0
    virtual_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    failing: dict[int, list[str]] = field(default_factory=dict)
    by_invariant: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, report: Report) -> None:
        """Add one seed."""
        self.seeds += 1
        self.finished += report.finished
        self.virtual_s += report.virtual_s
        self.counts += report.counts
        self.unknown += report.unknown
        if report.violations:
            self.failing[report.seed] = [str(each) for each in report.violations]
            self.by_invariant.update({each.invariant for each in report.violations})

    @property
    def bound(self) -> float:
        """Upper 95 % bound of the rate of failing seeds when none fails: the rule of three."""
        return 3.0 / max(1, self.seeds)

    def figures(self) -> dict[str, Any]:
        """Return the figures, for a table and for JSON."""
        counts = self.counts
        return {
            "seeds": self.seeds,
            "first_seed": self.first,
            "violations": len(self.failing),
            "by_invariant": dict(sorted(self.by_invariant.items())),
            "failure_rate_below_95pct": None if self.failing else self.bound,
            "signed_campaigns": counts["signed campaigns"],
            "virtual_hours": round(self.virtual_s / 3600, 1),
            "agent_deaths": counts["killed: agent"],
            "simulator_deaths": counts["killed: simulator"],
            "starts": counts["starts: agent"] + counts["starts: simulator"],
            "orderly_shutdowns": counts["orderly shutdowns"],
            "commits": counts["commits"] + counts["simulators' commits"],
            "messages": counts["messages"],
            "results_with_receipt": counts["receipts"],
            "results_accepted": counts["ResultAccepted"],
            "late_results_kept": counts["LateResultKept"],
            "failed_attempts": counts["AttemptFailed"],
            "instruments_that_left": counts["instruments that left"],
            "attempts_handed_on": counts["attempts handed on"],
            "candidates_that_came_back": counts["candidates that came back"],
            "decisions_proposed_again": counts["decisions proposed again"],
            "decisions_compared_with_twin": counts["decisions compared with the twin"],
            "shared_requests_evaluated_by_two_labs": counts["shared requests evaluated by two labs"],
            "unknown_outcomes": dict(sorted(self.unknown.items())),
            "messages_troubled": _with_prefix(counts, "message "),
            "events": _with_prefix(counts, "event: "),
            "killed_at": _with_prefix(counts, "killed at "),
            "forged": _with_prefix(counts, "forged: "),
            "bad_messages_met_by_the_agent": counts["bad messages met by the agent"],
            "bad_messages_met_by_labs": counts["bad messages met by labs"],
            "seconds": round(self.seconds, 1),
            "seeds_per_minute": round(60 * self.seeds / max(1e-9, self.seconds)),
            "failing_seeds": dict(sorted(self.failing.items())[:MOST_SHOWN]),
        }


def play(seeds: Iterable[int], *, jobs: int) -> Iterator[Report]:
    """Play seeds, in several processes."""
    if jobs == 1:
        yield from map(play_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(play_seed, seeds, chunksize=CHUNK)


def main() -> int:
    """Run the command."""
    asked = _arguments()
    if asked.seed is not None:
        return _show(play_seed(asked.seed, keep_trace=True), trace=asked.trace)
    summary = Summary(asked.first)
    began = shown = time.perf_counter()
    for report in play(range(asked.first, asked.first + asked.seeds), jobs=asked.jobs):
        summary.add(report)
        summary.seconds = time.perf_counter() - began
        if report.violations:
            print(f"seed {report.seed}: {report.violations[0]}"[:400], flush=True)
            if asked.until_failure:
                break
        if time.perf_counter() - shown > asked.progress_s:
            shown = time.perf_counter()
            rate = 60 * summary.seeds / summary.seconds
            print(
                f"{summary.seeds} of {asked.seeds} seeds, {len(summary.failing)} failing, {rate:.0f} a minute",
                flush=True,
            )
    _print_table(summary.figures())
    if summary.failing:
        print(f"\nTo see the first again: python -m tests.simulation --seed {min(summary.failing)} --trace")
    else:
        print(
            f"\nNo seed of {summary.seeds} failed: with 95 % confidence fewer than {summary.bound:.1e} of all seeds do."
        )
    if asked.json is not None:
        asked.json.write_text(json.dumps(summary.figures()) + "\n")
    return 1 if summary.failing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, help="play this one only")
    parser.add_argument("--trace", action="store_true", help="with --seed: print all that happened")
    parser.add_argument("--until-failure", action="store_true", help="end with the first seed that fails")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--progress-s", type=float, default=10.0, help="pause between lines of progress [s]")
    return parser.parse_args()


def _show(report: Report, *, trace: bool) -> int:
    if trace:
        print("\n".join(report.lines))
    print(f"seed {report.seed}: digest {report.digest}, {report.virtual_s:.0f} virtual s, {report.seconds:.2f} s")
    for violation in report.violations:
        print(f"  {violation}")
    return 1 if report.violations else 0


def _print_table(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count}" for key, count in value.items() if not isinstance(count, list)) or "-"
        print(f"{name.replace('_', ' '):42} {shown}")


def _with_prefix(counts: Counter[str], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): counts[name] for name in sorted(counts) if name.startswith(prefix)}


if __name__ == "__main__":
    sys.exit(main())
