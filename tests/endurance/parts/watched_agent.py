"""The command `entropilot agent`, which also tells how long its queues are; a process of its own.

    WATCHED_AGENT=FILE python -m tests.endurance.parts.watched_agent agent SCENARIO …

A thread writes one JSON line a time to the file: resident memory and the length of everything that could grow. With
WATCHED_AGENT_TRACE=1 it also writes, beside the file, where memory was taken since the first sample (tracemalloc).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil

import scenarios.run.run
from agent.loop import Agent
from scenarios.cli.app import main

EVERY_S: Final = 0.5
TRACE_AFTER_S: Final = 20.0
"""When the first picture of the memory is taken: after the warm-up."""
TRACE_FRAMES: Final = 5


def gauges(agent: Agent) -> dict[str, int]:
    """Return the length of every queue; 0 for what this version does not have."""
    link: Any = agent._transport
    while hasattr(link, "_inner"):  # the recording's and the signatures' are around it
        link = link._inner
    campaign = agent.campaign
    return {
        "inbox": len(agent.inbox),
        "receipts on their way": len(agent.outbound.pending),
        "sends": len(agent.outbound.tasks),
        "unconfirmed requests": len(agent.outbound.unconfirmed),
        "confirmations": len(agent.outbound.confirmed),
        "deadlines": len(agent._deadlines._heap),
        "in flight": len(campaign.in_flight),
        "link inbox": link._incoming.qsize(),
        "publishes awaited": len(link._unconfirmed),
    }


def watch(agent: Agent, path: Path) -> None:
    """Write samples until the process ends."""
    process = psutil.Process()
    trace = os.environ.get("WATCHED_AGENT_TRACE") == "1"
    began, first = time.monotonic(), None
    with path.open("a", encoding="utf-8") as file:
        while True:
            with contextlib.suppress(RuntimeError):  # something changed its size while it was counted
                row = {"t": time.monotonic() - began, "rss": process.memory_info().rss, **gauges(agent)}
                file.write(json.dumps(row) + "\n")
                file.flush()
            if trace and time.monotonic() - began > TRACE_AFTER_S:
                now = tracemalloc.take_snapshot()
                first = first or now
                top = now.compare_to(first, "traceback")[:15]
                told = ("\n".join([str(each), *each.traceback.format()]) for each in top)
                path.with_suffix(".trace").write_text("\n\n".join(told))
                time.sleep(TRACE_AFTER_S)
            time.sleep(EVERY_S)


def install(path: Path) -> None:
    """Watch every agent that the command puts together."""
    parts: Any = scenarios.run.run
    assembled = parts.assemble_agent

    @contextlib.contextmanager
    def watched(*args: Any, **options: Any) -> Iterator[Agent]:
        with assembled(*args, **options) as agent:
            threading.Thread(target=watch, args=(agent, path), daemon=True).start()
            yield agent

    parts.assemble_agent = watched


if __name__ == "__main__":
    if os.environ.get("WATCHED_AGENT_TRACE") == "1":
        tracemalloc.start(TRACE_FRAMES)
    install(Path(os.environ["WATCHED_AGENT"]))
    main(sys.argv[1:])
