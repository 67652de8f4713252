"""The campaigns of a broker that a language model may read: what their agents say there, without their past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from protocols.link.credentials import ANYBODY, OBSERVER
from scenarios.broker.url import broker_at, operators_of
from scenarios.mcp_server.shelf import MAX_LISTED, Reached, unknown_run
from scenarios.watch.broker.listener import BrokerListener
from scenarios.watch.broker.source import KEY_ENDING, BrokerSource, key_of
from scenarios.watch.reading.source import Source
from scenarios.watch.state.runs import RunCard


class BrokerShelf:
    """Campaigns of a broker.

    Args:
        url: Of the broker, without a password.

    Raises:
        BrokerError: When it cannot be reached.
        SettingsError: When the URL is none.
    """

    def __init__(self, url: str) -> None:
        broker = broker_at(url)
        self._url = url
        self._listener = BrokerListener(broker.as_part(OBSERVER, *operators_of(broker), ANYBODY))
        try:
            self._listener.start()
        except BaseException:
            self._listener.close()
            raise

    def cards(self) -> list[RunCard]:
        """Return the campaigns, each with how it stands."""
        return [BrokerSource(self._listener, name).card() for name in self._names()[:MAX_LISTED]]

    @contextmanager
    def opened(self, key: str) -> Iterator[Source]:
        """Hold a campaign for reading."""
        yield BrokerSource(self._listener, self._name(key))

    def reached(self, key: str) -> Reached:
        """Return how a campaign is reached."""
        _ = self._name(key)
        return Reached(broker=self._url)

    def close(self) -> None:
        """Leave the broker."""
        self._listener.close()

    def _names(self) -> list[str]:
        with self._listener.view() as known:
            return list(known.known())

    def _name(self, key: str) -> str:
        names = self._names()
        name = key.removesuffix(KEY_ENDING)
        if not name and len(names) == 1:
            return names[0]
        if name not in names:
            raise unknown_run(key, [key_of(each) for each in names])
        return name
