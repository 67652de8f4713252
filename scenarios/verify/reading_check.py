"""Is the table of a run still read as its journal says: the same rows left out, folded, merged and converted?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.campaign.events import CampaignStarted
from protocols.errors import EntropilotError
from protocols.tables.account import Account
from scenarios.verify.part import CheckedPart
from scenarios.verify.whole_pool import WholePool, bounded_world

READING: Final = "reading"
"""Name of the part."""


def check_reading(folder: Path, started: CampaignStarted, whole: WholePool) -> CheckedPart | None:
    """Compare what the journal says of the reading with that of today; None where there is nothing to compare.

    Another reading of the same pool is no fault of the run: the table got a row that is left out, or another version
    tells it in other words. So it is a note.

    Args:
        folder: The run folder; it is only read.
        started: How its campaign began.
        whole: Its pool, where it was made again already.
    """
    then, now = started.reading, whole.reading
    if not then and not now:
        return None
    if now is None:
        try:
            world = bounded_world(folder, started.plan)
        except EntropilotError as error:
            return CheckedPart(READING, len(then), note=f"the table was not read again: {error.found.rstrip('.')}")
        now = world.account
    return CheckedPart(READING, len(then), note=_difference(then, now))


def _difference(then: Account, now: Account) -> str:
    """Return the first entry that only one of two readings has, in words; empty where they are the same."""
    gone = next((f"then: {entry}" for entry in then if entry not in now), "")
    new = next((f"today: {entry}" for entry in now if entry not in then), "")
    told = " ".join(filter(None, (gone, new)))
    return f"the table is read otherwise today. {told}" if told else ""
