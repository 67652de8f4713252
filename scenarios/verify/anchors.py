"""Row and digest of a journal as somebody outside the run folder keeps them: they say what the journal was then.

Every receipt and metrics report names the journal's last row and its digest, which stands for all rows up to it.
Whoever has one can tell later whether a row up to it was changed: the chain then comes to another digest there.

Read are JSON lines (receipts, reports and a log as they were heard, one an object; a topic may stand before it, as
`mosquitto_sub -v` prints it), a recording of somebody else's, `summary.json`, and a simulator's memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from agent.campaign.plan import CampaignPlan
from protocols.errors import StoreError
from protocols.recording.lines import MAX_LINE_BYTES
from protocols.recording.parts import open_parts
from protocols.recording.reader import lines_of
from protocols.storage.regular_file import begins_with, require_regular_file
from protocols.wire.attempt_ids import uid_of
from scenarios.verify.part import CheckedPart
from scenarios.verify.simulator_memory import memory_rows

SQLITE_MAGIC: Final = b"SQLite format 3\0"
"""How every SQLite file begins."""

NAMES: Final = (("row", "journal_rows"), ("digest", "journal_digest"))
"""What messages and logs call row and digest, and what `summary.json` does."""

MAX_WRAPPINGS: Final = 3
"""A message may stand as text in a line of a recording, and there in the envelope of a signature."""


ASK_LAB: Final = "ask whoever could write to the run folder, and restore it from a copy that agrees with the receipts"
"""What to do about a journal that is not what it was."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row of a journal and its digest, where they stand, and of which campaign; empty where that is not told."""

    where: str
    row: int
    digest: str
    campaign: str = ""
    uid: str = ""

    def may_be_of(self, plan: CampaignPlan) -> bool:
        """Tell whether it is not of another campaign."""
        return self.campaign in {"", plan.campaign} and self.uid in {"", plan.uid}


def anchor_in(where: str, told: Mapping[str, Any]) -> Anchor | None:
    """Return row and digest that an object names; None where it names none.

    Args:
        where: Where it stands.
        told: A receipt, a metrics report, a line of a log, a summary.
    """
    row, digest = (told.get(short, told.get(long)) for short, long in NAMES)
    if type(row) is not int or not isinstance(digest, str) or row < 1:
        return None
    campaign, attempt_id = (str(told.get(name, "")) for name in ("campaign", "attempt_id"))
    return Anchor(where, row, digest, campaign, uid_of(attempt_id))


def anchors_in(path: Path) -> Iterator[Anchor]:
    """Yield what a file knows of journals.

    Raises:
        StoreError: When there is no such file, or it cannot be read.
    """
    require_regular_file(path, "file with receipts")
    try:
        yield from _in_memory(path) if begins_with(path, SQLITE_MAGIC) else _in_lines(path)
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{path} cannot be read ({error})", expected="receipts that you may read") from None


def check_anchors(path: Path, anchors: Iterable[Anchor], plan: CampaignPlan, digests: Sequence[str]) -> CheckedPart:
    """Hold what a file knows of a journal against it.

    Args:
        path: The file.
        anchors: What stands in it.
        plan: Of the journal's campaign.
        digests: Of every row of the journal.
    """
    ours = sorted((each for each in anchors if each.may_be_of(plan)), key=lambda each: each.row)
    name = f"anchor {path.name}"
    if not ours:
        problem = f"it names no row and digest of campaign {plan.campaign!r} ({plan.uid})"
        return CheckedPart(name, 0, problem, action="give the receipts that the lab got from this campaign's agent")
    sound = 0
    for number, each in enumerate(ours):
        if problem := other_anchor(each, digests):
            first = f"; the first changed row is one of {sound + 1} to {each.row}" if each.row <= len(digests) else ""
            return CheckedPart(name, number, f"{each.where}: {problem}{first}", action=ASK_LAB)
        sound = each.row
    later = len(digests) - sound
    note = f"sound up to row {sound:,}" + (f"; {later:,} rows came later" if later else "")
    return CheckedPart(name, len(ours), note=note)


def other_anchor(anchor: Anchor, digests: Sequence[str]) -> str:
    """Return how an anchor does not fit a journal, in words; empty when it does."""
    if anchor.row > len(digests):
        return f"it knows row {anchor.row} of a journal that ends at {len(digests)}"
    there = digests[anchor.row - 1]
    if there == anchor.digest:
        return ""
    return f"row {anchor.row} of the journal had the digest {anchor.digest[:12]}…, and has {there[:12]}… now"


def _in_memory(path: Path) -> Iterator[Anchor]:
    with memory_rows(path) as rows:
        for row in rows:
            told = _object(bytes(row.receipt))
            if told is not None and (found := anchor_in(f"the receipt of {row.attempt_id}", told)) is not None:
                yield found


def _in_lines(path: Path) -> Iterator[Anchor]:
    with open_parts(path) as raw:
        whole = _object(raw.read(MAX_LINE_BYTES))  # one object over several lines, as `summary.json` is
        if whole is not None and (found := anchor_in("it", whole)) is not None:
            yield found
            return
    with open_parts(path) as raw:
        lines = lines_of(raw)
        number = 0
        while line := lines.readline(MAX_LINE_BYTES):
            number += 1
            told = _object(line) or _object(line[line.find(b"{") :])
            for each in _messages_in(told, MAX_WRAPPINGS):
                if (found := anchor_in(f"line {number}", each)) is not None:
                    yield found


def _messages_in(told: dict[str, Any] | None, wrappings: int) -> Iterator[dict[str, Any]]:
    """Yield an object, and those that stand in it as text: a recording and an envelope hold messages so."""
    if told is None:
        return
    yield told
    for value in told.values() if wrappings else ():
        if isinstance(value, str) and value.startswith("{"):
            yield from _messages_in(_object(value.encode(errors="replace")), wrappings - 1)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        content = from_json(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
