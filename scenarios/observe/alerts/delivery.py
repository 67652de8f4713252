"""Tells one destination of one alert: starts a program, or sends a request, and waits for a bounded time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from protocols.errors import EntropilotError
from protocols.storage.private_files import SecretFile
from scenarios.observe.alerts.occurrences import Alert
from scenarios.observe.alerts.settings import Destination

COMMAND_TIMEOUT_S: Final = 30.0
"""How long a program may take."""

WEBHOOK_TIMEOUT_S: Final = 10.0
"""How long a server may be silent."""

MAX_SAID: Final = 300
"""How much of what a program or a server says is kept for the log [character]."""

MAX_ANSWER_BYTES: Final = 4_096
"""How much of a server's answer is read."""

TOKEN: Final = SecretFile(
    "token file", 64 * 1024, "a file with the token alone", "make it again, or leave token_file out"
)


class NotTold(Exception):
    """A destination was not told, and why."""


def tell(alert: Alert, to: Destination) -> None:
    """Tell a destination.

    Raises:
        NotTold: When it was not told: it may be tried again.
    """
    content = json.dumps(alert.model_dump(mode="json")).encode()
    if to.webhook is None:
        _start(to.command, content, alert)
    else:
        _post(to.webhook.get_secret_value(), content, alert, to.token_file)


def _start(command: tuple[str, ...], content: bytes, alert: Alert) -> None:
    told = alert.model_dump(mode="json", exclude={"figures"})
    environment = os.environ | {f"ENTROPILOT_ALERT_{name.upper()}": _plain(value) for name, value in told.items()}
    try:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NotTold(f"{command[0]} cannot be started ({error.strerror or error})") from None
    try:
        _, said = process.communicate(content, COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _end(process)
        raise NotTold(f"{command[0]} did not end in {COMMAND_TIMEOUT_S:g} s") from None
    if process.returncode:
        words = said.decode(errors="replace").strip()[-MAX_SAID:]
        raise NotTold(f"{command[0]} ended with {process.returncode}" + (f": {words}" if words else ""))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover - Windows
            process.kill()
    process.communicate()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: another address is another receiver, and would get the token too."""

    def redirect_request(self, *_args: Any, **_told: Any) -> None:
        """Refuse."""


def _post(address: str, content: bytes, alert: Alert, token_file: str) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "entropilot", "Idempotency-Key": alert.id}
    try:
        if token_file:
            headers["Authorization"] = f"Bearer {TOKEN.read(Path(token_file)).decode().strip()}"
        request = urllib.request.Request(address, content, headers, method="POST")  # noqa: S310 - settings say http(s)
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=WEBHOOK_TIMEOUT_S) as answer:
            answer.read(MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(MAX_ANSWER_BYTES).decode(errors="replace").strip()[:MAX_SAID]
        raise NotTold(f"the webhook answered {error.code}" + (f": {said}" if said else "")) from None
    except EntropilotError as error:
        raise NotTold(str(error)) from None
    except (OSError, ValueError, urllib.error.URLError) as error:  # the address may hold a secret, so it is not told
        raise NotTold(f"the webhook cannot be reached ({type(error).__name__})") from None
    except Exception as error:  # noqa: BLE001 - such as an answer that is no HTTP
        raise NotTold(f"the webhook did not answer as a web server does ({type(error).__name__})") from None


def _plain(value: object) -> str:
    """Return a value as an environment holds it: without NUL, in one line."""
    return str(value).replace("\0", "?").replace("\n", " ")
