"""The real agent on a real database file, over the bus in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from agent.acquisition.baselines import UniformRandom
from agent.campaign.plan import CampaignPlan
from agent.loop import Agent
from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.recorder import RunRecorder
from agent.runtime.resume import begin, remember
from agent.runtime.transaction import TransactionBuilder
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Will
from protocols.recording.recorded_transport import RecordedTransport
from protocols.recording.writer import RecordingWriter
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.wire.messages import Health
from protocols.wire.topics import agent_subscriptions
from tests.support.campaigns import NOW, SENT_AT, value_of
from tests.support.memory_bus import MemoryBus
from tests.support.stored_campaigns import START, opened


@contextmanager
def agent_on(
    bus: MemoryBus,
    folder: Path,
    pool: Pool,
    plan: CampaignPlan,
    *,
    instance: str = "agent-1",
    maker: type[TransactionBuilder] = TransactionBuilder,
    signing: Signing = UNSIGNED,
    **options: Any,
) -> Iterator[Agent]:
    """Begin or resume a campaign in a folder, with its recording, and release its files afterwards."""
    with (
        closing(opened(folder / "campaign.db", pool)) as store,
        closing(PoisonMessageGuard(folder / "agent.in_process")) as poison_guard,
        closing(RecordingWriter(folder / RECORDING, {"campaign": plan.campaign})) as recording,
    ):
        start = [(which, value_of(which)) for which in START if which in pool.index_of]
        begin(store, pool, plan, start, versions={}, now=SENT_AT)
        stored = remember(store, pool)
        messages = MessageBuilder(plan, evaluation_deadline_s=60.0, clock=lambda: NOW, instance=instance)
        policy_runner = InlinePolicyRunner(UniformRandom())
        will = signing.will(Will(*messages.status(Health.OFFLINE)))
        link = bus.transport(instance, agent_subscriptions(plan.campaign), will=will)
        transport = RecordedTransport(SignedTransport(link, signing), recording)
        yield Agent(
            maker=maker(
                stored,
                policy_runner=policy_runner,
                make_request=messages.request,
            ),
            store=store,
            transport=transport,
            policy_runner=policy_runner,
            messages=messages,
            now=lambda: SENT_AT,
            poison_guard=poison_guard,
            write_ahead=RunRecorder(recording, transport.write_taken, store).write_ahead,
            **({"request_timeout_s": 600.0} | options),
        )
