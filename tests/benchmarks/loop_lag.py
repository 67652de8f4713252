"""How late the event loop is while the policy fits: the fit runs in a child process, so it should hardly notice.

    python -m tests.benchmarks.loop_lag [DECISIONS]

The `uncertainty` policy with 500 training rows, whose decisions take 100 ms and more; the same fits in a thread of the
agent's own process are measured beside it, for what that would cost.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from agent.acquisition.registry import make_policy
from agent.assembly import assemble_agent
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import CampaignStarted, StartSetLoaded
from agent.campaign.state import Campaign
from agent.opening import open_campaign
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.processes.beside import run_beside_lab
from tests.benchmarks.world import settings, start_of, synthetic_pool

PROBE_EVERY_S = 0.002
"""How often the loop's lateness is looked at."""

START_ROWS = 600


async def lateness(found: list[float]) -> None:
    """Collect how late a short sleep ends [s], until cancelled."""
    while True:
        due = time.perf_counter() + PROBE_EVERY_S
        await asyncio.sleep(PROBE_EVERY_S)
        found.append(max(0.0, time.perf_counter() - due))


async def with_child_process(decisions: int) -> tuple[list[float], float]:
    """Run the agent; return the lateness of its loop and the seconds a decision took."""
    pool, terms = synthetic_pool(decisions + 2_000, features=16), settings(decisions, policy="uncertainty")
    found: list[float] = []
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as name:
        async with mosquitto_broker(Path(name) / "mosquitto") as broker:
            with (
                open_campaign(
                    Path(name) / "run",
                    pool=pool,
                    settings=terms,
                    campaign="bench",
                    recipients=("lab-1",),
                    start=start_of(pool, START_ROWS),
                    resume=False,
                ) as files,
                assemble_agent(files, pool=pool, settings=terms, broker=broker, header={}) as agent,
            ):
                probe = asyncio.create_task(lateness(found))
                began = time.perf_counter()
                await run_beside_lab(agent, broker, terms)
                probe.cancel()
    return found, (time.perf_counter() - began) / decisions


async def with_thread(decisions: int) -> list[float]:
    """Return the lateness of a loop beside the same fits in a thread."""
    pool = synthetic_pool(decisions + 2_000, features=16)
    terms = settings(decisions, policy="uncertainty")
    campaign = Campaign(pool)
    plan = terms.plan(campaign="bench", uid="bench", fingerprint="", recipients=("lab-1",), pool=pool)
    start = start_of(pool, START_ROWS)
    campaign.apply(CampaignStarted(plan))
    campaign.apply(StartSetLoaded(tuple(name for name, _ in start), tuple(value for _, value in start)))
    policy = make_policy("uncertainty", {})
    context = make_context(campaign, pool_arrays(pool))
    found: list[float] = []
    probe = asyncio.create_task(lateness(found))
    for _ in range(decisions):
        await asyncio.to_thread(policy.propose, context, 1)
    probe.cancel()
    return found


async def measure(decisions: int) -> None:
    """Measure and print."""
    child, per_decision = await with_child_process(decisions)
    thread = await with_thread(decisions)
    print(f"{decisions} decisions of {per_decision * 1e3:.0f} ms each; lateness of the event loop [ms]")
    print(f"{'':34s}{'median':>9s}{'p99':>9s}{'max':>9s}")
    for name, found in (("fit in a child process (ours)", child), ("the same fit in a thread", thread)):
        figures = np.percentile(np.array(found) * 1e3, [50, 99, 100])
        print(f"{name:34s}" + "".join(f"{figure:9.2f}" for figure in figures))


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
