"""`entropilot broker tidy`, as a person sees it: what is there, a question, what was removed."""

from __future__ import annotations

import sys

from protocols.errors import BrokerError, SettingsError
from protocols.wire.topics import PREFIX
from scenarios.broker.leftovers import Leftovers, chosen, leftovers_in
from scenarios.broker.retained import retained_on
from scenarios.broker.tidy import Removed, remove
from scenarios.broker.url import broker_at
from scenarios.display.console import show, tell


def tidy_at_a_terminal(url: str, campaigns: frozenset[str], client_ids: tuple[str, ...], *, yes: bool) -> None:
    """Show what old campaigns left on a broker, ask, and remove it.

    Args:
        url: The broker.
        campaigns: The only campaigns that are meant; every one without.
        client_ids: Further clients whose sessions are to be ended.
        yes: Whether to remove without asking.

    Raises:
        SettingsError: When nobody can be asked.
        BrokerError: When the broker cannot be reached, or does not let something be removed.
    """
    broker = broker_at(url)
    wanted, live = chosen(leftovers_in(retained_on(broker, (f"{PREFIX}/#",))), campaigns)
    for each in live:
        tell(f"left alone: {each.campaign}, whose {', '.join(each.online)} says that it is there; name it to tidy it")
    if not wanted and not client_ids:
        show("There is nothing to tidy.")
        return
    for each in wanted:
        show(in_words(each))
    for client_id in client_ids:
        show(f"the session of {client_id}, and whoever is connected as it")
    if not yes and not _agrees():
        show("Nothing was removed.")
        return
    removed = remove(broker, wanted, client_ids)
    show(
        f"Removed {removed.topics} retained messages and ended {removed.sessions} sessions, as far as they were there."
    )
    _require_all(removed)


def in_words(leftovers: Leftovers) -> str:
    """Return a line about what a campaign left."""
    sessions = ", ".join(leftovers.client_ids)
    there = f" ({', '.join(leftovers.online)} says that it is there)" if leftovers.online else ""
    return f"{leftovers.campaign}{there}: {len(leftovers.topics)} retained messages; sessions, if kept: {sessions}"


def _agrees() -> bool:
    if not sys.stdin.isatty():
        raise SettingsError(
            "Nobody can be asked here whether all this is to be removed",
            expected="a terminal, or --yes",
            action="look through the list, then run it again with --yes",
        )
    tell("Remove all this? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _require_all(removed: Removed) -> None:
    if removed.refused:
        raise BrokerError(
            f"{len(removed.refused)} could not be removed: {removed.refused[0]}",
            expected="the right to publish on these topics, and to connect under these ids",
            action="run it as a user whom the broker's access list lets do that",
        )
