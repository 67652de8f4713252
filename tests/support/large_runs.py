"""Run folders as long as one likes, written straight into our tables: for benchmarks of whoever reads runs.

    python -m tests.support.large_runs FOLDER [--observations 20000] [--live PER_SECOND] [--bare]

Journal, chain of digests, dataset, requests and trajectory are as an agent would have written them, four requests in
flight, with attempts that expire, are answered late or fail, and with pauses: the journal folds to these views. Of a
run of more than 20,000 observations the entropies are those of every so manieth value, for to measure all would take
minutes. `--live` goes on at a pace with a commit for each observation, as an agent does (`synchronous=FULL`), and holds
the agent's lock meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Table, insert, update

from agent.campaign.event_descriptions import START_SET
from agent.campaign.events import (
    AttemptFailed,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    DecisionMade,
    Event,
    MeasuredQuantity,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    dump_event,
)
from agent.campaign.plan import CampaignPlan, Ordering
from agent.entropy.bias import BiasMeter, BiasPoint
from agent.run_files import DATABASE, LOCK
from agent.store.standing import GENESIS_DIGEST, chain_digest
from agent.store.store import Store
from agent.store.tables import BIAS_FAMILY, BIAS_POINT, JOURNAL, MESSAGE_COUNT, OBSERVATION, REQUEST, SCHEMA_VERSION
from agent.store.views import DatasetLabels
from protocols.storage.database import connected, sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.wire.attempt_ids import attempt_identity

FAMILIES: Final = ("cubic", "hexagonal", "monoclinic", "orthorhombic", "tetragonal", "triclinic", "trigonal")
START: Final = 70
"""Values of the start set."""

PARALLEL: Final = 4
EXPIRES: Final = 41
"""Every so manieth observation its first attempt has expired; every other of these is answered late after all."""

FAILS: Final = 67
"""Every so manieth its first attempt has failed."""

PAUSES: Final = 397
"""Every so manieth the campaign was paused before it."""

AT_ONCE: Final = 2_000
"""Observations of one transaction of a run that is written whole."""

BEGAN: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UID: Final = "0a1b2c3d"


@dataclass(slots=True)
class LargeRun:
    """A run that grows.

    Args:
        folder: Of the run; made where it is not there.
        budget: Observations that it will have.
        measured_every: Every so manieth value counts for the entropies.
        has_faults: Whether attempts expire and fail, and the campaign is paused.
        name: Of the campaign.
    """

    folder: Path
    budget: int
    measured_every: int = 1
    has_faults: bool = True
    name: str = "large"
    observation: int = 0
    _sequence: int = 0
    _digest: str = GENESIS_DIGEST
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _closed: list[tuple[str, str, int]] = field(default_factory=list)
    _open: deque[tuple[int, str, str, int]] = field(default_factory=deque)
    _requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _decisions: int = 0
    _written: int = 0
    _meter: BiasMeter = field(init=False)
    _point: BiasPoint = field(init=False)
    _sizes: list[int] = field(init=False)
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def begin(self) -> None:
        """Write the beginning: the plan, the start set, the first decisions."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plan = CampaignPlan(
            campaign=self.name, uid=UID, property_name="formation_energy", unit="eV/atom", valid_range=(-50.0, 50.0),
            budget=self.budget, parallel=PARALLEL, ordering=Ordering.IN_ORDER, policy="gap_gain", fingerprint="f" * 12,
            recipients=("simulator-1", "simulator-2"), pool_digest="d" * 64, estimator="m_spacing", resolution=0.001,
        )  # fmt: skip
        store = Store.open(sqlite_url(self.folder / DATABASE), labels=DatasetLabels({}, ""), now=BEGAN.isoformat())
        store.claim(plan, schema_version=SCHEMA_VERSION, now=BEGAN.isoformat())
        store.close()
        ids = tuple(f"s{number:06d}" for number in range(START))
        values = tuple(self._value(number) for number in range(START))
        codes = np.arange(START) % len(FAMILIES)
        self._meter = BiasMeter(FAMILIES, codes, np.array(values), measure=plan.measure)
        self._point, self._sizes = self._meter.point(), [START // len(FAMILIES)] * len(FAMILIES)
        self._journal(CampaignStarted(plan, {"entropilot": "test"}, (), BEGAN))
        self._journal(StartSetLoaded(ids, values))
        for number, (which, value) in enumerate(zip(ids, values, strict=True)):
            self._observe(which, number % len(FAMILIES), value, START_SET, None)
        self._measure(range(len(FAMILIES)))
        for _ in range(min(PARALLEL, self.budget)):
            self._decide()

    def step(self) -> None:
        """Let one result come, and what follows; nothing is written before `commit`."""
        number, which, attempt_id, attempt = self._open.popleft()
        if self.has_faults:
            attempt_id = self._trouble(number, which, attempt_id, attempt)
        code, value = number % len(FAMILIES), self._value(number)
        self.observation += 1
        quantities = (MeasuredQuantity("formation_energy", value, "eV/atom"),)
        simulator = f"simulator-{1 + number % 2}"
        self._journal(
            ResultAccepted(attempt_id, which, simulator, value, quantities, 0.25, message_id=f"m{number:08d}")
        )
        self._close(attempt_id, "observed")
        for other, row in list(self._requests.items()):
            if row["candidate_id"] == which:
                if other != attempt_id and not row["outcome"]:
                    self._close(other, "overtaken by another attempt")
                del self._requests[other]
        self._observe(which, code, value, simulator, attempt_id)
        self._sizes[code] += 1
        if self.observation % self.measured_every == 0:
            self._meter.add(code, value)
            self._point = self._meter.point()
        self._measure([code])
        if self._decisions < self.budget:
            self._decide()
        elif not self._open:
            self._journal(CampaignFinished("the budget is spent"))

    def commit(self, connection: Connection) -> None:
        """Write what came since the last time, in one transaction."""
        with connection.begin():
            for table in (JOURNAL, OBSERVATION, REQUEST, BIAS_POINT, BIAS_FAMILY):
                if rows := self._rows.pop(table.name, []):
                    connection.execute(insert(table), rows)
            for attempt_id, outcome, sequence in self._closed:
                connection.execute(
                    update(REQUEST)
                    .where(REQUEST.c.attempt_id == attempt_id)
                    .values(outcome=outcome, closed_sequence=sequence)
                )
            self._count(connection)
        self._closed.clear()
        self._written = self._sequence

    def _count(self, connection: Connection) -> None:
        counted = {"disposition": "candidate_result: accepted", "count": self.observation}
        known = update(MESSAGE_COUNT).where(MESSAGE_COUNT.c.disposition == counted["disposition"])
        if connection.execute(known.values(count=self.observation)).rowcount == 0:
            connection.execute(insert(MESSAGE_COUNT), [counted])

    def _trouble(self, number: int, which: str, attempt_id: str, attempt: int) -> str:
        """Let the first attempt go wrong now and then; return the one that is answered."""
        if number % PAUSES == PAUSES - 1:
            self._journal(CampaignPaused("lunch", f"p{number:08d}", "ada"))
            self._journal(CampaignResumed("back", f"r{number:08d}", "ada"))
        if number % EXPIRES == EXPIRES - 1:
            self._journal(RequestExpired(attempt_id, which))
            self._close(attempt_id, "expired")
            again = self._issue(number, which, attempt + 1)
            return attempt_id if number % 2 else again
        if number % FAILS == FAILS - 1:
            failed = AttemptFailed(attempt_id, which, "simulator-1", "calculation_failed", "it did not converge", False)
            self._journal(failed)
            self._close(attempt_id, "failed: calculation_failed")
            return self._issue(number, which, attempt + 1)
        return attempt_id

    def _decide(self) -> None:
        number, self._decisions = self._decisions, self._decisions + 1
        which, family = f"c{number:06d}", FAMILIES[number % len(FAMILIES)]
        self._journal(
            DecisionMade(
                decision=number, seed=number, based_on=self._sequence, policy="gap_gain", fingerprint="f" * 12,
                candidate_ids=(which,), scores=(0.5 + 0.001 * (number % 100),), reason=f"enriches {family}",
                runner_up=f"c{number + PARALLEL:06d}", runner_up_score=0.5, target_family=family,
                details={"predicted_mean": 0.1, "predicted_std": 0.2, "noise_std": 0.05, "expected_gain": 0.01},
            )
        )  # fmt: skip
        self._open.append((number, which, self._issue(number, which, 1), 1))

    def _issue(self, number: int, which: str, attempt: int) -> str:
        attempt_id = attempt_identity(UID, number, which, attempt)
        recipient = f"simulator-{1 + number % 2}"
        self._journal(RequestIssued(attempt_id, which, number, attempt, recipient, f"C {number}/α"))
        row = {
            "attempt_id": attempt_id, "candidate_id": which, "decision": number, "attempt": attempt,
            "recipient": recipient, "sequence": self._sequence, "outcome": "", "closed_sequence": None,
            "source_id": f"C {number}/α", "family": FAMILIES[number % len(FAMILIES)],
        }  # fmt: skip
        self._add(REQUEST, row)
        self._requests[attempt_id] = row
        return attempt_id

    def _close(self, attempt_id: str, outcome: str) -> None:
        row = self._requests[attempt_id]
        row |= {"outcome": outcome, "closed_sequence": self._sequence}
        if row["sequence"] <= self._written:  # else it is written as it is now
            self._closed.append((attempt_id, outcome, self._sequence))

    def _observe(self, which: str, code: int, value: float, source: str, attempt_id: str | None) -> None:
        source_id = f"C {int(which[1:])}/α" if attempt_id else ""
        self._add(OBSERVATION, {
            "candidate_id": which, "sequence": self._sequence, "family": FAMILIES[code], "value": value,
            "unit": "eV/atom", "source": source, "attempt_id": attempt_id, "source_id": source_id,
            "standard_deviation": None, "details": "", "fidelity": "", "replicate": 0,
        })  # fmt: skip

    def _measure(self, codes: Any) -> None:
        point = self._point
        figures = ("entropy_range", "entropy_std", "mean_gap", "evenness", "coverage", "joint_entropy")
        self._add(BIAS_POINT, {
            "observation": self.observation, "sequence": self._sequence, "starved_family": point.starved_family,
            "declared": "", "spent": self.observation, **{name: getattr(point, name) for name in figures},
        })  # fmt: skip
        for code in codes:
            self._add(BIAS_FAMILY, {
                "observation": self.observation, "family": FAMILIES[code], "size": self._sizes[code],
                "entropy": point.entropies[code],
            })  # fmt: skip

    def _journal(self, event: Event) -> None:
        kind, payload = dump_event(event)
        self._sequence += 1
        self._digest = chain_digest(self._digest, self._sequence, kind, payload)
        at = (BEGAN + timedelta(seconds=0.05 * self._sequence)).isoformat()
        row = {"sequence": self._sequence, "kind": kind, "payload": payload, "recorded_at": at, "digest": self._digest}
        self._add(JOURNAL, row)

    def _add(self, table: Table, row: dict[str, Any]) -> None:
        self._rows.setdefault(table.name, []).append(row)

    def _value(self, number: int) -> float:
        """A value of the family that has its turn; families differ in width."""
        return float(self._rng.normal(0.0, 0.5 + 0.2 * (number % len(FAMILIES))))


def write_run(folder: Path, observations: int, *, ends: bool = True, has_faults: bool = True) -> LargeRun:
    """Write a whole run.

    Args:
        folder: Of the run.
        observations: How many results it has.
        ends: Whether the campaign ends with them; else as many are left of its budget.
        has_faults: As of `LargeRun`.
    """
    run = LargeRun(
        folder,
        observations if ends else 2 * observations,
        measured_every=max(1, observations // 20_000),
        has_faults=has_faults,
        name=folder.name,
    )
    run.begin()
    with connected(sqlite_url(folder / DATABASE)) as connection:
        while run.observation < observations:
            for _ in range(min(AT_ONCE, observations - run.observation)):
                run.step()
            run.commit(connection)
    return run


@contextmanager
def growing(run: LargeRun) -> Iterator[Connection]:
    """Hold the lock of a run's agent, and its database open, while the run goes on by `step` and `commit`."""
    with (
        RunLock(run.folder / LOCK, holder="agent", advice="end it"),
        connected(sqlite_url(run.folder / DATABASE)) as connection,
    ):
        yield connection


def grow(run: LargeRun, per_second: float, observations: int) -> list[tuple[int, float]]:
    """Let a run go on at a pace; return when each observation was committed [s of `time.monotonic`]."""
    committed = []
    with growing(run) as connection:
        began = time.monotonic()
        for number in range(observations):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            run.step()
            run.commit(connection)
            committed.append((run.observation, time.monotonic()))
    return committed


def main() -> None:
    """Write a run, and let it go on where that is asked for; print a line for each observation then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--observations", type=int, default=20_000)
    parser.add_argument("--live", type=float, default=0.0, help="observations a second that come afterwards")
    parser.add_argument("--bare", action="store_true", help="without faults")
    given = parser.parse_args()
    run = write_run(given.folder, given.observations, ends=not given.live, has_faults=not given.bare)
    print(json.dumps({"observations": run.observation, "written": str(given.folder)}), flush=True)
    if given.live:
        with growing(run) as connection, suppress(KeyboardInterrupt):
            began = time.monotonic()
            for turn in itertools.count(1):
                if run.observation >= run.budget:
                    break
                time.sleep(max(0.0, began + turn / given.live - time.monotonic()))  # what a commit takes is no pause
                run.step()
                run.commit(connection)
                print(json.dumps({"observation": run.observation, "committed": time.time()}), flush=True)


if __name__ == "__main__":
    main()
