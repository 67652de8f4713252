"""The checker: decides from the ledgers and the database alone whether the invariants held (as Jepsen does).

It opens the campaign's database with `sqlite3`, folds the journal by rules of its own (`history_fold`), and compares
that with what labs and broker wrote down outside the system. It never asks the system under test.

An operation whose end is not in the ledger is neither done nor undone. It is counted by kind in `Verdict.unknown`:
an evaluation that began and has no end (the lab was killed), an answer that was sent and not confirmed. Such an
operation breaks nothing; what is claimed as done must be found.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from agent.acquisition.base import Policy, PoolArrays
from agent.entropy.bias import BiasPoint, measure_bias
from protocols.wire.messages import FailureReason
from tests.support.checker.history_fold import REFUSED, Fold, Json, Try
from tests.support.checker.ledger import Entry

BROKER: Final = "broker"
"""The lab's name in entries that the broker's side wrote: `acknowledged`, with the kind of message in `status`. Their
`life` is the number of the last journal row that was committed by then."""

SCORE_TOLERANCE: Final = 1e-9
"""Relative difference of scores that counts as none: the context is the same to the bit, so is the arithmetic."""

RECEIPTS: Final = {
    "accepted": {"ResultAccepted", "AttemptFailed"},
    "duplicate": {"ResultAccepted", "LateResultKept", "AttemptFailed", "ResultContradicted"},
    "contradicts": {"ResultContradicted"},
    "late": {"LateResultKept"},
    "refused": {"AttemptFailed", "LateResultKept"},
}
"""Status of a receipt -> the events one of which must be in the journal."""

MOST_KEPT: Final = 4
"""Results of one attempt and one kind that are journalled though they change nothing."""

_FAILURES: Final = {
    hashlib.sha256(f"failure|{reason.value}".encode()).hexdigest()[:16]: reason.value for reason in FailureReason
}
"""Digest of an answer that is a failure -> its reason."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold."""

    invariant: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.evidence}"


