"""Feeds spoilt messages to a live campaign and to a simulator, and holds every one against a second opinion.

    python -m tests.property.fuzz --messages 1000000 --jobs 2

After each message either it was refused (then it changed nothing: the state's bytes are the same, no event, no receipt,
one count and one quarantine row with a reason of the closed vocabulary), or it was taken. What is taken must be right
in the eyes of a reader that shares no code with the codec: Python's own JSON reader without its leniencies, the
published JSON Schemas, and the topic spelled out again. What it changed must be what it said.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
import tempfile
import time
from array import array
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from jsonschema import Draft202012Validator

from agent.acquisition.baselines import UniformRandom
from agent.campaign.events import CampaignStarted, ResultAccepted, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import NOTHING_RETAINED, DeadlinePassed, Transaction, TransactionBuilder
from agent.store.store import storable
from protocols.errors import MessageError
from protocols.link.transport import Delivery
from protocols.storage.database import sqlite_url
from protocols.wire.codec import decode_payload, encode, topic_of
from protocols.wire.messages import AnyMessage, ControlAction, FailureReason, Health, ReceiptStatus, Status
from protocols.wire.topics import ANY_SIMULATOR, Channel, parse, removes_retained
from simulators.executors.in_place import InPlaceExecutor
from simulators.outbox import Outbox
from simulators.service import SimulatorService, _Transaction
from simulators.settings import SimulatorSettings
from tests.property.mutations import MUTATIONS, Mail, mutated
from tests.support.campaigns import NOW, control, failure_of, quantity, result_of, small_plan, small_pool, value_of
from tests.support.evaluators import Constant

SIMULATORS: Final = ("simulator-1", "simulator-2")
POOL: Final = small_pool(60)
PLAN: Final = small_plan(
    POOL, budget=50, parallel=6, batch=2, ordering=Ordering.AS_COMPLETED, recipients=SIMULATORS, give_up_after=1_000
)
REASONS: Final = frozenset({
    "oversize", "not_json", "unknown_type", "unknown_version", "invalid", "unknown_topic", "foreign_campaign",
    "wrong_topic", "unknown_attempt", "wrong_sender", "stale",
})  # fmt: skip
"""The closed vocabulary of the quarantine."""

CHANNELS: Final = {
    "candidate_request": "request", "candidate_result": "result", "candidate_failure": "failure",
    "result_receipt": "receipt", "metrics_report": "metrics", "status": "status", "control": "control",
    "control_receipt": "receipt", "campaign_state": "campaign",
}  # fmt: skip
SCHEMAS: Final = Path(__file__).resolve().parents[2] / "protocols" / "schema" / "v1"
VALIDATORS: Final = {
    name: Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))
    for name in CHANNELS
}
NEW_CAMPAIGN_EVERY: Final = 5_000

STEER_EVERY: Final = 40
"""A good message every so often carries the campaign on, so that no state is fuzzed for ever."""


class Unlawful(Exception):
    """A message was taken that should not have been, or left a trace that it should not have left."""


@dataclass(slots=True)
class Tally:
    """What became of the messages."""

    messages: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    taken_after: Counter[str] = field(default_factory=Counter)
    """Mutation -> how many of its messages were taken: those that left the meaning whole, or made another good one."""
    campaigns: int = 0
    nanoseconds: array[int] = field(default_factory=lambda: array("q"))
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in another job's."""
        self.messages += other.messages
        self.outcomes += other.outcomes
        self.taken_after += other.taken_after
        self.campaigns += other.campaigns
        self.nanoseconds.extend(other.nanoseconds)
        self.violations += other.violations


