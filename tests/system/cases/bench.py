"""What the cases share: commands with a bound, a journal that is asked by its own words, a broker, a stranger on it.

A case ends in one of three ways: right (it passes), wrong (an `AssertionError`, which `wrong_today` expects), or
`CannotTell`: what the case needs to judge was not there. That is never taken for wrong or right.
"""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.campaign.events import Event
from protocols.errors import BrokerError
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.support.commands import POLL_S, Finished, Part, Workbench, free_port
from tests.support.processes import started

BOUND_S: Final = 120.0
"""For a command that takes seconds, on a machine that does much else."""

CAMPAIGN: Final = "c"
TOPICS: Final = f"entropilot/v1/{CAMPAIGN}"

OURS: Final = "a fault of Entropilot"
"""How an error begins that nobody foresaw."""


class CannotTell(Exception):
    """The case cannot be judged: something that it needs is not there, or is called otherwise now."""


def wrong_today(issue: int, what: str, *, always: bool = True) -> pytest.MarkDecorator:
    """Mark a case that comes out wrong until an issue is done; a case that comes right then says so.

    Args:
        issue: Its number.
        what: What is wrong.
        always: Whether it comes out wrong however processes race; otherwise one right proves nothing.
    """
    return pytest.mark.xfail(strict=always, raises=AssertionError, reason=f"issue {issue}: {what}")


def wait(condition: Callable[[], bool], what: str, bound_s: float = BOUND_S) -> None:
    """Wait for what a case needs."""
    deadline = time.monotonic() + bound_s
    while not condition():
        if time.monotonic() > deadline:
            raise CannotTell(f"{what}: not within {bound_s:g} s")
        time.sleep(POLL_S)


class Case(Workbench):
    """A folder with a small lab, in which the commands of a case are run.

    Args:
        folder: An empty folder.
    """

    @property
    def run_folder(self) -> Path:
        """Of the campaign that every case has."""
        return self.runs / CAMPAIGN

    def ended(self, *arguments: str | Path, bound_s: float = BOUND_S, **options: Any) -> Finished:
        """Run a command to its end."""
        part = self.start(*arguments, **options)
        self.wait_for_end(part, bound_s)
        return part.finish()

    def wait_for_end(self, part: Part, bound_s: float = BOUND_S) -> None:
        """Wait for the end of a command that a case takes to end."""
        wait(lambda: part.process.poll() is not None, f"it does not end; it said {part.said!r}", bound_s)

    def campaign(self, *more: str) -> tuple[str, ...]:
        """The arguments of `run` for the lab's campaign."""
        return ("run", "lab.toml", "--campaign", CAMPAIGN, "--quiet", *more)

    def must(self, *arguments: str | Path, **options: Any) -> Finished:
        """Run a command that the case only needs: it must succeed."""
        done = self.ended(*arguments, **options)
        if done.code != 0:
            raise CannotTell(f"{arguments} ends with {done.code}: {done.err}")
        return done

    def wait_for_journal(self, kind: type[Event], number: int) -> None:
        """Wait until the journal holds so many events of a kind."""
        wait(self._has_a_journal, "there is no run")
        wait(lambda: self.events(kind) >= number, f"{number} events {kind.__name__}")

    def _has_a_journal(self) -> bool:
        names = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'journal'"
        return (self.run_folder / "campaign.db").exists() and self.number(names) == 1

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the campaign's database; an unknown table or column is no answer."""
        database = self.run_folder / "campaign.db"
        if not database.exists():
            raise CannotTell("there is no database of the run")
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.Error as error:
            raise CannotTell(f"{query}: {error}") from error

    def number(self, query: str) -> int:
        """Ask for one number."""
        return int(self.asked(query)[0][0])

    def events(self, kind: type[Event], where: str = "1") -> int:
        """How many events of a kind the journal holds."""
        return self.number(f"SELECT count(*) FROM journal WHERE kind = '{kind.__name__}' AND {where}")

    def observed(self, where: str = "1") -> int:
        """How many values of the dataset were measured in this campaign."""
        return self.number(f"SELECT count(*) FROM observation WHERE attempt_id IS NOT NULL AND {where}")


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[int]:
    """A Mosquitto of ours; its port."""
    try:
        program = find_mosquitto()
    except BrokerError:
        pytest.skip("Mosquitto is not installed")
    port = free_port()
    usual = (f"listener {port} {LOOPBACK}", "allow_anonymous true", "persistence false", "sys_interval 1")
    (folder / "mosquitto.conf").write_text("\n".join((*usual, *lines)) + "\n")
    said = subprocess.DEVNULL
    with started([program, "-c", folder / "mosquitto.conf"], stdin=said, stdout=said, stderr=said):
        wait(lambda: is_answered(port), "Mosquitto does not listen", 20)
        yield port


def is_answered(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def stranger(port: int, heard: Callable[[paho.Client, str, bytes], None] = lambda *_: None) -> Iterator[paho.Client]:
    """A client of nobody's, that hears the whole campaign.

    Args:
        port: Of the broker.
        heard: Called with the client, topic and payload of what it hears.
    """
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"stranger-{uuid.uuid4().hex[:8]}")
    there = threading.Event()
    client.on_connect = lambda *_: client.subscribe(f"{TOPICS}/#", qos=1) and None
    client.on_subscribe = lambda *_: there.set()
    client.on_message = lambda _client, _data, message: heard(client, message.topic, bytes(message.payload))
    client.connect(LOOPBACK, port)
    client.loop_start()
    try:
        if not there.wait(20):
            raise CannotTell("the stranger is not connected")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def say(client: paho.Client, message: AnyMessage, **options: Any) -> None:
    """Publish a message of the protocol."""
    client.publish(topic_of(message), encode(message), qos=1, **options)


def say_and_wait(client: paho.Client, message: AnyMessage, **options: Any) -> None:
    """Publish a message of the protocol, and wait until the broker has it; not from a callback."""
    client.publish(topic_of(message), encode(message), qos=1, **options).wait_for_publish(20)


def envelope() -> dict[str, Any]:
    """What every message of the campaign has."""
    return {"campaign": CAMPAIGN, "message_id": uuid.uuid4().hex, "sent_at": datetime.now(UTC)}