@dataclass(frozen=True, slots=True)
class Shutdown:
    """One orderly shutdown (SIGTERM)."""

    who: str
    seconds: float
    undone: str = ""
    """What was left undone, in words; empty when nothing was."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How long the campaign took to end after the faults had stopped; `seconds` is None when it did not."""

    seconds: float | None
    bound_s: float
    seen: str = ""
    """What it was doing, for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that the checker may read. What is None or empty is not checked."""

    database: Path
    ledger: Sequence[Entry]
    """Of all labs and of the broker, each lab's entries in the order of writing."""
    witnessed: Iterable[tuple[int, str]] = ()
    """Number and digest of journal rows that somebody saw committed during the run."""
    pool: PoolArrays | None = None
    policy: Policy | None = None
    """With `pool`: every decision is proposed again."""
    twin: Sequence[Sequence[str]] | None = None
    """What an undisturbed run chose, decision by decision."""
    stopped_early: bool = False
    """An operator stopped the campaign: it is only the beginning of its twin."""
    touched: Iterable[str] = ()
    """Bad messages after which the state was not the one before."""
    gauges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Name of a queue -> the longest that was seen, and its bound."""
    shutdowns: Iterable[Shutdown] = ()
    kept_back: Iterable[str] = ()
    """Answers that still had no receipt long after the faults had stopped."""
    ending: Ending | None = None


@dataclass(slots=True)
class Verdict:
    """What the checker found."""

    violations: list[Violation] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)

    def blame(self, invariant: str, evidence: str) -> None:
        """Add a violation."""
        self.violations.append(Violation(invariant, evidence))


def check(history: History) -> Verdict:
    """Decide the invariants I1 to I16."""
    verdict = Verdict()
    with contextlib.closing(sqlite3.connect(f"file:{history.database}?mode=ro", uri=True)) as database:
        journal = list(_journal(database, history, verdict))
        families = None if history.pool is None else _families(history.pool)
        fold = _folded(journal, history, families, verdict)
        _check_views(database, journal, fold, verdict)
        quarantined = {row[0] for row in database.execute("SELECT digest FROM quarantine")}
    verdict.figures["attempts handed on"] = fold.handed_on.total()
    verdict.figures["candidates that came back"] = fold.requeued.total()
    _check_labs(history.ledger, fold, verdict)
    _check_receipts(history.ledger, fold, quarantined, verdict)
    _check_acknowledged(history.ledger, fold, quarantined, verdict)
    _check_twin(history, fold, verdict)
    _check_run(history, fold, verdict)
    return verdict


def _families(pool: PoolArrays) -> dict[str, str]:
    return {which: pool.families[code] for which, code in zip(pool.candidate_ids, pool.family_codes, strict=True)}


def _journal(database: sqlite3.Connection, history: History, verdict: Verdict) -> Iterator[tuple[int, str, Json]]:
    """Read the journal; check numbers, chain and what was seen of it before (I7, I1)."""
    before, digests = "0" * 64, {}
    rows = database.execute("SELECT sequence, kind, payload, digest FROM journal ORDER BY sequence")
    for expected, (number, kind, payload, digest) in enumerate(rows, 1):
        if number != expected:
            verdict.blame("I7", f"row {expected} of the journal is missing")
            break
        before = hashlib.sha256(f"{before}|{number}|{kind}|{payload}".encode()).hexdigest()
        if digest != before:
            verdict.blame("I7", f"row {number} of the journal does not follow from the one before")
            break
        digests[number] = digest
        yield number, kind, json.loads(payload)
    verdict.figures["journal rows"] = len(digests)
    for number, digest in history.witnessed:
        if digests.get(number) != digest:
            verdict.blame("I1", f"row {number} of the journal was committed, and it is gone or another one now")
            break


def _folded(
    journal: Sequence[tuple[int, str, Json]], history: History, families: Mapping[str, str] | None, verdict: Verdict
) -> Fold:
    """Fold the journal, and propose every decision again on what it was based on (I2, I3, I6, I8, I11)."""
    fold = Fold(families)
    again: dict[int, list[Json]] = defaultdict(list)
    if history.policy is not None and history.pool is not None:
        for _, kind, event in journal:
            if kind in {"DecisionMade", "PolicyExhausted"}:
                again[event["based_on"]].append(event)
    for number, kind, event in journal:
        for invariant, evidence in fold.step(number, kind, event):
            verdict.blame(invariant, evidence)
        for made in again.get(number, ()):
            if made["decision"] == len(fold.decisions):
                _propose_again(fold, made, history, verdict)
            else:
                verdict.blame("I6", f"decision {made['decision']} is based on row {number}, before the one before it")
    return fold


def _propose_again(fold: Fold, made: Json, history: History, verdict: Verdict) -> None:
    assert history.pool is not None
    assert history.policy is not None
    context, count = fold.context(history.pool)
    proposal = history.policy.propose(context, count)
    names = [context.pool.candidate_ids[choice.index] for choice in proposal.choices]
    chosen = list(made.get("candidate_ids", ()))  # the end of all asking chose none
    verdict.figures["decisions proposed again"] += 1
    if made["seed"] != context.seed:
        verdict.blame("I6", f"decision {made['decision']} has seed {made['seed']}, expected {context.seed}")
    if names != chosen:
        verdict.blame("I6", f"decision {made['decision']} chose {chosen}; proposed again: {names}")
    for found, choice in zip(made.get("scores", ()), proposal.choices, strict=False):
        if not _same(found, choice.score):
            verdict.blame("I6", f"decision {made['decision']} has score {found}; proposed again: {choice.score}")


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None or not math.isfinite(other):
        return one is None and (other is None or not math.isfinite(other))
    return math.isclose(one, other, rel_tol=SCORE_TOLERANCE, abs_tol=SCORE_TOLERANCE)


def _joint_entropy(point: BiasPoint) -> float | None:
    """H(g) + H(y | g), of the families with a defined entropy."""
    rows = [(n, h) for n, h in zip(point.sizes, point.entropies, strict=True) if h is not None]
    shares = [n / sum(n for n, _ in rows) for n, _ in rows]
    of_families = -sum(share * math.log(share) for share in shares)
    return of_families + sum(share * h for share, (_, h) in zip(shares, rows, strict=True)) if rows else None


def _check_views(
    database: sqlite3.Connection, journal: Sequence[tuple[int, str, Json]], fold: Fold, verdict: Verdict
) -> None:
    """Compare dataset, requests, outbox and bias trajectory with the fold (I4)."""
    found = database.execute(
        "SELECT candidate_id, sequence, family, value, unit, source, attempt_id FROM observation ORDER BY sequence, 1"
    ).fetchall()
    expected = sorted(fold.observations, key=lambda row: (row[1], row[0]))
    if fold.families is None:
        found = [(*row[:2], None, *row[3:]) for row in found]
    _compare("the dataset", found, expected, verdict)
    columns = ("attempt_id", "candidate_id", "decision", "attempt", "recipient", "sequence", "outcome")
    query = f"SELECT {', '.join(columns)}, closed_sequence FROM request ORDER BY attempt_id"
    requests = sorted((tuple(made.row.values()) for made in fold.tries.values()), key=lambda row: row[0])
    _compare("the requests", database.execute(query).fetchall(), requests, verdict)
    for (attempt_id,) in database.execute("SELECT attempt_id FROM outbox"):
        if attempt_id not in fold.tries:
            verdict.blame("I4", f"the outbox holds {attempt_id}, which was never requested")
    points = [
        number
        for number, kind, event in journal
        if kind in POINTS and fold.of_target(event.get("candidate_id", "start set"))
    ]
    rows = database.execute("SELECT observation, sequence FROM bias_point ORDER BY observation").fetchall()
    _compare("the bias trajectory", rows, list(enumerate(points)), verdict)
    if fold.families is not None and points:
        _check_bias(database, fold, verdict)


def _check_bias(database: sqlite3.Connection, fold: Fold, verdict: Verdict) -> None:
    """Measure the last point of the trajectory again, from nothing."""
    assert fold.families is not None
    if not all(row[3] is not None and math.isfinite(row[3]) for row in fold.observations):
        return  # I11 has said so
    names = tuple(sorted(set(fold.families.values())))
    dataset = fold.dataset()
    codes = np.array([names.index(family) for family, _ in dataset], dtype=np.int64)
    point = measure_bias(names, codes, np.array([value for _, value in dataset]), fold.measure)
    last = database.execute(
        "SELECT entropy_range, entropy_std, mean_gap, evenness, coverage, joint_entropy, starved_family FROM bias_point"
        " ORDER BY observation DESC LIMIT 1"
    ).fetchone()
    known = [h for h in point.entropies if h is not None]
    widths = [math.exp(h - max(known)) for h in known]
    shares = [width / sum(widths) for width in widths]
    even = -sum(p * math.log(p) for p in shares if p) / math.log(len(shares)) if len(shares) > 1 else None
    covered = sum(size > 4 for size in point.sizes) / len(names)
    expected = (point.entropy_range, point.entropy_std, point.mean_gap, even, covered, _joint_entropy(point))
    if not all(map(_same, last[:6], expected)) or last[6] != point.starved_family:
        verdict.blame("I4", f"the last bias point is {last}, measured again {expected}, {point.starved_family}")
    rows = database.execute("SELECT family, size, entropy FROM bias_family ORDER BY observation")
    latest = {family: (size, entropy) for family, size, entropy in rows}
    for family, size, entropy in zip(names, point.sizes, point.entropies, strict=True):
        found = latest.get(family, (0, None))
        if found[0] != size or not _same(found[1], entropy):
            verdict.blame("I4", f"family {family} is shown as {found}, measured again {(size, entropy)}")


def _compare(what: str, found: Sequence[Any], expected: Sequence[Any], verdict: Verdict) -> None:
    if list(found) != list(expected):
        odd = [row for row in found if row not in expected][:2], [row for row in expected if row not in found][:2]
        verdict.blame("I4", f"{what} differs from the journal: {len(found)} rows of {len(expected)}; {odd}")


def _check_labs(ledger: Sequence[Entry], fold: Fold, verdict: Verdict) -> None:
    """At most one evaluation of an attempt, and no request that the journal does not know (I2, I3)."""
    began: Counter[tuple[str, str]] = Counter()
    ended: Counter[tuple[str, str]] = Counter()
    for entry in ledger:
        if entry.what == "asked":
            made = fold.tries.get(entry.attempt)
            if made is None or made.candidate.partition("--")[0] != entry.candidate:
                verdict.blame("I3", f"{entry.lab} was asked for {entry.attempt}, which is not in the journal")
            elif made.recipient not in {"any", entry.lab}:
                verdict.blame("I3", f"{entry.lab} was asked for {entry.attempt}, which went to {made.recipient}")
        began[entry.lab, entry.attempt] += entry.what == "began"
        ended[entry.lab, entry.attempt] += entry.what in {"evaluated", "failed"}
    by_attempt: Counter[str] = Counter()
    for (lab, attempt), times in began.items():
        if times > 1:
            verdict.blame("I2", f"{lab} evaluated {attempt} {times} times")
        by_attempt[attempt] += times > 0
        verdict.unknown["evaluations without an end"] += max(0, times - ended[lab, attempt])
    verdict.figures["evaluations"] = sum(began.values())
    for attempt, labs in by_attempt.items():
        if labs > 1 and attempt in fold.tries and fold.tries[attempt].recipient != "any":
            verdict.blame("I2", f"{labs} labs evaluated {attempt}, which went to one of them")
        elif labs > 1:
            verdict.figures["shared requests evaluated by two labs"] += 1


def _check_receipts(ledger: Sequence[Entry], fold: Fold, quarantined: set[str], verdict: Verdict) -> None:
    """Every receipt is covered by the journal, with the very content that was sent; nothing else is in it (I1, I9).

    What a stranger sent in a lab's name, or what was damaged on its way, is refused in a receipt as well: of the first
    the lab never sent the message, of the second the quarantine has the copy.
    """
    sent: dict[tuple[str, str], set[str]] = defaultdict(set)
    written: dict[tuple[str, str], set[str]] = defaultdict(set)
    confirmed: set[tuple[str, str]] = set()
    labs = {entry.lab for entry in ledger if entry.lab != BROKER}
    for entry in ledger:
        key = (entry.lab, entry.attempt)
        if entry.what == "sending":
            sent[key].add(entry.digest)
            written[key].add(entry.message)
        elif entry.what == "sent":
            confirmed.add(key)
        elif entry.what == "receipt" and entry.message and entry.message not in written[key]:
            verdict.figures["receipts of what the lab never sent"] += 1
            if entry.status != "refused":
                verdict.blame("I9", f"{entry.lab} hears {entry.status} of {entry.message}, which it never sent")
        elif entry.what == "receipt":
            _check_receipt(entry, sent[key], fold, quarantined, verdict)
    verdict.unknown["answers sent and not confirmed"] = len(set(sent) - confirmed)
    for attempt, events in fold.answers.items():
        for kind, event in events:
            verdict.figures[kind] += 1
            if event["simulator"] in labs and not _was_sent(kind, event, sent[event["simulator"], attempt]):
                verdict.blame("I9", f"{kind} of {attempt} by {event['simulator']}, who never sent it")


def _check_withdrawn(entry: Entry, made: Try | None, verdict: Verdict) -> None:
    """An attempt is withdrawn by itself, and only when nobody waits for it (I14)."""
    if made is None or not made.row["outcome"]:
        verdict.blame("I14", f"{entry.lab} is told that nobody waits for {entry.attempt}, and the journal does")


def _check_receipt(entry: Entry, sent: set[str], fold: Fold, quarantined: set[str], verdict: Verdict) -> None:
    """The receipt of an answer that its lab sent, or the withdrawal of an attempt."""
    if entry.status == "withdrawn":
        _check_withdrawn(entry, fold.tries.get(entry.attempt), verdict)
        return
    if entry.status == "refused" and quarantined and not _refused(entry, fold):
        verdict.figures["receipts of what was damaged"] += 1
        return
    verdict.figures["receipts"] += 1
    shared = entry.attempt in fold.tries and fold.tries[entry.attempt].recipient == "any"
    problem = _uncovered(entry, sent, fold.answers.get(entry.attempt, []), shared=shared)
    if problem:
        verdict.blame("I1", f"{entry.lab} has a receipt ({entry.status}) for {entry.attempt}: {problem}")


def _refused(entry: Entry, fold: Fold) -> bool:
    """Tell whether the journal has this answer of the lab, and that it was refused."""
    return any(
        event["simulator"] == entry.lab
        and _fits("refused", kind, event)
        and (not entry.message or event.get("message_id") in {None, "", entry.message})
        for kind, event in fold.answers.get(entry.attempt, ())
    )


def _fits(status: str, kind: str, event: Json) -> bool:
    """Tell whether an event can be what a receipt of a status is of; a failure of the lab's own is no refusal."""
    is_refusal = bool(event.get("refused")) or event.get("reason") == REFUSED
    return kind in RECEIPTS.get(status, ()) and (is_refusal or status != "refused")


