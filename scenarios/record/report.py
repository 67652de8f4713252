"""What `entropilot record` shows, while it listens and at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.display.console import status_line
from scenarios.record.record import ListenerCounts, RecordRequest

MAX_TOPIC_LENGTH: Final = 60
"""Longest part of a topic that is shown [character]."""

MAX_CHANNELS: Final = 30
"""Channels listed, as many as fit on a screen; the further ones count as one, and the JSON has more of them."""


@contextmanager
def listening(request: RecordRequest, *, quiet: bool) -> Iterator[Callable[[ListenerCounts], None]]:
    """Show how much was heard, in place, as long as a person watches."""
    url = request.broker.redacted_url
    where = f"listening to {url} {', '.join(request.topics)}"
    with status_line(f"connecting to {url} (Ctrl-C ends it)", quiet=quiet) as show:

        def on_progress(heard: ListenerCounts) -> None:
            if not heard.connected:
                return
            counts = f"{where}: {heard.messages:,} messages in {heard.seconds:,.0f} s  "
            show(Text.assemble(counts, (heard.last_topic[:MAX_TOPIC_LENGTH], "dim"), "  (Ctrl-C ends it)"))

        yield on_progress


def record_table(heard: ListenerCounts, path: Path) -> RenderableType:
    """Return what was recorded, by campaign and channel."""
    if not heard.messages:
        return Text(f"Nothing was said in {heard.seconds:,.1f} s; no file was written.")
    table = Table.grid(padding=(0, 2))
    channels = sorted(heard.by_channel.items())
    listed, additional = channels[:MAX_CHANNELS], channels[MAX_CHANNELS:]
    if additional:
        listed.append((f"{len(additional):,} more", sum(count for _, count in additional)))
    for name, count in listed:
        table.add_row(Text(f"  {name}", style="dim"), f"{count:,}")
    parts: list[RenderableType] = [Text(f"{heard.messages:,} messages in {heard.seconds:,.1f} s", style="bold"), table]
    if heard.interruptions:
        parts.append(Text(f"  The link was lost {heard.interruptions} times: what was said meanwhile may be missing."))
    return Group(*parts, Text(f"  {path}"))


def record_json(heard: ListenerCounts, path: Path) -> str:
    """Return the same as JSON."""
    content = {
        "recording": str(path) if heard.messages else None,
        "messages": heard.messages,
        "seconds": round(heard.seconds, 3),
        "interruptions": heard.interruptions,
        "by_channel": dict(sorted(heard.by_channel.items())),
    }
    return json.dumps(content, indent=2)
