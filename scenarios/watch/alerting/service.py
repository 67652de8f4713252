"""The loop of `entropilot alerts`: look, find what is new, hand it to whoever is to be told, and look again.

Telling happens in a few threads, so that a server that hangs delays neither the next look nor another one's alert; they
are daemons, so that no end waits for them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from protocols.errors import EntropilotError, StoreError
from protocols.storage.atomic_file import atomic_write
from scenarios.observe.alerts.delivery import NotTold, tell
from scenarios.observe.alerts.occurrences import Alert, Occurrences, Remembered
from scenarios.observe.alerts.outbox import AlertOutbox, Delivery
from scenarios.observe.alerts.settings import AlertSettings, Destination
from scenarios.observe.figures import RunFigures

TELLERS: Final = 4
"""Destinations that are told at once."""

Look = Callable[[], Iterable[RunFigures]]
"""Returns the figures of all runs."""

OnEvent = Callable[..., Any]


class AlertService:
    """Looks and tells until it is asked to end.

    Args:
        settings: On what, and to whom.
        look: Returns the figures of all runs.
        memory: File that outlives the process; None keeps nothing.
        on_event: Called with a name and fields, for the log.
        is_dry: Whether alerts are only logged: nobody is told, and nothing is kept.
        tell_one: Tells one destination.
    """

    def __init__(
        self,
        settings: AlertSettings,
        look: Look,
        *,
        memory: Path | None,
        on_event: OnEvent,
        is_dry: bool = False,
        tell_one: Callable[[Alert, Destination], None] = tell,
    ) -> None:
        self._settings = settings
        self._look = look
        self._memory = None if is_dry else memory
        self._on_event = on_event
        self._is_dry = is_dry
        self._tell_one = tell_one
        self._outbox = AlertOutbox()
        remembered = read_memory(self._memory)
        self._occurrences = Occurrences(settings.on, remembered)
        self._outbox.resume(remembered.pending, settings.to, time.monotonic())
        self._told: queue.SimpleQueue[tuple[Delivery, str | None]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._kept = ""
        self._under_way = 0

    def request_shutdown(self) -> None:
        """End soon; may be called from anywhere, a signal's handler included."""
        self._ending.set()
        self._told.put((NOBODY, None))

    def run(self) -> None:
        """Look and tell until asked to end."""
        while not self._ending.is_set():
            due = time.monotonic() + self._settings.every_s
            self.look_once()
            while not self._ending.is_set() and time.monotonic() < due:
                self._start_due()
                self._note_one(due)

    def run_once(self) -> None:
        """Look once, and try once to tell what is new, or was not told before; the memory keeps what is left."""
        self.look_once()
        tried = 0
        while self._under_way or (tried < self._outbox.waiting and self._outbox.wait_s(time.monotonic()) == 0.0):
            tried += self._start_due()
            self._note_one(time.monotonic() + self._settings.every_s)

    def look_once(self) -> None:
        """Look at all runs, and put what is new on its way."""
        try:
            figures = list(self._look())
        except EntropilotError as error:  # such as a folder that is away just now
            self._on_event("cannot_look", reason=str(error))
            return
        alerts = self._occurrences.look(figures, time.time())
        for alert in alerts:
            self._on_event("alert", **alert.model_dump(mode="json"))
        if not self._is_dry:
            self._outbox.put(alerts, self._settings.to, time.monotonic())
        self._remember()

    def _start_due(self) -> int:
        """Start as many tries as may run at once; return how many."""
        due = list(islice(self._outbox.due(time.monotonic()), TELLERS - self._under_way))
        for delivery in due:
            self._under_way += 1
            threading.Thread(target=self._try, args=(delivery,), name="teller", daemon=True).start()
        return len(due)

    def _try(self, delivery: Delivery) -> None:
        try:
            self._tell_one(delivery.alert, delivery.to)
        except NotTold as error:
            self._told.put((delivery, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next one is told
            self._told.put((delivery, f"{type(error).__name__}: {error}"))
        else:
            self._told.put((delivery, None))

    def _note_one(self, until: float) -> None:
        """Wait for what came of a try, until something else is due; note it."""
        now = time.monotonic()
        wait_s = self._outbox.wait_s(now) if self._under_way < TELLERS else None
        timeout_s = max(0.0, until - now if wait_s is None else min(until - now, wait_s))
        try:
            delivery, why = self._told.get(timeout=timeout_s)
        except queue.Empty:
            return
        if delivery is NOBODY:
            return
        self._under_way -= 1
        named = {"to": delivery.to.name, "alert": delivery.alert.id, "kind": delivery.alert.kind}
        if why is None:
            self._outbox.taken(delivery)
            self._on_event("told", **named)
        else:
            again = self._outbox.failed(delivery, time.monotonic())
            self._on_event("not_told", **named, reason=why, again=again, given_up=self._outbox.given_up)
        self._remember()

    def _remember(self) -> None:
        if self._memory is None:
            return
        content = self._occurrences.to_remember(self._outbox.pending()).model_dump_json()
        if content == self._kept:
            return
        try:
            with atomic_write(self._memory) as file:
                file.write(content.encode())
            self._kept = content
        except StoreError as error:  # alerts go on; a restart may tell one twice
            self._on_event("cannot_remember", reason=str(error))


def read_memory(path: Path | None) -> Remembered:
    """Return what an earlier process knew; nothing where there was none.

    Raises:
        StoreError: When the file is something else.
    """
    if path is None or not path.exists():
        return Remembered()
    try:
        return Remembered.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(
            f"{path} is no memory of alerts ({type(error).__name__})",
            expected="the file that `entropilot alerts` wrote",
            action="remove it, and what holds now is told again; or name another one with --memory",
        ) from None


NOBODY: Final[Any] = object()
"""In place of a delivery, so that who waits for one looks whether it is to end."""
