"""Starts the processes beside a benchmark: they find the broker's account in their environment, as the parts do."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

from agent.loop import Agent
from agent.settings import CampaignSettings
from protocols.link.broker_settings import BrokerSettings


async def process_beside(module: str, broker: BrokerSettings, *words: str) -> Process:
    """Start a module of this folder, which is told the broker's URL first; what it prints can be read."""
    address = broker.address()
    account = {"USERNAME": address.username, "VERSION": broker.version.value}
    account["PASSWORD"] = None if address.password is None else address.password.get_secret_value()
    given = {f"ENTROPILOT_BROKER__{name}": value for name, value in account.items() if value is not None}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.benchmarks.processes.{module}", broker.url, *words, stdout=PIPE,
        env=os.environ | given,
    )  # fmt: skip


async def run_beside_lab(agent: Agent, broker: BrokerSettings, terms: CampaignSettings, keys: str = "") -> str:
    """Run an agent to its end beside a lab in another process; return what the lab printed.

    Args:
        agent: Of a campaign with one recipient.
        broker: Where both are.
        terms: Of the campaign.
        keys: The lab's file of keys; empty where nothing is signed.

    Raises:
        ChildProcessError: When the lab ends by itself, for the agent would wait for ever.
    """
    plan = agent.campaign.plan
    words = (plan.campaign, plan.recipients[0], terms.property, terms.unit, str(terms.budget), keys)
    lab = await process_beside("lab", broker, *words)
    printed, running = asyncio.create_task(lab.communicate()), asyncio.create_task(agent.run())
    await asyncio.wait((printed, running), return_when=asyncio.FIRST_COMPLETED)
    if not running.done() and lab.returncode:
        agent.request_shutdown()
        await running
        raise ChildProcessError(f"the lab ended with code {lab.returncode}")
    await running
    output, _ = await printed
    return output.decode()
