"""A recording or a journal written again with other content, its chain of digests made to fit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.store.standing import GENESIS_DIGEST, chain_digest
from protocols.recording.lines import sealed


def rewrite_recording(path: Path, change: Callable[[int, dict[str, Any]], None]) -> None:
    """Change the lines of a recording.

    Args:
        path: The recording.
        change: Called with the number of each line, the header's is 1, and with the line without its digest.
    """
    digest, written = "", []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        row.pop("digest")
        change(number, row)
        again, digest = sealed(digest, row)
        written.append(again)
    path.write_text("\n".join(written) + "\n", encoding="utf-8")


def rewrite_journal(
    database: sqlite3.Connection, change: Callable[[int, str, dict[str, Any]], None]
) -> list[tuple[str, str]]:
    """Change the events of a journal; return kind and payload of each row.

    Args:
        database: Of a run.
        change: Called with number, kind and content of each row.
    """
    digest, events = GENESIS_DIGEST, []
    rows = database.execute("SELECT sequence, kind, payload FROM journal ORDER BY sequence").fetchall()
    for sequence, kind, payload in rows:
        tree, kept = json.loads(payload), payload
        change(sequence, kind, tree)
        if tree != json.loads(payload):
            kept = json.dumps(tree, separators=(",", ":"), ensure_ascii=False)
        digest = chain_digest(digest, sequence, kind, kept)
        events.append((kind, kept))
        database.execute("UPDATE journal SET payload = ?, digest = ? WHERE sequence = ?", (kept, digest, sequence))
    database.commit()
    return events
