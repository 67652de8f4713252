"""Where a campaign that is at work is reached: its run folder says so for whoever operates it, as long as it runs.

The file is for its owner alone. It holds the password of a broker that the run has started for itself, which nobody
else knows, and none of a lab's broker: of that it says where the password is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from agent.run_files import LOCK
from protocols.errors import NoAnswer
from protocols.link.broker_settings import BrokerSettings, RunningBroker
from protocols.settings.layers import Layer, environment_layer
from protocols.settings.resolve import resolve
from protocols.settings.url_secrets import holds_password
from protocols.signing.settings import SigningSettings
from protocols.storage.private_files import SecretFile, write_secret
from protocols.storage.run_lock import seems_held
from protocols.wire.messages import Identifier

CONNECTION: Final = "connection.json"
"""File of a run folder, there while its agent is."""

_FILE: Final = SecretFile(
    "connection file",
    64 * 1024,  # some twenty settings
    "the file that an agent of this version wrote",
    "name --broker and --campaign, or operate as the user who runs the agent",
)
"""Another one could lead its reader, and a password of his, to another broker."""

_PREFIXES: Final = ("ENTROPILOT_BROKER__", "ENTROPILOT_SIGNING__")
"""Variables that go before what the file says: who operates may have an account and keys of its own."""


class Connection(BaseModel):
    """Where a campaign is reached.

    Attributes:
        format: Version of the file.
        campaign: Its name.
        broker: Settings of the broker that differ from the defaults.
        signing: The same of signatures; the file of keys may be the agent's, which holds those of the operators too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    campaign: Identifier
    broker: dict[str, Any]
    signing: dict[str, Any]


class Reached(BaseModel):
    """How to reach a campaign, with what the environment says laid over it."""

    model_config = ConfigDict(extra="forbid")

    broker: RunningBroker
    signing: SigningSettings


@contextmanager
def told_connection(
    folder: Path, campaign: str, broker: BrokerSettings, signing: SigningSettings, *, is_own: bool
) -> Iterator[None]:
    """Say in a run folder where its campaign is reached, until the block ends.

    Args:
        folder: The run folder.
        campaign: Name of the campaign.
        broker: As the agent reaches it.
        signing: Where its keys are.
        is_own: Whether the run has started the broker for itself.

    Raises:
        OSError: When it cannot be written.
    """
    path = folder / CONNECTION
    settings = broker.model_dump(mode="json", exclude={"password", "url"}, exclude_defaults=True)
    settings["url"] = _without_login(broker.url)
    if is_own and broker.password is not None:
        settings["password"] = broker.password.get_secret_value()
    keys = {} if signing.keys is None else {"keys": signing.keys}
    told = Connection(
        campaign=campaign, broker=_with_whole_paths(settings), signing=_with_whole_paths(keys | _envelope(signing))
    )
    write_secret(path, told.model_dump_json(indent=1).encode() + b"\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def connection_of(folder: Path) -> Connection:
    """Return where the campaign of a run folder is reached.

    Raises:
        NoAnswer: When no agent works there.
        SettingsError: When the file is not its owner's alone, or none.
    """
    path = folder / CONNECTION
    if not seems_held(folder / LOCK):
        raise NoAnswer(
            f"No agent works on {folder}: nothing was sent",
            expected="a campaign that is at work",
            action="resume it with --resume, with a larger --budget if it is finished; or name --broker and --campaign",
        )
    if not path.exists():
        raise NoAnswer(
            f"The agent of {folder} is about to begin or to end: nothing was sent",
            expected=f"{CONNECTION}, which is there while it is connected",
            action="ask again in a moment, or name --broker and --campaign",
        )
    try:
        return Connection.model_validate_json(_FILE.read(path))
    except ValueError:
        raise _FILE.unusable(path, "does not say where a campaign is reached") from None


def reached_by(connection: Connection, environ: Mapping[str, str] | None = None) -> Reached:
    """Return broker and keys, with what the environment says laid over what the file says.

    Raises:
        SettingsError: When one of both says what cannot be.
    """
    said = os.environ if environ is None else environ
    given = {name: value for name, value in said.items() if name.startswith(_PREFIXES)}
    told = Layer(CONNECTION, {"broker": connection.broker, "signing": connection.signing})
    return resolve(Reached, [told, environment_layer(Reached, given)]).settings


def _envelope(signing: SigningSettings) -> dict[str, Any]:
    return {"envelope": True} if signing.envelope else {}


def _with_whole_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose files are found from everywhere."""
    return {
        name: str(Path(value).expanduser().absolute()) if name.endswith("_file") or name == "keys" else value
        for name, value in settings.items()
    }


def _without_login(url: str) -> str:
    """Return a URL without a user's name and password, where it holds both."""
    if not holds_password(url):
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
