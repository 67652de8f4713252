"""The command `watch`: a page of runs or of a broker's campaigns, the same on a terminal, or as lines of JSON.

A process of its own: it reads, and what it is asked to order it sends as every operator does. The agent does not know
it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from protocols.errors import SettingsError
from protocols.extras import load
from scenarios.broker.url import broker_at, operators_of
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.run_folder import require_campaign_name

if TYPE_CHECKING:
    from scenarios.watch.serving.desk import Shelf

DEFAULT_PORT: Final = 8321
"""Where the page is, unless told otherwise: no well-known program listens there."""

DEFAULT_HOST: Final = "127.0.0.1"
"""Only this machine reaches it."""


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What a command asks for.

    Attributes:
        run: A run's name or folder; None for all.
        broker: The broker in place of run folders.
        campaigns: Of the broker: the only ones that are meant.
        runs: Where run folders are.
        database: Of the run, where it is another than its folder says.
        port: Where the page is; 0 for a free one.
        host: The address to listen on.
        allow_host: Names by which it may be asked besides.
        root_path: Below which a proxy shows it.
        read_only: Whether no order is sent.
        token_file: Where the token is kept; None for a new one.
        token_metrics: Whether /metrics wants the token too.
        opens_browser: Whether a browser is opened.
        operator: Who gives orders; None for the user of this system.
        keys: File of that one's keys.
    """

    run: str | None = None
    broker: str | None = None
    campaigns: tuple[str, ...] = ()
    runs: Path = Path("runs")
    database: str | None = None
    port: int = DEFAULT_PORT
    host: str = DEFAULT_HOST
    allow_host: tuple[str, ...] = ()
    root_path: str = ""
    read_only: bool = False
    token_file: Path | None = None
    token_metrics: bool = False
    opens_browser: bool = True
    operator: str | None = None
    keys: Path | None = None

    def require_possible(self) -> None:
        """Check what does not fit together.

        Raises:
            SettingsError: When something does not.
        """
        if self.run is not None and self.broker is not None:
            raise SettingsError(
                "Both a run and a broker are named",
                expected="RUN, which is read from its folder, or --broker",
                action="leave one of them out; --campaign names a campaign of a broker",
            )
        if self.campaigns and self.broker is None:
            raise SettingsError("--campaign goes with --broker", expected="RUN", action="name the run instead")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise SettingsError(
                f"--root-path {self.root_path!r} is no path",
                expected="one that begins with a slash and ends without one, such as /entropilot",
                action="give it as the proxy has it",
            )
        for each in self.campaigns:
            require_campaign_name(each)


def shelf_of(request: WatchRequest) -> Shelf:
    """Return where the runs are.

    Raises:
        StoreError: When there is no such run.
        BrokerError: When the broker cannot be reached.
    """
    from scenarios.watch.broker.listener import BrokerListener
    from scenarios.watch.serving.shelves import BrokerShelf, FolderShelf, Operator

    request.require_possible()
    operator = Operator(request.operator, request.keys)
    if request.broker is None:
        only = None if request.run is None else identify(request.run, request.runs, RunPath).path
        return FolderShelf(request.runs, only, request.database, operator)
    from protocols.link.credentials import ANYBODY, OBSERVER

    broker = broker_at(request.broker)
    listener = BrokerListener(broker.as_part(OBSERVER, *operators_of(broker), ANYBODY), request.campaigns)
    try:
        listener.start()
    except BaseException:
        listener.close()
        raise
    return BrokerShelf(request.broker, listener, operator)


def serve_page(request: WatchRequest) -> None:
    """Serve the page until it is ended.

    Raises:
        SettingsError: When it cannot listen there, or others could reach it without a token that they know.
        StoreError: When there is no such run.
        BrokerError: When the broker cannot be reached.
    """
    load("starlette")
    load("uvicorn")
    from scenarios.watch.reading.shadow import is_shadow
    from scenarios.watch.serving.app import serving
    from scenarios.watch.serving.guards import Guards, is_loopback, names_of
    from scenarios.watch.serving.server import listening_socket, run_server
    from scenarios.watch.serving.token import fresh_token, kept_token

    request.require_possible()
    if not is_loopback(request.host) and request.token_file is None:
        raise SettingsError(
            f"--host {request.host} lets other machines reach the page, and no token is kept for them",
            expected="--token-file FILE beside it: whoever knows the token in it may look and give orders",
            action="name a file, which is made where it is missing; or leave --host out",
        )
    token = fresh_token() if request.token_file is None else kept_token(request.token_file)
    listening = listening_socket(request.host, request.port)
    try:
        shelf = shelf_of(request)
        guards = Guards(names_of(request.host, request.allow_host), token, request.token_metrics)
        named = [*shelf.keys()] if request.run else []
        shadows = {key for key in named if (folder := shelf.folder(key)) is not None and is_shadow(folder)}
        shown = [f"{'shadow' if key in shadows else 'run'}/{quote(key)}" for key in named]
        address = address_of(request, listening.getsockname()[1], token, shown)
        with _browser_file(address) as file:
            run_server(
                lambda call_soon: serving(
                    shelf,
                    guards,
                    root_path=request.root_path,
                    read_only=request.read_only,
                    first=[key for key in named if key not in shadows],
                    call_soon=call_soon,
                ),
                listening,
                lambda: _told(request, address, file),
            )
    finally:
        listening.close()


def address_of(request: WatchRequest, port: int, token: str, screens: Sequence[str] = ()) -> str:
    """Return where a browser finds the page.

    Args:
        request: What was asked for.
        port: Where it listens.
        token: Of this start; in the part of an address that browsers keep to themselves.
        screens: The address within the page of what is shown at once; none: the list of all.
    """
    every = "0.0.0.0", "::"  # noqa: S104 - recognised
    host = DEFAULT_HOST if request.host in every else request.host
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    shown = "".join(f"&{screen}" for screen in screens)
    return f"http://{host}:{port}{request.root_path}/#token={token}{shown}"


def _told(request: WatchRequest, address: str, file: Path) -> None:
    """Say where the page is, and open it where there is a browser."""
    from scenarios.display.console import show_notes

    sys.stdout.write(f"The page: {address}\n")
    sys.stdout.flush()
    if request.opens_browser and not _opened(file):
        show_notes(["no browser was found here: open the address above yourself"])


def _opened(file: Path) -> bool:
    """Open the page in a browser, if a person is here who could see it."""
    import webbrowser

    if not sys.stdout.isatty():
        return True  # a program that reads the address opens it
    has_screen = sys.platform in {"darwin", "win32"} or any(os.environ.get(name) for name in SCREENS)
    try:
        return has_screen and webbrowser.open(file.as_uri())
    except (webbrowser.Error, OSError):
        return False


SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables one of which is set where a browser can show itself; without a screen one would take this terminal."""


@contextlib.contextmanager
def _browser_file(address: str) -> Iterator[Path]:
    """Give a file that leads to the page: a browser's command line, which others can read, then holds no token."""
    with tempfile.TemporaryDirectory(prefix="entropilot-") as folder:  # for its owner alone
        file = Path(folder) / "page.html"
        link = escape(address, quote=True)
        file.write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={link}">'
            f'<title>Entropilot</title><a href="{link}">The page</a>\n',
            encoding="utf-8",
        )
        yield file
