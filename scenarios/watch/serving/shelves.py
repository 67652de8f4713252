"""Where the runs are that the server shows: a folder of them, one of them, or a broker; and where orders to them go."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.run_files import LOCK
from protocols.errors import EntropilotError, NoAnswer
from protocols.storage.run_lock import seems_held
from scenarios.control.place import Place, place_of_run, place_on_broker
from scenarios.run.connection import connection_of
from scenarios.watch.broker.listener import BrokerListener
from scenarios.watch.broker.source import KEY_ENDING, BrokerSource, key_of
from scenarios.watch.broker.view import is_there
from scenarios.watch.reading.find import RunRef, card_of_run, find_runs, open_run
from scenarios.watch.reading.shadow import ShadowReader, is_shadow
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.limits import MAX_KEY_SHOWN
from scenarios.watch.serving.refusals import not_found
from scenarios.watch.serving.told import Agent
from scenarios.watch.state.runs import RunCard
from scenarios.watch.state.shadow import ShadowView


@dataclass(frozen=True, slots=True)
class Operator:
    """Who gives orders from here.

    Attributes:
        id: Of that person; None for the user of this system.
        keys: File of that one's keys; None for those that the run uses.
    """

    id: str | None = None
    keys: Path | None = None


class FolderShelf:
    """Runs below a folder, or one run.

    Args:
        runs: Where run folders are.
        only: The one that is meant; None for all.
        database: Of that one, where it is another than its folder says.
        operator: Who gives orders.
    """

    def __init__(
        self, runs: Path, only: Path | None = None, database: str | None = None, operator: Operator | None = None
    ) -> None:
        self._runs = runs
        self._only = only
        self._database = database
        self._operator = operator or Operator()
        self._shadows: dict[str, ShadowReader] = {}
        self._lock = threading.Lock()

    def keys(self) -> Iterable[str]:
        """Return the names of the run folders."""
        return list(self._folders())

    def open(self, key: str) -> Source:
        """Open a run, so that it can be read and nothing is written."""
        return open_run(self._folders()[key], self._database, key)

    def card(self, key: str) -> RunCard:
        """Return the card of a run that nobody has opened; it never raises."""
        folder = self._folders()[key]
        if is_shadow(folder):
            with self._lock:
                return self._shadow(key, folder).card()
        return card_of_run(RunRef(key, folder), self._database)

    def shadow(self, key: str, shown: int | None) -> ShadowView:
        """Return a shadow as it stood after some decisions; None: as it stands.

        Raises:
            EntropilotError: When there is none of this key, or it cannot be read.
        """
        folder = self.folder(key)
        if folder is None or not is_shadow(folder):
            raise _no_shadow(key)
        with self._lock:
            return self._shadow(key, folder).view(shown)

    def folder(self, key: str) -> Path | None:
        """Return the folder of a run."""
        return self._folders().get(key)

    def database(self, key: str) -> str | None:  # noqa: ARG002
        """Return the database of a run, where it is another than its folder says."""
        return self._database

    def agent(self, key: str) -> Agent:
        """Tell whether the agent of a run is there, by its lock."""
        folder = self.folder(key)
        return "unknown" if folder is None else "there" if seems_held(folder / LOCK) else "gone"

    def why_no_control(self, key: str) -> str:
        """Say why no order can be sent to a run; "" where one can."""
        folder = self.folder(key)
        try:
            if folder is None:
                return "There is no such run."
            connection_of(folder)
        except EntropilotError as error:
            return f"{error.found}."
        return ""

    def place(self, key: str) -> Place:
        """Return where orders to a run go.

        Raises:
            NoAnswer: When no agent works there.
            SettingsError: When nobody can operate as that one.
        """
        folder = self.folder(key)
        if folder is None:
            raise NoAnswer(f"There is no run {key} here any more", expected="a run that is at work")
        return place_of_run(str(folder), self._runs, self._operator.id, self._operator.keys)

    def notes(self) -> tuple[str, ...]:
        """Return nothing: a folder needs no words."""
        return ()

    def close(self) -> None:
        """Hold nothing."""

    def _shadow(self, key: str, folder: Path) -> ShadowReader:
        return self._shadows.setdefault(key, ShadowReader(key, folder))

    def _folders(self) -> dict[str, Path]:
        if self._only is not None:
            return {self._only.resolve().name: self._only}
        return {each.key: each.folder for each in find_runs(self._runs)}


class BrokerShelf:
    """The campaigns of a broker.

    Args:
        url: Of it.
        listener: That hears it.
        operator: Who gives orders.
    """

    def __init__(self, url: str, listener: BrokerListener, operator: Operator | None = None) -> None:
        self._url = url
        self._listener = listener
        self._operator = operator or Operator()

    def keys(self) -> Iterable[str]:
        """Return the keys of the campaigns of which an agent has said something."""
        with self._listener.view() as known:
            return [key_of(name) for name in known.known()]

    def open(self, key: str) -> Source:
        """Return the source of a campaign."""
        return BrokerSource(self._listener, key.removesuffix(KEY_ENDING))

    def card(self, key: str) -> RunCard:
        """Return the card of a campaign."""
        return self.open(key).card()

    def shadow(self, key: str, shown: int | None) -> ShadowView:  # noqa: ARG002
        """Refuse: nobody can hear a shadow at a broker.

        Raises:
            Refusal: Always.
        """
        raise _no_shadow(key)

    def folder(self, key: str) -> Path | None:  # noqa: ARG002
        """Return none."""
        return None

    def database(self, key: str) -> str | None:  # noqa: ARG002
        """Return none."""
        return None

    def agent(self, key: str) -> Agent:
        """Tell whether the agent of a campaign is there, by its status."""
        with self._listener.view() as known:
            view = known.campaigns.get(key.removesuffix(KEY_ENDING))
            there = None if view is None else is_there(view.agent)
        return "unknown" if there is None else "there" if there else "gone"

    def why_no_control(self, key: str) -> str:
        """Say why no order can be sent to a campaign; "" where one can."""
        agent = self.agent(key)
        return "" if agent == "there" else f"The agent of the campaign is {'away' if agent == 'gone' else 'not known'}."

    def place(self, key: str) -> Place:
        """Return where orders to a campaign go.

        Raises:
            SettingsError: When nobody can operate as that one.
        """
        name = key.removesuffix(KEY_ENDING)
        return place_on_broker(self._url, name, scenario=None, operator=self._operator.id, keys=self._operator.keys)

    def notes(self) -> tuple[str, ...]:
        """Say what could not be read, and when the broker is away."""
        notes = ["A broker tells how its campaigns stand now: the past begins when this page did."]
        with self._listener.view() as known:
            if known.unreadable:
                notes.append(f"{known.unreadable} messages could not be read.")
        try:
            self._listener.require_up()
        except EntropilotError as error:
            notes.append(str(error))
        return tuple(notes)

    def close(self) -> None:
        """Leave the broker."""
        self._listener.close()


def _no_shadow(key: str) -> EntropilotError:
    return not_found(
        f"There is no shadow {key[:MAX_KEY_SHOWN]!r} here",
        expected="the key of a shadow, as /api/runs lists them",
        action="choose one of the list of runs",
    )
