"""Where an order goes, and as whom it is given: broker, account, keys, and the operator's id."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from protocols.errors import SettingsError, StoreError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.credentials import ANYBODY, RESERVED
from protocols.recording.reader import read_header
from protocols.signing.key_ring import KeyRing
from protocols.signing.settings import SigningSettings
from protocols.signing.transport import Signing
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN
from scenarios.broker.url import broker_at, operators_of
from scenarios.display.progress import ProgressCall
from scenarios.run.connection import connection_of, reached_by
from scenarios.settings.model import Scenario
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.run_folder import require_campaign_name
from scenarios.sources.run_world import world_of_run
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world

SOMEBODY: Final = "operator"
"""Who operates where the system knows no name that could be an id."""

KEYS_VARIABLE: Final = "ENTROPILOT_SIGNING__KEYS"
ENVELOPE_VARIABLE: Final = "ENTROPILOT_SIGNING__ENVELOPE"

_LAWFUL: Final = re.compile(ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where orders go.

    Attributes:
        campaign: To whom.
        operator: Who gives them.
        broker: Where it is reached, as that one.
        signing: With that one's key, if there is one.
        scenario: Returns the settings of the campaign; None where nobody has named them.
        pool: Returns the pool that they make.
    """

    campaign: str
    operator: str
    broker: BrokerSettings
    signing: Signing
    scenario: Callable[[], Scenario] | None = None
    pool: Callable[[ProgressCall], Pool] | None = None


def place_of_run(run: str, runs: Path, operator: str | None, keys: Path | None) -> Place:
    """Return the place of a campaign that is at work, by its run folder.

    Args:
        run: The folder, or the name of the campaign.
        runs: Where run folders are.
        operator: Who operates; None for the user of this system.
        keys: A file of keys; None for those that the run uses.

    Raises:
        StoreError: When there is no such run.
        NoAnswer: When no agent works there.
        SettingsError: When nobody can operate as that one.
    """
    found = identify(run, runs, RunPath)
    if found.is_shadow:
        raise StoreError(
            f"{found.path} is the folder of a shadow, which only watches",
            expected="the run folder of an agent",
            action="name --broker and --campaign: the lab's own",
        )
    connection = connection_of(found.path)
    reached = reached_by(connection)
    signing = reached.signing if keys is None else reached.signing.model_copy(update={"keys": str(keys)})
    recording = found.path / RECORDING

    def pool(progress: ProgressCall) -> Pool:
        return world_of_run(found.path, read_header(recording).pool_digest, progress)[1].pool

    who, ring = _who(operator, signing, reached.broker, must_sign=keys is not None)
    return Place(
        connection.campaign, who, reached.broker.as_part(who, ANYBODY), Signing(ring, signing.envelope),
        lambda: recorded_scenario(recording), pool,
    )  # fmt: skip


def place_on_broker(
    url: str,
    campaign: str | None,
    *,
    scenario: str | None,
    operator: str | None,
    keys: Path | None,
    environ: Mapping[str, str] | None = None,
) -> Place:
    """Return the place of a campaign on a broker, wherever its agent is.

    Args:
        url: The broker.
        campaign: The campaign; None for the name of the scenario.
        scenario: Name or path of its scenario, where it is known here.
        operator: Who operates; None for the user of this system.
        keys: A file of keys; None for that of the environment, if it names one.
        environ: Environment variables; the process's own by default.

    Raises:
        SettingsError: When no campaign is named, or nobody can operate as that one.
    """
    said = os.environ if environ is None else environ
    settings = None if scenario is None else load_scenario(scenario, Overrides()).settings
    name = campaign or (None if settings is None else settings.name)
    if name is None:
        raise SettingsError(
            "No campaign is named",
            expected="--campaign NAME, or --scenario",
            action="`entropilot status` shows who is there",
        )
    require_campaign_name(name)
    broker = broker_at(url, environ)
    named = keys or said.get(KEYS_VARIABLE)
    envelope = said.get(ENVELOPE_VARIABLE, "").lower() in {"true", "1"}
    signing = SigningSettings(keys=None if named is None else str(named), envelope=envelope)
    who, ring = _who(operator, signing, broker, must_sign=named is not None)
    made = Place(name, who, broker.as_part(who, ANYBODY), Signing(ring, envelope))
    if settings is None:
        return made
    known = settings
    return Place(
        made.campaign, made.operator, made.broker, made.signing,
        lambda: known, lambda progress: build_world(known, progress).pool,
    )  # fmt: skip


def operator_named(asked: str | None, known: Collection[str], user: str | None = None) -> str:
    """Return the id of who operates.

    Args:
        asked: What somebody said.
        known: Operators of whom keys or accounts are at hand: the only one of them, where the user is none.
        user: Name of the system's user; None to ask the system.

    Raises:
        SettingsError: When the id can be none.
    """
    if asked is not None:
        if _LAWFUL.fullmatch(asked) is None or asked in RESERVED:
            raise SettingsError(
                f"{asked[:MAX_ID_LENGTH]!r} can be no operator's id",
                expected=f"at most {MAX_ID_LENGTH} small letters, digits, - and _; not {' or '.join(sorted(RESERVED))}",
                action="correct --operator",
            )
        return asked
    own = _as_id(_user() if user is None else user)
    return next(iter(known)) if len(known) == 1 and own not in known else own


def _who(
    asked: str | None, signing: SigningSettings, broker: BrokerSettings, *, must_sign: bool
) -> tuple[str, KeyRing]:
    """Return who operates, and that one's key.

    Raises:
        SettingsError: When keys are there, and none of that one.
    """
    ring = signing.signing().ring
    who = operator_named(asked, tuple(ring.operators) or operators_of(broker))
    if who not in ring.operators and (ring.operators or must_sign):
        raise SettingsError(
            f"{signing.keys} has no key of operator {who!r}",
            expected=f"one of {', '.join(ring.operators)}" if ring.operators else "the key of an operator",
            action="say who operates with --operator, or make a key with `entropilot keys FOLDER --operator ID`",
        )
    return who, ring.part_of(who) if who in ring.operators else KeyRing()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        return SOMEBODY


def _as_id(name: str) -> str:
    """Return what of a name can be an id; a name of nothing else is nobody's."""
    kept = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:MAX_ID_LENGTH]
    return kept if _LAWFUL.fullmatch(kept) and kept not in RESERVED else SOMEBODY
