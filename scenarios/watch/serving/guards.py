"""Whom the server answers: decided by the head of a request alone, before anything of it is read. Pure.

A page of a stranger in the same browser can send requests to a loopback address, and a name of a stranger's can be made
to point there (rebinding). What stops them, each of which the others do not:

    Host                the only sign of a name that was made to point here: such a request is same-origin to a browser
    Sec-Fetch-Site      set by browsers, not by pages: says that another site asks
    Origin              the same, of older browsers, and for what a page posts
    Authorization       the token of this start, which only who was given the URL has; no cookie, so nothing is sent by
                        the browser of itself
    Content-Type        JSON alone is taken: pages of strangers can send it only after a preflight, which is refused
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from scenarios.watch.serving.limits import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_URL_BYTES
from scenarios.watch.serving.refusals import Refusal

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""What people type to reach their own machine."""

OWN_SITES: Final = frozenset({"same-origin", "none"})
"""What a browser says of a request of our own page, and of one that its user typed."""

API: Final = "/api"
METRICS: Final = "/metrics"
HEALTH: Final = "/health"
PAGE: Final = "/"

METHODS: Final = frozenset({"GET", "HEAD", "POST"})

SCHEME: Final = "bearer "

MAX_SHOWN: Final = 100
"""Most of a stranger's text that a refusal repeats [character]."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at of a request.

    Attributes:
        method: Of HTTP.
        path: Below the root path of a proxy.
        length: Of path and query [byte].
        headers: Name in small letters, and value, in their order.
    """

    method: str
    path: str
    length: int = 0
    headers: Sequence[tuple[str, str]] = ()

    def all_of(self, name: str) -> tuple[str, ...]:
        """Return every value of a header."""
        return tuple(value for each, value in self.headers if each == name)

    def only(self, name: str) -> str | None:
        """Return a header that may stand once; None where it does not.

        Raises:
            Refusal: When it stands there more than once.
        """
        found = self.all_of(name)
        if len(found) > 1:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"The request has {len(found)} headers {name}", expected="one")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Guards:
    """Whom the server answers.

    Attributes:
        names: Host names by which it may be asked, in small letters, without ports.
        token: Of this start; what is below `API` wants it.
        metrics_want_token: Whether the metrics want it too.
    """

    names: frozenset[str]
    token: str
    metrics_want_token: bool = False

    def require_allowed(self, asked: Asked) -> None:
        """Check a request.

        Raises:
            Refusal: When it is not answered.
        """
        if asked.method not in METHODS:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f"{asked.method[:MAX_SHOWN]} is nothing that this server does",
                expected=", ".join(sorted(METHODS)),
                headers={"Allow": ", ".join(sorted(METHODS))},
            )
        if asked.length > MAX_URL_BYTES:
            raise Refusal(
                HTTPStatus.REQUEST_URI_TOO_LONG,
                f"The address has {asked.length} bytes",
                expected=f"at most {MAX_URL_BYTES}",
            )
        size = sum(len(name) + len(value) for name, value in asked.headers)
        if size > MAX_HEAD_BYTES:
            raise Refusal(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"The headers have {size} bytes",
                expected=f"at most {MAX_HEAD_BYTES}",
            )
        host = self._require_known_host(asked)
        _require_own_site(asked)
        _require_own_origin(asked, host)
        if self._wants_token(asked.path):
            self._require_token(asked)
        if asked.method == "POST":
            _require_json(asked)

    def _require_known_host(self, asked: Asked) -> str:
        """Return the host that is asked, with its port."""
        host = asked.only("host")
        if host is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The request names no host", expected="a header Host")
        name = _name_of(host)
        if name is None or name not in self.names:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"This server was asked as {host[:MAX_SHOWN]!r}, a name that it does not know",
                expected=f"one of {', '.join(sorted(self.names))}",
                action="open the address that `entropilot watch` printed, or start it with --allow-host NAME",
            )
        return host

    def _wants_token(self, path: str) -> bool:
        if path == METRICS:
            return self.metrics_want_token
        return path == API or path.startswith(f"{API}/")

    def _require_token(self, asked: Asked) -> None:
        said = asked.only("authorization") or ""
        given = said[len(SCHEME) :].strip() if said[: len(SCHEME)].lower() == SCHEME else ""
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "The request has another token than this start of the server" if given else "The request has no token",
                expected="the header Authorization: Bearer TOKEN",
                action="open the address that `entropilot watch` printed last; its token stands behind the #",
                headers={"WWW-Authenticate": "Bearer"},
            )


def names_of(host: str, allowed: Sequence[str]) -> frozenset[str]:
    """Return the names by which a server may be asked.

    Args:
        host: The address that it listens on.
        allowed: What a person allowed besides.
    """
    every = "0.0.0.0", "::"  # noqa: S104 - recognised, and no name of anybody
    return LOOPBACK_NAMES | {each.lower().strip("[]") for each in (host, *allowed) if each not in every}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    return host.lower().strip("[]") in LOOPBACK_NAMES


def _name_of(host: str) -> str | None:
    """Return the name in a Host header, without its port; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    is_plain = parts.netloc == host and "@" not in host and not (parts.path or parts.query or parts.fragment)
    return parts.hostname if is_plain else None


def _require_own_site(asked: Asked) -> None:
    """Check who asks, where a browser says so; a link on another site may lead to the page, and to nothing else."""
    site = asked.only("sec-fetch-site")
    if site is None or site in OWN_SITES:
        return
    follows_link = (asked.only("sec-fetch-mode"), asked.only("sec-fetch-dest")) == ("navigate", "document")
    if asked.path == PAGE and asked.method in {"GET", "HEAD"} and follows_link:
        return
    raise Refusal(
        HTTPStatus.FORBIDDEN,
        f"Another site asks this server ({site[:MAX_SHOWN]})",
        expected="a request of its own page",
        action="open the page itself",
    )


def _require_own_origin(asked: Asked, host: str) -> None:
    origin = asked.only("origin")
    if origin is None:
        return
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or parts.netloc.lower() != host.lower():
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            f"A page of {origin[:MAX_SHOWN]!r} asks this server",
            expected=f"a page of {host[:MAX_SHOWN]!r}",
            action="open the page itself; a proxy before it must pass on the Host header as it is",
        )


def _require_json(asked: Asked) -> None:
    kind = (asked.only("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"What is posted is {kind[:MAX_SHOWN] or 'of no type'}",
            expected="Content-Type: application/json",
        )
    length = asked.only("content-length")
    if length is not None and (not length.isdigit() or int(length[:20]) > MAX_BODY_BYTES):
        raise too_large()


def too_large() -> Refusal:
    """Return the refusal of a body beyond its bound."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "What is posted is too large",
        expected=f"at most {MAX_BODY_BYTES} bytes",
        action="add many values with `entropilot control RUN add-result FILE`",
    )