class LiveCampaign:
    """A campaign in mid-life, in memory: attempts in flight, answered, failed, expired, and candidates abandoned."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        ledger = Ledger(POOL)
        messages = MessageBuilder(PLAN, evaluation_deadline_s=60.0, clock=lambda: NOW)
        self.maker = TransactionBuilder(
            ledger,
            policy_runner=InlinePolicyRunner(UniformRandom()),
            make_request=messages.request,
        )
        self.campaign = ledger.campaign
        step = Transaction()
        self.maker.fold(step, CampaignStarted(PLAN, began_at=NOW))
        self.maker.fold(step, StartSetLoaded(("c000", "c001"), (value_of("c000"), value_of("c001"))))
        self.maker.settle(step)
        for _ in range(8):
            self.carry_on()

    def carry_on(self) -> None:
        """Let something good happen."""
        attempts = list(self.campaign.in_flight.values())
        step = Transaction()
        if self.campaign.phase is Phase.PAUSED:
            self.maker.take(step, _delivery(_mail(control(ControlAction.RESUME))))
        elif attempts:
            attempt = self._rng.choice(attempts)
            item: Delivery | DeadlinePassed = _delivery(_mail(result_of(attempt)))
            chance = self._rng.random()
            if chance < 0.15:
                item = DeadlinePassed(attempt.attempt_id)
            elif chance < 0.3:
                item = _delivery(_mail(failure_of(attempt, self._rng.choice(list(FailureReason)))))
            self.maker.take(step, item)
        self.maker.settle(step)

    def state(self) -> bytes:
        """Return everything that the campaign knows, as bytes."""
        known = {name: value for name, value in vars(self.campaign).items() if name != "pool"}
        return pickle.dumps((known, vars(self.maker.ledger.meter), self.maker.ledger.observation))

    def some_mail(self) -> list[Mail]:
        """Return good messages of now: two thirds would change the campaign, the others are repetitions or hints."""
        attempts = list(self.campaign.attempts.values())
        flying = list(self.campaign.in_flight.values()) or attempts
        one, any_one = self._rng.choice(flying), self._rng.choice(attempts)
        candidate = self._rng.choice(POOL.candidate_ids)
        messages: list[AnyMessage] = [
            result_of(one),
            result_of(one, quantity(self._rng.uniform(-12, 12)), quantity(1.0, name="volume", unit="Å^3")),
            failure_of(one, self._rng.choice(list(FailureReason))),
            result_of(any_one),
            failure_of(any_one),
            control(self._rng.choice(list(ControlAction)), candidate, quantity=quantity(self._rng.uniform(-12, 12))),
            control(ControlAction.STOP, sent_at=NOW - timedelta(hours=1)),
            Status(
                campaign="demo",
                message_id="s",
                sent_at=NOW,
                client=one.recipient,
                role="simulator",
                health=Health.ONLINE,
            ),
            self.request_of(one),
        ]
        return [_mail(message) for message in messages]

    def request_of(self, attempt: Any) -> AnyMessage:
        """Return an attempt's request."""
        message: AnyMessage = decode_payload(self.maker.request(attempt).payload)
        return message

    def words(self) -> tuple[str, ...]:
        """Return names that mean something here."""
        return (*self.campaign.attempts, *POOL.candidate_ids[:9], *SIMULATORS, ANY_SIMULATOR, "demo", "other", "pause")


def fuzz_agent(count: int, seed: int, tally: Tally) -> None:
    """Feed spoilt messages to live campaigns."""
    rng = random.Random(seed)
    live, mails, before = LiveCampaign(rng), [], b""
    for number in range(count):
        if live.campaign.phase is Phase.FINISHED or number % NEW_CAMPAIGN_EVERY == 0:
            live, tally.campaigns, before = LiveCampaign(rng), tally.campaigns + 1, b""
        if number % STEER_EVERY == 0:
            live.carry_on()
            before = b""
        if not before:
            mails, words, before = live.some_mail(), live.words(), live.state()
        name, mail = mutated(rng.choice(mails), mails, words, rng)
        step = Transaction()
        try:
            began = time.perf_counter_ns()
            live.maker.take(step, _delivery(mail))
            tally.nanoseconds.append(time.perf_counter_ns() - began)
            disposition = _judge(step, mail, live, unchanged=live.state() == before)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.violations.append(
                f"agent, seed {seed}, message {number} ({name}): {error!r}: {mail[0]!r} {mail[1][:300]!r}"
            )
            live, disposition, before = LiveCampaign(rng), "violation", b""
        tally.messages += 1
        tally.outcomes[disposition] += 1
        tally.taken_after[name] += not disposition.startswith("quarantined")
        if step.events:
            live.maker.settle(Transaction())
            before = b""


