"""The nemesis: lets the events of a fault plan strike, one after the other, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.state import Campaign
from protocols.link.memory.policy import Message
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AddedCandidate, AddedResult, Control, ControlAction
from tests.simulation.faults import EVENTS, ORDERS, WEIGHTS
from tests.simulation.forgery import forged_for_agent, forged_for_simulator
from tests.simulation.link import Link
from tests.simulation.lives import AgentProcess
from tests.simulation.signatures import OPERATOR, Forger, enveloped, receiver_of
from tests.simulation.terms import MOST_MORE
from tests.support.campaigns import quantity

if TYPE_CHECKING:
    from tests.simulation.run import Run

MOST_FLOODS = 4
"""Floods in one run: over a slow link forty of them would take minutes to drain, and fill the quarantine's rows, from
where on bad messages are only counted and the checker cannot tell them from lost ones."""

MOST_EVENTS = 40
"""Events in one run: more make it longer and no worse."""

FORGED_SIGNATURES = 0.7
"""Of the forgeries against a campaign that is signed, how many are valid but for their signature."""

SENT_AGAIN = 0.3
"""Of these, how many are genuine messages that are sent again."""


class Nemesis:
    """Strikes at a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._world = run.world
        self._rng = run.world.rng
        self._controls: list[Control] = []
        self._floods = 0
        self.stopped = False
        """An operator stopped the campaign."""
        self._strikes: dict[str, Callable[[], None]] = {
            "cut link": lambda: self._link().cut(),
            "half open": lambda: self._clog("up", "down"),
            "clog up": lambda: self._clog("up"),
            "clog down": lambda: self._clog("down"),
            "swizzle": self._swizzle,
            "broker restart": lambda: self._restart_broker("kept"),
            "broker wiped": lambda: self._restart_broker("wiped"),
            "broker stale": lambda: self._restart_broker("stale"),
            "kill agent": lambda: self._run.kill("agent"),
            "kill simulator": lambda: self._run.kill(self._simulator()),
            "kill all": self._kill_all,
            "stop agent": lambda: self._run.stop("agent"),
            "stop simulator": lambda: self._run.stop(self._simulator()),
            "suspend": self._suspend,
            "wall clock": self._jump,
            "forge": self._forge,
            "pause": lambda: self._control(ControlAction.PAUSE),
            "resume": lambda: self._control(ControlAction.RESUME),
            "exclude": lambda: self._control(ControlAction.EXCLUDE_CANDIDATE, self._candidate()),
            "add": lambda: self._control(ControlAction.ADD_OBSERVATION, self._candidate(), value=1.25),
            "stop campaign": lambda: self._control(ControlAction.STOP),
            "flood": self._flood,
            "add several": self._add_several,
            "add candidates": self._add_candidates,
            "retract": lambda: self._control(ControlAction.RETRACT_OBSERVATION, self._with_value()),
            "amend": lambda: self._control(
                ControlAction.AMEND_OBSERVATION, self._with_value(), value=self._rng.uniform(-11.0, 11.0)
            ),
            "requeue": lambda: self._control(ControlAction.REQUEUE_CANDIDATE, self._closed()),
            "approve": lambda: self._control(ControlAction.APPROVE_DECISION, decision=self._held()),
            "veto": lambda: self._control(ControlAction.VETO_DECISION, decision=self._held()),
            "set budget": self._set_budget,
        }
        assert set(self._strikes) == {*EVENTS, *ORDERS}

    async def run(self) -> None:
        """Strike until the faults are over."""
        faults, loop = self._world.faults, self._world.loop
        until = loop.time() + faults.lasts_s
        weights = [WEIGHTS.get(name, 1.0) for name in faults.events]
        for _ in range(MOST_EVENTS):
            await asyncio.sleep(min(self._rng.expovariate(1 / faults.every_s), max(0.0, until - loop.time())))
            if loop.time() >= until:
                return
            if faults.events:
                event = self._rng.choices(faults.events, weights)[0]
                self._world.trace("strike", event)
                self._world.count(f"event: {event}")
                self._strikes[event]()
        await asyncio.sleep(max(0.0, until - loop.time()))

    def resume(self) -> None:
        """Let the operator end a pause, with a new message."""
        self._send(self._made(ControlAction.RESUME))

    def approve(self, decision: int) -> None:
        """Let the operator approve a decision, with a new message."""
        self._send(self._made(ControlAction.APPROVE_DECISION, decision=decision))

    def _duration_s(self) -> float:
        return self._rng.expovariate(1 / self._rng.choice((1.0, 20.0, 60.0)))

    def _link(self) -> Link:
        return self._run.broker.links[self._rng.choice(sorted(self._run.broker.links))]

    def _simulator(self) -> str:
        return self._rng.choice(self._run.terms.simulators)

    def _candidate(self) -> str:
        return self._rng.choice(self._run.terms.pool.candidate_ids)

    def _later(self, work: Callable[[], None]) -> None:
        self._world.loop.call_later(self._duration_s(), work)

    def _clog(self, *directions: str) -> None:
        name = self._rng.choice(sorted(self._run.broker.links))
        self._run.broker.links[name].clog(*directions)
        self._later(lambda: self._run.broker.links[name].unclog(*directions))

    def _swizzle(self) -> None:
        """Clog links in one order, and unclog them in another."""
        names = sorted(self._run.broker.links)
        self._rng.shuffle(names)
        at = 0.0
        for name in names:
            self._world.loop.call_later(at, partial(self._both, name, clog=True))
            at += self._rng.expovariate(1.0)
        self._rng.shuffle(names)
        for name in names:
            at += self._rng.expovariate(1 / 10)
            self._world.loop.call_later(at, partial(self._both, name, clog=False))

    def _both(self, name: str, *, clog: bool) -> None:
        link = self._run.broker.links[name]
        if clog:
            link.clog("up", "down")
        else:
            link.unclog("up", "down")

    def _restart_broker(self, memory: str) -> None:
        broker = self._run.broker
        if memory == "stale" and not broker.has_snapshot:
            broker.remember()
            return
        if broker.is_up:
            broker.crash(memory)
            self._later(broker.start)

    def _kill_all(self) -> None:
        self._run.broker.crash(self._rng.choice(("kept", "wiped")))
        self._later(self._run.broker.start)
        for name in ("agent", *self._run.terms.simulators):
            self._run.kill(name)

    def _suspend(self) -> None:
        seconds = self._rng.choice((3.0, 60.0, 36_000.0))
        self._world.count("seconds suspended", int(seconds))
        self._world.suspended_s += seconds
        self._world.loop.leap(seconds)

    def _jump(self) -> None:
        self._world.wall_offset = timedelta(days=self._rng.uniform(-20_000, 20_000))
        self._world.furthest_offset = max(self._world.furthest_offset, self._world.wall_offset)

    def _forge(self) -> None:
        run, now = self._run, self._world.clock()
        campaign = run.terms.plan.campaign
        if run.terms.signing.has_keys and self._rng.random() < FORGED_SIGNATURES:
            self._forge_signature()
            return
        if self._rng.random() < 0.7:
            kind, topic, payload = forged_for_agent(self._rng, campaign, run.attempts(), now)
            client = f"{campaign}-agent"
        else:
            name = self._simulator()
            kind, topic, payload = forged_for_simulator(self._rng, campaign, name, now)
            client = f"{campaign}-{name}"
        self._slip_in(kind, client, topic, payload)

    def _forge_signature(self) -> None:
        """Forge what only its signature tells from a genuine message, or send a genuine one again."""
        run, world = self._run, self._world
        campaign, overheard = run.terms.plan.campaign, world.overheard
        if overheard and self._rng.random() < SENT_AGAIN:
            world.count("forged: sent again")
            again = self._rng.choice(overheard)
            if run.broker.is_up:
                run.broker.route("a stranger", Message(again.topic, again.payload))
            return
        forger = Forger(self._rng, run.terms.signing, campaign, overheard)
        kind, topic, payload = forger.forged(self._simulator(), run.attempts(), world.clock())
        self._slip_in(kind, f"{campaign}-{receiver_of(topic)}", topic, payload)

    def _slip_in(self, kind: str, client: str, topic: str, payload: bytes) -> None:
        """Put a message that must change nothing into a client's queue."""
        self._world.count(f"forged: {kind}")
        self._world.bad.add((topic, payload))
        session = self._run.broker.sessions.get(client)
        if session is not None:
            self._run.broker.queue(session, Message(topic, payload))

    def _flood(self) -> None:
        """Give one client the same garbage many times, more than may be unacknowledged."""
        self._floods += 1
        if self._floods > MOST_FLOODS:
            return
        campaign = self._run.terms.plan.campaign
        topic, payload = f"entropilot/v1/{campaign}/result/simulator-1", b'{"flood":1}'
        self._world.bad.add((topic, payload))
        session = self._run.broker.sessions.get(f"{campaign}-agent")
        for _ in range(150 if session is not None else 0):
            assert session is not None
            self._run.broker.queue(session, Message(topic, payload))

    def _campaign(self) -> Campaign | None:
        """Return the state of the agent that lives, or lived last."""
        process = self._run.processes.get("agent")
        return process.agent.campaign if isinstance(process, AgentProcess) else None

    def _one_of(self, *wanted: CandidateStatus) -> str:
        """Return a candidate that stands so now, if there is one; it may stand otherwise when the order arrives."""
        campaign = self._campaign()
        if campaign is None or self._rng.random() < 0.2:
            return self._candidate()
        found = [each for each in campaign.pool.candidate_ids if campaign.status_of(each) in wanted]
        return self._rng.choice(found) if found else self._candidate()

    def _with_value(self) -> str:
        return self._one_of(CandidateStatus.OBSERVED)

    def _closed(self) -> str:
        return self._one_of(CandidateStatus.ABANDONED, CandidateStatus.EXCLUDED, CandidateStatus.RETRACTED)

    def _held(self) -> int:
        campaign = self._campaign()
        waiting = [] if campaign is None else list(campaign.awaiting_approval)
        return self._rng.choice(waiting) if waiting else self._rng.randint(0, 3)

    def _set_budget(self) -> None:
        most = self._run.terms.plan.budget + MOST_MORE
        self._control(ControlAction.SET_BUDGET, budget=self._rng.randint(0, most))

    def _add_several(self) -> None:
        names = self._rng.sample(self._run.terms.pool.candidate_ids, self._rng.randint(1, 3))
        added = tuple(AddedResult(candidate_id=each, quantity=quantity(self._rng.uniform(-9, 10.5))) for each in names)
        self._control(ControlAction.ADD_OBSERVATIONS, quantities=added)

    def _add_candidates(self) -> None:
        pool = self._run.terms.pool
        new = AddedCandidate(
            candidate_id=f"z-{self._world.new_id()}",
            family=self._rng.choice((*pool.families, "alien")),
            features=tuple(self._rng.random() for _ in pool.feature_names),
        )
        self._control(ControlAction.ADD_CANDIDATES, candidates=(new,))

    def _control(
        self, action: ControlAction, candidate: str | None = None, *, value: float | None = None, **fields: Any
    ) -> None:
        """Send a control of the operator; sometimes one of before again, with its id."""
        if self._controls and self._rng.random() < 0.3:
            self._send(self._rng.choice(self._controls))
            return
        made = self._made(action, candidate, value, **fields)
        self._controls.append(made)
        self._send(made)

    def _made(
        self, action: ControlAction, candidate: str | None = None, value: float | None = None, **fields: Any
    ) -> Control:
        return Control(
            campaign=self._run.terms.plan.campaign,
            message_id=self._world.new_id(),
            sent_at=self._world.clock(),
            operator=OPERATOR,
            action=action,
            candidate_id=candidate,
            quantity=None if value is None else quantity(value),
            **fields,
        )

    def _send(self, control: Control) -> None:
        self.stopped = self.stopped or control.action is ControlAction.STOP
        if self._run.broker.is_up:
            topic, payload = topic_of(control), encode(control)
            signing = self._run.terms.signing.part_of(OPERATOR)
            self._run.broker.route("operator", Message(topic, enveloped(signing, topic, payload)))