def _uncovered(entry: Entry, sent: set[str], events: Sequence[tuple[str, Json]], *, shared: bool) -> str:
    """Return why a receipt has no ground in the journal, or nothing.

    A shared request may reach a second lab when its sender does not know what became of it (DECISIONS.md 2); that
    lab's answer is then the duplicate of another one's.
    """
    if not sent:
        return "it sent no answer"
    only_failures = sent <= set(_FAILURES)
    mine = [(kind, event) for kind, event in events if event["simulator"] == entry.lab]
    if entry.status == "late" and only_failures:
        return ""  # a failure that nobody waits for any more changes nothing, by rule
    if shared and entry.status == "duplicate" and any(event["simulator"] != entry.lab for _, event in events):
        return ""
    if entry.status in {"contradicts", "late", "refused"} and len(mine) >= MOST_KEPT:
        return ""  # further ones are only counted, by rule
    if not any(_fits(entry.status, kind, event) and _was_sent(kind, event, sent) for kind, event in mine):
        return f"the journal has {[kind for kind, _ in events] or 'nothing'} for it"
    return ""


def _was_sent(kind: str, event: Json, sent: set[str]) -> bool:
    """Tell whether the content of an event is one that its lab sent."""
    if kind == "AttemptFailed":
        if event["reason"] != REFUSED:
            return any(_FAILURES.get(digest) == event["reason"] for digest in sent)
        if not event.get("quantities"):
            return bool(sent - set(_FAILURES))
    return _content_of(event) in sent


