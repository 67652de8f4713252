"""The keys of a campaign: those of a file that the settings name, or a run's own, which nobody else has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from protocols.errors import SettingsError
from protocols.signing.key_file import new_key, read_keys, require_keys, write_keys
from protocols.signing.key_ring import KeyRing
from protocols.signing.settings import SigningSettings
from protocols.signing.transport import UNSIGNED, Signing
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR
from scenarios.run.request import RunRequest
from scenarios.settings.operator_actions import OPERATOR

OWN_KEYS: Final = "signing.keys"
"""File of a run folder with the keys that a run made for itself; a later start signs with the same ones, for what a
broker has kept meanwhile."""


def given_signing(request: RunRequest) -> Signing | None:
    """Return how the parts of a campaign sign; None where the run has to make its own keys.

    Raises:
        SettingsError: When keys lack: for all who are to be heard, where the campaign requires signatures.
    """
    scenario = request.scenario
    required = scenario.campaign.require_signatures
    if scenario.signing.keys is None:
        if required and not request.with_simulator:
            raise SettingsError(
                "The campaign requires signatures (campaign.require_signatures), and no keys are set",
                expected="the agent's file of keys",
                action="make it with `entropilot keys FOLDER --instrument ID`, and set signing.keys here and there",
            )
        return None if required else UNSIGNED
    signing = scenario.signing.signing()
    if required:
        heard = [each for each in _parties(request) if each != ANY_SIMULATOR]
        require_keys(signing.ring, scenario.signing.keys, [AGENT_CLIENT, *heard])
    return signing


def own_signing(request: RunRequest) -> Signing:
    """Return how the parts of a run sign with its own keys, made if they are not there yet.

    Raises:
        SettingsError: When those that are there cannot be used.
        StoreError: When they cannot be written.
    """
    path = request.folder / OWN_KEYS
    envelope = request.scenario.signing.envelope
    lab = [each.id for each in request.scenario.instruments]
    known = read_keys(path) if path.exists() else KeyRing()
    if {AGENT_CLIENT, OPERATOR, *lab} <= known.names:
        return Signing(known, envelope)
    ring = KeyRing(
        known.agent or new_key(),
        {name: known.instruments.get(name) or new_key() for name in lab},
        {OPERATOR: known.operators.get(OPERATOR) or new_key()},
    )
    write_keys(path, ring)
    return Signing(ring, envelope)


def settings_of_signing(request: RunRequest) -> SigningSettings:
    """Return where the keys of a campaign are: those that the settings name, or the run's own."""
    settings = request.scenario.signing
    makes_own = settings.keys is None and request.scenario.campaign.require_signatures
    return settings.model_copy(update={"keys": str(request.folder / OWN_KEYS)}) if makes_own else settings


def _parties(request: RunRequest) -> Iterable[str]:
    """Return all who are to be heard: who is asked, and who plays here."""
    scenario = request.scenario
    yield from scenario.recipients
    if request.with_simulator:
        yield from (each.id for each in scenario.instruments)
        if scenario.operator:
            yield OPERATOR
