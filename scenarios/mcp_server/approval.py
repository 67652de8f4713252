"""A person approves a proposal: reads at a terminal what would be done, and types the code that stands there.

The code is drawn here, shown on the terminal and nowhere else: it is in no file, no answer and no log, so that whoever
only reads and writes (a language model, a page) cannot know it. It holds for what was shown, which is carried out from
memory, not read again. Where there is no terminal nothing is approved, whatever is said.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from protocols.errors import EntropilotError, SettingsError
from protocols.wire.messages import cut
from scenarios.control.control import ControlRequest, Outcome, control
from scenarios.control.place import Place, place_of_run, place_on_broker
from scenarios.display.console import visible
from scenarios.mcp_server.proposal import Proposal, one_line
from scenarios.mcp_server.proposals import ProposalFolder
from scenarios.watch.reading.find import open_run

LETTERS: Final = "ACDEFHJKLMNPQRTUVWXY347"
"""What codes are made of: nothing that reads like another."""

CODE_LENGTH: Final = 5
"""Letters of a code: one guess in six million, and there is one guess."""

TERMINAL: Final = "/dev/tty"
"""The terminal itself, whatever standard input and output are."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approves, and how the order goes out.

    Attributes:
        operator: Who; None for the user of this system.
        keys: A file of keys, to sign with.
        timeout_s: How long the order waits for its receipt [s].
    """

    operator: str | None = None
    keys: Path | None = None
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a person reads and types.

    Attributes:
        out: What is written there is shown.
        read: Returns the line that was typed; empty at the end.
    """

    out: TextIO
    read: Callable[[], str]


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Open the terminal of this process.

    Raises:
        SettingsError: When it has none.
    """
    try:
        with open(TERMINAL, encoding="utf-8") as typed, open(TERMINAL, "w", encoding="utf-8") as shown:  # noqa: PTH123
            yield Terminal(shown, typed.readline)
            return
    except OSError:
        pass
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            "There is no terminal here",
            expected="a person at a terminal, who reads what is proposed and types the code that stands there",
            action="open a terminal and run the command there",
        )
    yield Terminal(sys.stderr, sys.stdin.readline)


def approve(
    folder: ProposalFolder, named: str, approver: Approver, screen: Terminal, *, code: str | None = None
) -> tuple[Proposal, Outcome]:
    """Show a proposal, ask for the code, and give the order when it is right.

    Args:
        folder: Where proposals are.
        named: Which: its id, or the beginning of it.
        approver: Who approves.
        screen: Where that one reads and types.
        code: What has to be typed; by default drawn at random.

    Raises:
        SettingsError: When it waits no longer, is too old, or another code was typed; nothing is sent then.
        EntropilotError: When the campaign cannot be reached.
    """
    proposal = folder.get(named)
    _require_waiting(proposal)
    place = _place(proposal, folder.path.parent, approver)
    wanted = code or "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    screen.out.write(shown(proposal, place.operator, _rows_since(proposal)))
    screen.out.write(f"\n  To give this order type {wanted} and Enter; anything else leaves it waiting: ")
    screen.out.flush()
    if screen.read().strip().upper() != wanted:
        raise SettingsError(
            "Another code was typed: nothing is sent, and the proposal still waits",
            expected="the letters that stood in the terminal",
            action=f"`entropilot proposals approve {proposal.id[:8]}` asks again, with another code",
        )
    reason = f"{proposal.reason} (proposed by {proposal.proposer or 'a language model'})".strip()
    request = ControlRequest(proposal.wanted, cut(visible(reason)), proposal.id, approver.timeout_s)
    request.require_possible()
    outcome = control(request, place)
    told = outcome.answers[0]
    is_settled = told.fate.value in {"accepted", "duplicate", "refused"}
    words = f"{told.fate.value}{': ' if told.detail else ''}{told.detail}"
    after = proposal.decided(
        "approved" if is_settled else "waiting", words, now=datetime.now(UTC), operator=place.operator, row=told.row
    )
    folder.write(after)
    return after, outcome


def reject(folder: ProposalFolder, named: str, why: str, operator: str) -> Proposal:
    """Say no to a proposal, which needs no code: nothing is carried out.

    Raises:
        SettingsError: When there is none of this name, or it is decided already.
    """
    proposal = folder.get(named)
    if proposal.state != "waiting":
        raise _decided(proposal)
    after = proposal.decided(
        "rejected", why or "a person rejected it", now=datetime.now(UTC), operator=operator, row=None
    )
    folder.write(after)
    return after


def shown(proposal: Proposal, operator: str, rows_since: int | None) -> str:
    """Return what a person reads before the code: everything that will be done, and who says so; a line for each."""
    since = "" if not rows_since else f" ({rows_since} rows of the journal have come since)"
    where = proposal.folder or f"{proposal.broker}"
    lines = (
        f"Proposal {proposal.id[:8]}, made {proposal.made_at:%Y-%m-%d %H:%M} UTC{since}",
        f"  campaign   {proposal.campaign} ({where})",
        f"  order      {proposal.in_words}",
        f"  given by   {operator}",
        f"  proposer   {proposal.proposer or 'did not say its name'} (as it calls itself)",
        f"  it says    {proposal.reason or 'nothing'}",
    )
    return "".join(f"{one_line(line)}\n" for line in lines)


def _require_waiting(proposal: Proposal) -> None:
    if proposal.state != "waiting":
        raise _decided(proposal)
    if proposal.is_over(datetime.now(UTC)):
        raise SettingsError(
            f"The proposal {proposal.id[:8]} is of {proposal.made_at:%Y-%m-%d %H:%M} UTC, and too old",
            expected="one of the last 24 hours",
            action="have it made again, if it is still right",
        )


def _decided(proposal: Proposal) -> SettingsError:
    return SettingsError(
        f"The proposal {proposal.id[:8]} is {proposal.state} already: {proposal.outcome}", expected="one that waits"
    )


def _place(proposal: Proposal, runs: Path, approver: Approver) -> Place:
    """Return where the order goes, if it is still the campaign that it was proposed for.

    Raises:
        SettingsError: When another campaign is there by now.
        EntropilotError: When it cannot be reached.
    """
    if proposal.folder is None:
        return place_on_broker(
            str(proposal.broker), proposal.campaign, scenario=None, operator=approver.operator, keys=approver.keys
        )
    source = open_run(Path(proposal.folder))
    try:
        uid = source.campaign().uid
    finally:
        source.close()
    if uid != proposal.uid:
        raise SettingsError(
            f"{proposal.folder} holds another campaign by now, {uid}",
            expected=f"the one that the order was proposed for, {proposal.uid}",
            action=f"`entropilot proposals reject {proposal.id[:8]}`",
        )
    place = place_of_run(proposal.folder, runs, approver.operator, approver.keys)
    if place.campaign != proposal.campaign:
        raise SettingsError(
            f"{proposal.folder} leads to the campaign {place.campaign!r}",
            expected=f"the one that is proposed for, {proposal.campaign!r}",
            action=f"`entropilot proposals reject {proposal.id[:8]}`",
        )
    return place


def _rows_since(proposal: Proposal) -> int | None:
    if proposal.folder is None:
        return None
    try:
        source = open_run(Path(proposal.folder))
    except EntropilotError:
        return None
    try:
        return source.version() - proposal.sequence
    finally:
        source.close()