def _content_of(event: Json) -> str:
    """Return the digest of what a result in the journal says."""
    content = json.dumps([[each["name"], each["value"], each["unit"]] for each in event["quantities"]])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _check_acknowledged(ledger: Sequence[Entry], fold: Fold, quarantined: set[str], verdict: Verdict) -> None:
    """What the agent told the broker to forget is in its journal, or in its quarantine (I1)."""
    for entry in ledger:
        if entry.lab == BROKER and entry.what == "told" and fold.controlled_at.get(entry.attempt) != entry.life:
            at = fold.controlled_at.get(entry.attempt)
            verdict.blame("I1", f"an operator was told that control {entry.attempt} is row {entry.life}; it is {at}")
        verdict.figures["receipts of controls"] += entry.lab == BROKER and entry.what == "told"
        if entry.lab != BROKER or entry.what != "acknowledged" or entry.digest in quarantined:
            continue
        places = {"result": fold.answered_at, "control": fold.controlled_at}.get(entry.status)
        if places is None or (entry.status == "control" and min(fold.finished_at, fold.noted_enough) <= entry.life):
            continue  # a late failure, and a control after the end or that changes nothing, by rule
        if places.get(entry.attempt, math.inf) > entry.life:
            verdict.blame(
                "I1", f"{entry.status} {entry.attempt} was acknowledged and not committed before (row {entry.life})"
            )


