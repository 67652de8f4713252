"""A page beside a run, and a client that asks it as a browser would."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

import httpx

from tests.support.commands import Part, Workbench, until

ADDRESS: Final = re.compile(r"The page: (http://\S+?/)#token=([\w-]+)")

PATIENCE_S: Final = 60.0
"""How long an answer may take on a loaded machine [s]."""


@dataclass(slots=True)
class Page:
    """A server of the page that runs.

    Attributes:
        part: Its process.
        url: Where it is, with a slash at its end.
        token: Of its start.
    """

    part: Part
    url: str
    token: str

    @property
    def client(self) -> httpx.Client:
        """Ask with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    def get(self, path: str, **parameters: Any) -> Any:
        """Return what a path of the API answers as JSON."""
        with self.client as client:
            answer = client.get(f"api/{path}", params=parameters)
            assert answer.is_success, answer.text
            return answer.json()

    def order(self, key: str, **body: Any) -> httpx.Response:
        """Give an order."""
        with self.client as client:
            return client.post(f"api/runs/{key}/controls", json=body)

    def answer_to(self, key: str, message_id: str) -> dict[str, Any]:
        """Wait until an order has its answer, and return it."""
        found: list[dict[str, Any]] = []

        def has_come() -> bool:
            found[:] = [
                each
                for each in self.get(f"runs/{key}/controls")
                if each["message_id"] == message_id and each["status"] != "sent"
            ]
            return bool(found)

        until(has_come, f"no answer to {message_id}")
        return found[0]


@dataclass(slots=True)
class Told:
    """An event of a stream."""

    name: str
    content: Any
    id: str | None = None


@dataclass(slots=True)
class Stream:
    """Somebody who watches, in a thread.

    Attributes:
        events: What was told, in order.
        status: Of HTTP; 0 before the answer.
        has_ended: Whether the stream is over.
        left: Set when nobody watches any more.
    """

    events: list[Told] = field(default_factory=list)
    status: int = 0
    has_ended: bool = False
    left: threading.Event = field(default_factory=threading.Event)

    def all_of(self, name: str) -> list[Any]:
        """Return what every event of a name told."""
        return [each.content for each in self.events if each.name == name]

    @property
    def observations(self) -> list[int]:
        """Return the observations that were told, in order."""
        return [int(row[0]) for points in self.all_of("points") for row in points["rows"]]

    @property
    def last_id(self) -> str | None:
        """Return what a browser would come back with."""
        return next((each.id for each in reversed(self.events) if each.id is not None), None)

    def wait_for(self, condition: Callable[[Self], bool], otherwise: str) -> Self:
        """Wait until something was told."""
        try:
            until(lambda: condition(self), otherwise)
        except AssertionError as error:
            raise AssertionError(f"{error}; told: {[each.name for each in self.events[-20:]]}") from None
        return self

    def follow(self, page: Page, key: str, last_id: str | None) -> None:
        """Take what comes until the end."""
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        try:
            with page.client as client, client.stream("GET", f"api/runs/{key}/events", headers=headers) as answer:
                self.status = answer.status_code
                self._take(answer.iter_lines())
        except httpx.HTTPError:
            pass
        self.has_ended = True

    def _take(self, lines: Iterator[str]) -> None:
        told = Told("message", None)
        for line in lines:
            if self.left.is_set():
                return
            name, _, text = line.partition(": ")
            if name == "event":
                told.name = text
            elif name == "id":
                told.id = text
            elif name == "data":
                told.content = json.loads(text)
            elif not line and told.content is not None:
                self.events.append(told)
                told = Told("message", None)


@contextmanager
def watched(page: Page, key: str, last_id: str | None = None) -> Iterator[Stream]:
    """Watch a run from a thread."""
    stream = Stream()
    thread = threading.Thread(target=stream.follow, args=(page, key, last_id), daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        stream.left.set()  # it ends with the next event, and one comes every second
        thread.join(PATIENCE_S)


def open_page(bench: Workbench, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Page:
    """Start a page on a free port, and wait until it says where it is."""
    port = () if "--port" in arguments else ("--port", "0")
    part = bench.start("watch", *arguments, *port, "--no-browser", env=environment)
    until(lambda: "#token=" in part.printed or part.process.poll() is not None, f"no address: {part.said}")
    found = ADDRESS.search(part.printed)
    assert found is not None, part.printed + part.said
    return Page(part, found[1], found[2])