def _judge(step: Transaction, mail: Mail, live: LiveCampaign, *, unchanged: bool) -> str:
    """Return what became of a message.

    Raises:
        Unlawful: When it should not have.
    """
    _require(len(step.deliveries) == 1, "the message is not acknowledged")
    _require(bool(step.events) != unchanged, "the state changed without an event, or an event changed nothing")
    _require(sum(step.counts.values()) == (not step.statuses), f"counts {step.counts}")
    for told in step.control_receipts:
        heard_on = parse(mail[0])
        _require(heard_on.channel is Channel.CONTROL, "a control's receipt for what is none")
        _require((heard_on.campaign, heard_on.client) == (PLAN.campaign, told.operator), "a stranger's receipt")
    if step.quarantined:
        (row,) = step.quarantined
        _require(row.reason in REASONS, f"reason {row.reason}")
        _require(unchanged and not step.statuses, "a refused message left a trace")
        _require_refusal(step, row.topic)
        storable(row.topic).encode()
        _require(len(storable(row.detail)) <= 500, "an endless reason")
        return f"quarantined: {row.reason}"
    if removes_retained(*mail):
        _require(unchanged and not step.receipts and not step.statuses, "an empty status left a trace")
        return NOTHING_RETAINED
    content = lawful(*mail)
    kind = content["type"]
    _require(content["campaign"] == PLAN.campaign, "the message of another campaign")
    if kind in {"candidate_result", "candidate_failure"}:
        attempt = live.campaign.attempts[content["attempt_id"]]
        _require(attempt.candidate_id == content["candidate_id"], "the answer of another candidate")
        _require(attempt.recipient == content["simulator"], "the answer of another simulator")
        _require([r.attempt_id for r in step.receipts] == [attempt.attempt_id], "not its own receipt, once")
    else:
        _require(not step.receipts, "a receipt for what has none")
    for event in step.events:
        if isinstance(event, ResultAccepted):
            (measured,) = [q for q in content["quantities"] if q["name"] == PLAN.property_name]
            _require(measured["unit"] == PLAN.unit and -10 <= measured["value"] <= 10, "against the plan's contract")
            _require(live.campaign.values[POOL.index_of[event.candidate_id]] == measured["value"], "another value")
    return f"{kind}: {step.receipts[0].status.value if step.receipts else 'changed' if step.events else 'nothing new'}"


def _require_refusal(step: Transaction, topic: str) -> None:
    """Check that nobody but the device of the topic hears of a refused message, and only that it is refused."""
    if step.receipts:
        (receipt,) = step.receipts
        _require(receipt.status is ReceiptStatus.REFUSED, "a receipt that does not refuse")
        heard_on = parse(topic)
        _require(heard_on.channel in {Channel.RESULT, Channel.FAILURE}, "a receipt for what is no answer")
        _require((heard_on.campaign, heard_on.client) == (PLAN.campaign, receipt.simulator), "a stranger's receipt")


def lawful(topic: str, payload: bytes) -> dict[str, Any]:
    """Read a message that was taken, as a stranger to the codec would.

    Raises:
        Unlawful: When it should have been refused.
    """
    try:
        text = payload.decode("utf-8")
        content = json.loads(text, object_pairs_hook=_no_repetition, parse_constant=_no_constant)
        text.encode("utf-8")
    except ValueError as error:
        raise Unlawful(f"taken, and no JSON: {error}") from None
    _require(len(payload) <= 65_536, "taken, and too large")
    kind = content.get("type")
    _require(kind in CHANNELS and content.get("protocol") == 1, "taken, and of no known type and version")
    errors = {".".join(map(str, error.path)): error.message[:200] for error in VALIDATORS[kind].iter_errors(content)}
    sent_at = content.get("sent_at")
    if isinstance(sent_at, str) and (_is_number(sent_at) or _has_zone(sent_at)):
        errors.pop("sent_at", None)  # a label: the schema says in words which other spellings are taken today
    _require(not errors, f"taken, against its schema: {errors}")
    client = content.get("simulator") or content.get("client")
    levels = topic.split("/")
    _require(levels[:2] == ["entropilot", "v1"] and levels[2] == content["campaign"], "taken, on a foreign topic")
    _require(levels[3] == CHANNELS[kind], "taken, on the topic of another type")
    _require(levels[4:] == ([client] if client else levels[4:5]), "taken, on the topic of another device")
    result: dict[str, Any] = content
    return result


def fuzz_simulator(count: int, seed: int, tally: Tally) -> None:
    """Feed spoilt requests and receipts to a simulator's request path."""
    rng = random.Random(seed)
    live = LiveCampaign(rng)
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox.open(sqlite_url(Path(folder) / "simulator-1.db"))
        service = SimulatorService(
            SimulatorSettings(id="simulator-1", evaluator="tests.support.evaluators:Constant"),
            campaign="demo",
            outbox=outbox,
            transport=None,  # type: ignore[arg-type]  # nothing is sent here
            executor=InPlaceExecutor(Constant()),
            clock=lambda: NOW,
        )
        for number in range(count):
            if number % STEER_EVERY == 0:
                mails, words = live.some_mail(), live.words()
            name, mail = mutated(rng.choice((mails[-1], mails[-1], rng.choice(mails))), mails, words, rng)
            step = _Transaction()
            refused = sum(n for disposition, n in service.counts.items() if disposition.startswith("refused"))
            try:
                service._take(step, _delivery(mail))
                refused = (
                    sum(n for disposition, n in service.counts.items() if disposition.startswith("refused")) - refused
                )
                _require(refused in {0, 1} and not (refused and step.changes), "refused and taken")
                _require(len(step.changes) == len(service.waiting) <= 1, "something else is waiting")
                if not refused:
                    lawful(*mail)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                tally.violations.append(
                    f"simulator, seed {seed}, message {number} ({name}): {error!r}: {mail[0]!r} {mail[1][:300]!r}"
                )
            service.waiting.clear()
            tally.messages += 1
            tally.outcomes["simulator: " + ("refused" if refused else "taken" if step.changes else "nothing new")] += 1
        outbox.close()


