"""How our clients are called at a broker: fixed, so that it knows us again, and never the same for two at work.

Each holds the name of its run folder or memory (`Status.instance`): no part takes the link of another of its name away,
and the two settle who goes on (`protocols.link.election`).
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "entropilot"

EVERY: Final = "all"
"""Stands for the campaign in the id of an instrument that serves every one."""


def agent_client_id(campaign: str, instance: str) -> str:
    """Return the client id of an agent."""
    return f"{PREFIX}-{campaign}-{instance}"


def simulator_client_id(campaign: str | None, simulator: str, instance: str | None) -> str:
    """Return the client id of an instrument.

    Args:
        campaign: The campaign that it serves; None for every one.
        simulator: Its id.
        instance: Names its memory; None for one of version 0.1, which did not say it.
    """
    name = f"{PREFIX}-{campaign or EVERY}-{simulator}"
    return name if instance is None else f"{name}-{instance}"


def operator_client_id(campaign: str) -> str:
    """Return the client id of the operator that a scenario plays."""
    return f"{PREFIX}-{campaign}-operator"


def listener_client_id(what: str, unique: str) -> str:
    """Return the client id of a command that comes and goes: nobody knows it again.

    Args:
        what: It does.
        unique: Random.
    """
    return f"{PREFIX}-{what}-{unique[:12]}"