def _check_twin(history: History, fold: Fold, verdict: Verdict) -> None:
    """The decisions are those of an undisturbed run (I5)."""
    if history.twin is None:
        return
    made = [list(event["candidate_ids"]) for event in fold.decisions]
    twin = [list(names) for names in history.twin]
    verdict.figures["decisions compared with the twin"] += len(made)
    if history.stopped_early or not fold.finished:
        twin = twin[: len(made)]
    for number, (ours, theirs) in enumerate(zip(made, twin, strict=False)):
        if ours != theirs:
            verdict.blame("I5", f"decision {number} chose {ours}; undisturbed: {theirs}")
            return
    if len(made) != len(twin):
        verdict.blame("I5", f"{len(made)} decisions; undisturbed: {len(twin)}")


def _check_run(history: History, fold: Fold, verdict: Verdict) -> None:
    """What was seen of the run itself: bad messages, queues, end, shutdowns (I9, I10, I12, I13)."""
    for what in history.touched:
        verdict.blame("I9", what)
    for name, (most, bound) in history.gauges.items():
        if most > bound:
            verdict.blame("I10", f"{name} reached {most}, its bound is {bound}")
    ending = history.ending
    if ending is not None and (ending.seconds is None or not fold.finished):
        verdict.blame("I12", f"not ended {ending.bound_s:.0f} s after the faults; {ending.seen}")
    elif ending is not None and ending.seconds is not None and ending.seconds > ending.bound_s:
        verdict.blame("I12", f"ended {ending.seconds:.0f} s after the faults, allowed are {ending.bound_s:.0f} s")
    for what in history.kept_back:
        verdict.blame("I12", f"an answer has no receipt long after the faults: {what}")
    for shutdown in history.shutdowns:
        if shutdown.seconds > SHUTDOWN_BOUND_S:
            verdict.blame("I13", f"{shutdown.who} took {shutdown.seconds:.1f} s to end")
        if shutdown.undone:
            verdict.blame("I13", f"{shutdown.who} ended and left undone: {shutdown.undone}")


POINTS: Final = frozenset(
    {"StartSetLoaded", "ResultAccepted", "ObservationAdded", "ObservationRetracted", "ObservationAmended"}
)
"""Events with which the dataset changes."""

SHUTDOWN_BOUND_S: Final = 5.0
"""A service that takes longer is killed by many a supervisor."""