def fuzz_topics(count: int, seed: int, tally: Tally) -> None:
    """Parse spoilt topics: each is spelled again as it was, or refused."""
    rng = random.Random(seed)
    mails = LiveCampaign(rng).some_mail()
    for number in range(count):
        topic = rng.choice(mails)[0]
        for _ in range(rng.randint(1, 3)):
            topic = MUTATIONS["topic"]((topic, b""), mails, (), rng)[0]
        try:
            spelled = str(parse(topic))
        except MessageError as error:
            spelled = topic if error.reason == "unknown_topic" else error.reason
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            spelled = repr(error)
        if spelled != topic:
            tally.violations.append(f"topic, seed {seed}, number {number}: {topic!r}: {spelled}")
        tally.messages += 1


def fuzz(count: int, seed: int) -> Tally:
    """Fuzz all three: of ten messages eight go to the agent, one to a simulator, one is a topic."""
    tally = Tally()
    fuzz_agent(count * 8 // 10, seed, tally)
    fuzz_simulator(count // 10, seed + 1, tally)
    fuzz_topics(count - count * 8 // 10 - count // 10, seed + 2, tally)
    return tally


def main() -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the first block")
    parser.add_argument("--block", type=int, default=20_000, help="messages of one seed")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    began, total = time.monotonic(), Tally()
    seeds = [given.seed + 10 * number for number in range(-(-given.messages // given.block))]
    with ProcessPoolExecutor(given.jobs) as pool:
        for number, tally in enumerate(pool.map(fuzz, [given.block] * len(seeds), seeds), 1):
            total.add(tally)
            if number % 5 == 0:
                print(f"{total.messages:,} messages, {time.monotonic() - began:.0f} s", flush=True)
    p50, p99, p100 = np.quantile(np.array(total.nanoseconds), (0.5, 0.99, 1.0)) / 1e3
    figures = {
        "messages": total.messages,
        "campaigns": total.campaigns,
        "taken": sum(
            n for disposition, n in total.outcomes.items() if not disposition.startswith(("quarantined", "simulator"))
        ),
        "quarantined": sum(n for disposition, n in total.outcomes.items() if disposition.startswith("quarantined")),
        "p50_us": round(float(p50)),
        "p99_us": round(float(p99)),
        "max_us": round(float(p100)),
        "violations": len(total.violations),
        "seconds": round(time.monotonic() - began),
    }
    for disposition, number in sorted(total.outcomes.items()):
        print(f"  {disposition:48s}{number:>12,}")
    print("taken after:", ", ".join(f"{name} {number:,}" for name, number in total.taken_after.most_common()))
    print(json.dumps(figures))
    if given.json:
        given.json.write_text(json.dumps(figures) + "\n")
    for violation in total.violations[:20]:
        print(f"VIOLATION {violation}")
        again = f"--seed {violation_seed(violation)} --messages {given.block} --block {given.block} --jobs 1"
        print(f"again: python -m tests.property.fuzz {again}")
    return 1 if total.violations else 0


def violation_seed(violation: str) -> int:
    """Return the seed of the block in which a violation came up."""
    where, seed = (
        violation.split(", seed ", maxsplit=1)[0],
        int(violation.split(", seed ")[1].split(",", maxsplit=1)[0]),
    )
    return seed - {"agent": 0, "simulator": 1, "topic": 2}[where]


def _delivery(mail: Mail) -> Delivery:
    return Delivery(*mail, retain=False, qos=1, ack_token=None)


def _mail(message: AnyMessage) -> Mail:
    return topic_of(message, recipient=SIMULATORS[0]), encode(message)


def _require(held: object, complaint: str) -> None:
    if not held:
        raise Unlawful(complaint)


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _has_zone(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    _require(len(content) == len(pairs), "taken, with a repeated key")
    return content


def _no_constant(name: str) -> float:
    raise Unlawful(f"taken, with {name}")


if __name__ == "__main__":
    sys.exit(main())
