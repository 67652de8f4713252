"""What a session makes of the failures of its connections: whether trying again can help, and which MQTT to try.

A broker that has taken us once is trusted to do so again: what may be a bit that flipped on the way must then be said
twice before it ends a session, and what certificates and greetings say ends none.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import aiomqtt

from protocols.concurrency.daemon_thread import in_daemon_thread
from protocols.link.broker_limits import BrokerLimits
from protocols.link.broker_settings import BrokerAddress, BrokerSettings, MqttVersion
from protocols.link.codes import TAKEN_OVER, UNSPECIFIED, VERSION_NOT_SPOKEN, LinkError, LinkState, code_of, reason_text
from protocols.link.failures import (
    LOOK_AT_IT,
    SAID_NOTHING,
    START_IT,
    UNANSWERED,
    Failure,
    no_broker_answers,
    of_opening,
    of_refusal,
    state_of,
)
from protocols.link.tcp import ENDED
from protocols.link.tls import ENCRYPTED, refuses_our_certificate, speaks_tls, wants_certificate, wants_tls

PROBE_TIMEOUT_S: Final = 3.0
"""How long a broker may take to answer the first MQTT 5 greeting of `auto`: the embedded one says nothing at all to it,
and a person waits. Ten round trips over a satellite."""


class Judge:
    """The failures of one session.

    Args:
        settings: Of the broker.
        address: Where it is.
        client_id: Ours.
    """

    def __init__(self, settings: BrokerSettings, address: BrokerAddress, client_id: str) -> None:
        self.ever_connected = False
        self.version: MqttVersion = MqttVersion.V5 if settings.version is MqttVersion.AUTO else settings.version
        """The MQTT to speak next."""
        self.awaited = ""
        """What the broker has to answer now; nothing once a connection stands."""
        self._settings = settings
        self._address = address
        self._client_id = client_id
        self._was_refused = False
        self._fault = ""
        self._has_asked_tls = False
        self._first_taken: MqttVersion | None = None

    def greets(self) -> None:
        """Note that a connection begins."""
        self.awaited = self._greeting

    def connected(self) -> None:
        """Note that a connection stands."""
        self.ever_connected, self._was_refused, self.awaited = True, False, ""
        self._first_taken = self._first_taken or self.version

    def patience_s(self) -> float:
        """Return how long the broker may take to answer a greeting [s]."""
        probing = self._settings.version is MqttVersion.AUTO and not self.ever_connected
        probe_s = PROBE_TIMEOUT_S if probing and self.version is MqttVersion.V5 else math.inf
        return min(self._settings.publish_timeout_s, self._settings.first_connect_timeout_s, probe_s)

    def require_enough(self, limits: BrokerLimits, filters: tuple[str, ...], *, retains: bool) -> None:
        """Check that what the broker said on connecting is enough for us.

        Args:
            limits: What it said.
            filters: What we subscribe to.
            retains: Whether we publish what is to be retained.

        Raises:
            LinkError: When it is not.
            MqttError: The same, said for the first time by a broker that took us before.
        """
        if (lack := limits.lacks(filters, retains=retains)) is not None:
            self.require_repeated(lack)
            raise LinkError(
                LinkState.LIMITS_TOO_NARROW,
                f"The broker at {self._address} cannot serve a campaign: {lack}",
                expected="one that confirms messages (QoS 1), keeps retained ones and takes filters with + and #",
                action="let its settings allow it, or use another broker",
            )

    def require_repeated(self, refusal: str) -> None:
        """End only the connection at the first refusal of a broker that took us before.

        Raises:
            MqttError: When it is the first one.
        """
        if self._is_first_refusal():
            raise aiomqtt.MqttError(refusal)

    def require_hope(self, failure: Failure, tried_s: float) -> None:
        """Go on only where trying again may help.

        Args:
            failure: Of the last connection.
            tried_s: How long we have tried [s].

        Raises:
            BrokerError: When it cannot, or nobody has answered for too long.
        """
        if self.ever_connected:
            return
        fault = "" if failure.error is None else failure.error.found
        if failure.error is not None and (not failure.must_repeat or self._fault == fault):
            raise failure.error
        self._fault = fault
        if tried_s > self._settings.first_connect_timeout_s:
            raise no_broker_answers(self._address, failure.reason, failure.advice)

    async def of_opening(self, error: OSError) -> Failure:
        """Return why a socket could not be opened."""
        failure = of_opening(error, self._address, self._settings)
        return await self._tls_says() or failure if failure.must_repeat else failure

    async def of_connection(self, error: aiomqtt.MqttError) -> Failure:
        """Return why a connection ended.

        Raises:
            LinkError: When trying again cannot help.
        """
        code = code_of(error)
        refusal = of_refusal(code, self._address, self._client_id)
        if refusal is not None and not self._is_first_refusal():
            raise refusal from None
        if code == TAKEN_OVER:
            raise LinkError(
                LinkState.TAKEN_OVER,
                f"Another client took the id {self._client_id!r} at {self._address}",
                expected="one client of this name",
                action="end the other one, or choose another --campaign or simulator id",
            ) from None
        says_nothing = code < 0 or code == UNSPECIFIED
        if says_nothing and (failure := await self._tls_says()) is not None:
            return failure
        failure = Failure(
            self._in_words(error, code) if says_nothing else f"the broker ended it: {reason_text(code)}",
            advice=LOOK_AT_IT if says_nothing else START_IT,
            state=self._state(error, code, refusal),
        )
        return self._with_next_version(failure, code)

    def _with_next_version(self, failure: Failure, code: int) -> Failure:
        """Choose the MQTT to try next; say so where it is another one.

        A broker without MQTT 5 answers with code 1 or 132, or just closes: so one that never took us is tried with the
        other one in turn. Of one that did only its own word counts, for one that hangs closes as well; and after a link
        that stood we try first what it spoke at first. One that is not there yet says nothing about what it speaks.
        """
        if self._settings.version is not MqttVersion.AUTO:
            return failure
        if not self.awaited:
            self.version = self._first_taken or self.version
            return failure
        if self.ever_connected and code not in VERSION_NOT_SPOKEN:
            return failure
        tried = self.version
        self.version = MqttVersion.V311 if tried is MqttVersion.V5 else MqttVersion.V5
        words = f"{failure.reason}; it may not speak MQTT {tried.value}: next try {self.version.value}"
        return replace(failure, reason=words)

    async def _tls_says(self) -> Failure | None:
        """Return what a server that ends our connections without a word says over TLS.

        Where we speak plainly it may be that TLS is spoken there; over TLS, that it wants another certificate of ours.
        One that never took us is asked once, for a person waits; one that did, when it does not take us any more.
        """
        is_due = self.awaited == self._greeting if self.ever_connected else not self._has_asked_tls
        if not is_due:
            return None
        self._has_asked_tls = True
        address, settings = self._address, self._settings
        error: LinkError | None = None
        if address.scheme in ENCRYPTED:
            if await in_daemon_thread(lambda: speaks_tls(address), discard=lambda _spoken: None):
                error = wants_tls(address)
        elif why := await in_daemon_thread(
            lambda: refuses_our_certificate(address, settings), discard=lambda _why: None
        ):
            error = wants_certificate(address, why, shown=settings.cert_file)
        return None if error is None else Failure.known(error)

    @property
    def _greeting(self) -> str:
        return f"our greeting of MQTT {self.version.value}"

    def _state(self, error: aiomqtt.MqttError, code: int, refusal: LinkError | None) -> LinkState:
        """Return how the state of a link is called whose connection ended."""
        if self._is_unanswered(error):
            return LinkState.SILENT
        return state_of(code) if refusal is None else refusal.state

    def _is_unanswered(self, error: aiomqtt.MqttError) -> bool:
        """Tell whether the broker took a connection and then said nothing."""
        return SAID_NOTHING in str(error) or (bool(self.awaited) and "timed out" in str(error))

    def _is_first_refusal(self) -> bool:
        """Tell whether a broker that took us before refuses us for the first time since: a flipped bit looks so too."""
        first = self.ever_connected and not self._was_refused
        self._was_refused = True
        return first

    def _in_words(self, error: aiomqtt.MqttError, code: int) -> str:
        """Say how a connection ended of whose end the broker has said nothing."""
        if self.awaited and self._is_unanswered(error):
            return UNANSWERED.format(greeting=self.awaited)
        if self.awaited and str(error) == ENDED:
            return f"it ended the connection instead of answering {self.awaited}"
        if code == UNSPECIFIED:
            return ENDED
        return str(error.__cause__ or error) or type(error).__name__
