"""Errors that tell a person what was found, what was expected and what to do."""

from typing import Final


class EntropilotError(Exception):
    """Base of every error that a user can fix.

    Args:
        found: What was found, as a sentence without a full stop.
        expected: What was expected.
        action: What to do about it.
    """

    exit_code: int = 1

    def __init__(self, found: str, *, expected: str = "", action: str = "") -> None:
        self.found: Final = found
        self.expected: Final = expected
        self.action: Final = action
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.found.rstrip(".") + "."]
        if self.expected:
            parts.append(f"Expected: {self.expected.rstrip('.')}.")
        if self.action:
            parts.append(f"What to do: {self.action.rstrip('.')}.")
        return " ".join(parts)


class SettingsError(EntropilotError):
    """A setting, a scenario file or a command line is wrong."""

    exit_code = 2


class TableError(EntropilotError):
    """A table of candidates or results cannot be used."""

    exit_code = 3


class BrokerError(EntropilotError):
    """A broker cannot be started or reached, or it refuses us."""

    exit_code = 4


class BrokerAway(BrokerError):
    """A broker that was reached is away; the link tries again by itself, ever more slowly up to a bound."""


class StoreError(EntropilotError):
    """A database or a run folder cannot be used."""

    exit_code = 5


class NotThere(StoreError):
    """What is named, by a number or a path, does not exist."""


class NotPossibleNow(StoreError):
    """What is asked for exists, and is not possible as the run stands; it may be later, or in another way."""


class DatabaseAway(StoreError):
    """A database's server cannot be reached, or was lost: it may come back."""


class CampaignHalted(EntropilotError):
    """A campaign cannot go on for a reason outside of the agent; it can be resumed."""

    exit_code = 6


class CampaignFellShort(EntropilotError):
    """A campaign is over with no result, or with most of its candidates abandoned."""

    exit_code = 8


class OrderRefused(EntropilotError):
    """An agent refuses what its operator asks for."""

    exit_code = 9


class NoAnswer(EntropilotError):
    """No agent has answered what its operator asks for: it may be carried out, or not."""

    exit_code = 10


class MessageError(EntropilotError):
    """A received message is not one of ours; it goes to the quarantine.

    Args:
        reason: A short, closed vocabulary (see `protocols.wire.codec`), so that faults can be counted.
        found: What was found.
    """

    def __init__(self, reason: str, found: str, *, expected: str = "") -> None:
        self.reason: Final = reason
        super().__init__(found, expected=expected)


class InvariantViolation(RuntimeError):
    """Our own fault: the process stops, and a restart recovers from the journal."""


def invariant(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a statement
    """Stop the process when something that must hold does not.

    Raises:
        InvariantViolation: When `condition` is false.
    """
    if not condition:
        raise InvariantViolation(message)
