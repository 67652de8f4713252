"""Carries out the command `alerts`: reads its settings, finds the runs, and looks until it is ended."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from protocols.concurrency.signals import ending_signals
from protocols.settings.layers import toml_layer
from protocols.settings.resolve import resolve
from scenarios.observe.alerts.settings import AlertFile, AlertSettings
from scenarios.watch.alerting.look import Looker
from scenarios.watch.alerting.service import AlertService
from scenarios.watch.watch import WatchRequest, shelf_of

MEMORY: Final = ".alerts.json"
"""File below the folder of runs that says what was told, unless another one is named."""


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """What a command asks for.

    Attributes:
        settings: The TOML file.
        watch: Which runs.
        memory: What was told; None for a file below the folder of runs.
        is_dry: Whether alerts are only shown.
        once: Whether it looks once and ends.
    """

    settings: Path
    watch: WatchRequest
    memory: Path | None = None
    is_dry: bool = False
    once: bool = False


FROM_JOURNAL: Final = frozenset({"paused_itself", "instrument_silent_s", "quarantined_per_minute"})
"""Rules about what only a campaign's journal tells."""


def load_alerts(path: Path) -> AlertSettings:
    """Return the settings of alerts in a file.

    Raises:
        SettingsError: With everything that is wrong in it.
    """
    return resolve(AlertFile, [toml_layer(path)]).settings.alerts


def run_alerts(request: AlertRequest) -> None:
    """Look at runs and tell what they call for, until SIGINT or SIGTERM; a line of JSON for each thing that happens.

    Raises:
        SettingsError: When the settings are wrong.
        StoreError: When there is no such run, or the memory is something else.
        BrokerError: When the broker cannot be reached.
    """
    settings = load_alerts(request.settings)
    shelf = shelf_of(request.watch)
    log = _log_on_stdout()
    if request.watch.broker is not None and (blind := sorted(FROM_JOURNAL & settings.on.model_fields_set)):
        log.warning("rules_not_seen", rules=blind, why="a broker does not tell what they look at; a run folder does")
    try:
        with contextlib.closing(Looker(shelf)) as look:
            service = AlertService(
                settings,
                look,
                memory=request.memory or request.watch.runs / MEMORY,
                on_event=log.info,
                is_dry=request.is_dry,
            )
            if request.once:
                service.run_once()
                return
            with _ending(service):
                service.run()
    finally:
        shelf.close()


@contextlib.contextmanager
def _ending(service: AlertService) -> Iterator[None]:
    """Let the first signal end it in order; a second one does what it did before."""
    before: dict[signal.Signals, Any] = {}

    def end(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        service.request_shutdown()

    for each in ending_signals():
        before[each] = signal.getsignal(each)
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _log_on_stdout() -> Any:
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
