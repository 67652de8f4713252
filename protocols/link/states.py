"""The states of a link that does not stand, by name: for logs, scripts and `entropilot doctor`. Pure.

Each ends by itself when its cause is gone: once a broker has taken us, we look again until it does (`judge.py`).
"""

from __future__ import annotations

from enum import StrEnum

from protocols.errors import BrokerError


class LinkState(StrEnum):
    """Why a link does not stand."""

    NAME_UNKNOWN = "name_unknown"
    """No address is known for the broker's name."""
    NOT_REACHED = "not_reached"
    """Nobody takes connections there, or nothing answers."""
    SILENT = "silent"
    """Connections are taken, and nothing is answered."""
    TLS_MISSING = "tls_missing"
    """We speak TLS and it does not: nothing is sent, for what is encrypted is never sent in the clear instead."""
    TLS_EXPECTED = "tls_expected"
    """It speaks TLS and we do not."""
    TLS_TOO_OLD = "tls_too_old"
    """It speaks only a TLS that is broken by now."""
    CERTIFICATE_NOT_TRUSTED = "certificate_not_trusted"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_OF_ANOTHER_NAME = "certificate_of_another_name"
    REVOCATIONS_UNKNOWN = "revocations_unknown"
    """The list of revoked certificates is not there, not its authority's, or out of date."""
    OUR_CERTIFICATE_WANTED = "our_certificate_wanted"
    """It asks for a certificate of ours, and takes none that we showed."""
    OUR_CERTIFICATE_EXPIRED = "our_certificate_expired"
    OUR_CERTIFICATE_REVOKED = "our_certificate_revoked"
    OUR_FILES_UNUSABLE = "our_files_unusable"
    """A certificate, a key or a password of ours cannot be had from where the settings say."""
    WEBSOCKETS_MISSING = "websockets_missing"
    """A server answers, and takes no WebSockets at that path."""
    VERSION_NOT_SPOKEN = "version_not_spoken"
    """It does not speak the MQTT that we ask for."""
    LOGIN_REFUSED = "login_refused"
    """It refuses our user, password or client id."""
    SUBSCRIPTION_REFUSED = "subscription_refused"
    MESSAGE_REFUSED = "message_refused"
    """It ends the connection whenever the same message is sent: it may be too large, or denied."""
    LIMITS_TOO_NARROW = "limits_too_narrow"
    """It cannot do what a campaign needs."""
    TAKEN_OVER = "taken_over"
    """Another client connected under our id."""
    ENDED = "ended"
    """It ended the connection and said why."""
    LOST = "lost"
    """The connection ended without a word."""


class LinkError(BrokerError):
    """A link that no waiting brings about before somebody changes something.

    Args:
        state: Why it does not stand.
    """

    def __init__(self, state: LinkState, found: str, *, expected: str, action: str) -> None:
        self.state = state
        super().__init__(found, expected=expected, action=action)
