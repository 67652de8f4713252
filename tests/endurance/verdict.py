"""Judges a finished campaign of real processes by two witnesses only: the labs' ledgers and the agent's database.

| word | what is counted |
|---|---|
| lost | an answer with a receipt that is not in the journal as it was sent (I1) |
| double | an attempt that was evaluated twice, a candidate that was observed twice (I2) |
| divergent | a first decision that differs from the undisturbed twin's (I5) |
| unknown | an evaluation whose end is not in the ledger: the lab was killed; neither done nor undone |
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.checker.history import History, check
from tests.support.checker.ledger import read_ledger

Decisions = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of a database, as plain rows."""

    database: Path
    rows: list[tuple[str, dict[str, Any]]]
    counts: dict[str, int]

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the payloads of events of some kinds, in order."""
        return [payload for kind, payload in self.rows if kind in kinds]

    @property
    def decisions(self) -> Decisions:
        """The candidates of each decision."""
        return [tuple(made["candidate_ids"]) for made in self.of_kind("DecisionMade")]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a campaign came to.

    Attributes:
        figures: Of results, attempts and faults, by name.
        problems: Every violation in words.
    """

    figures: dict[str, int]
    problems: list[str]


def read_journal(database: Path) -> Journal:
    """Read a database that no agent has open."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT kind, payload FROM journal ORDER BY sequence").fetchall()
        counts = dict(connection.execute("SELECT disposition, count FROM message_count").fetchall())
    finally:
        connection.close()
    return Journal(database, [(kind, json.loads(payload)) for kind, payload in rows], counts)


def judge(journal: Journal, ledgers: Iterable[Path], twin: Decisions | None, *, expected: int | None) -> Verdict:
    """Compare a campaign with what its labs saw and with its twin.

    Args:
        journal: Of the campaign, whose processes have ended.
        ledgers: One file for each lab.
        twin: The decisions of the same campaign left in peace; None where they may differ.
        expected: Results that it must hold at its end; None for a campaign that was interrupted.
    """
    entries = [entry for ledger in ledgers for entry in read_ledger(ledger)]
    found = check(History(database=journal.database, ledger=entries, twin=twin))
    kinds = Counter(kind for kind, _ in journal.rows)
    blamed = Counter(violation.invariant for violation in found.violations)
    problems = [str(violation) for violation in found.violations]
    if expected is not None and kinds["ResultAccepted"] != expected:
        problems.append(f"{kinds['ResultAccepted']} results instead of {expected}")
    if expected is not None and not kinds["CampaignFinished"]:
        problems.append("the campaign is not finished")
    duplicates = sum(journal.counts.get(f"candidate_{what}: duplicate", 0) for what in ("result", "failure"))
    figures = {
        "results": kinds["ResultAccepted"],
        "attempts": kinds["RequestIssued"],
        "evaluations": found.figures["evaluations"],
        "receipts": found.figures["receipts"],
        "duplicates refused": duplicates,
        "unknown": found.unknown["evaluations without an end"],
        "lost": blamed["I1"],
        "double": blamed["I2"],
        "divergent": blamed["I5"],
    }
    return Verdict(figures, problems)
