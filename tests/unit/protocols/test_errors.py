"""An error says what was found, what was expected and what to do."""

from __future__ import annotations

import pickle

import pytest

from protocols import errors
from protocols.errors import (
    BrokerAway,
    BrokerError,
    CampaignFellShort,
    CampaignHalted,
    DatabaseAway,
    EntropilotError,
    InvariantViolation,
    MessageError,
    NoAnswer,
    NotPossibleNow,
    NotThere,
    OrderRefused,
    SettingsError,
    StoreError,
    TableError,
    invariant,
)

KINDS = (
    SettingsError,
    TableError,
    BrokerError,
    StoreError,
    CampaignHalted,
    CampaignFellShort,
    OrderRefused,
    NoAnswer,
)

FINER = {BrokerAway: BrokerError, DatabaseAway: StoreError, NotPossibleNow: StoreError, NotThere: StoreError}
"""Told apart by programs, and one with their base for who starts a command."""


def test_an_error_reads_as_three_sentences() -> None:
    error = StoreError("The disk is full", expected="free space", action="free some, then run again")
    assert str(error) == "The disk is full. Expected: free space. What to do: free some, then run again."
    assert (error.found, error.expected, error.action) == (
        "The disk is full",
        "free space",
        "free some, then run again",
    )


def test_what_is_not_known_is_left_out_and_no_full_stop_is_doubled() -> None:
    assert str(TableError("It is empty.")) == "It is empty."
    assert str(TableError("It is empty", action="fill it.")) == "It is empty. What to do: fill it."


def test_every_kind_for_a_person_ends_the_command_with_a_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len({0, EntropilotError.exit_code, *codes}) == len(KINDS) + 2
    every = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, EntropilotError)}
    assert every == {EntropilotError, MessageError, *FINER, *KINDS}
    assert all(kind.exit_code == base.exit_code for kind, base in FINER.items())


def test_a_message_error_carries_its_reason_to_be_counted() -> None:
    error = MessageError("oversize", "A message of 9 bytes", expected="at most 8")
    assert error.reason == "oversize"
    assert str(error) == "A message of 9 bytes. Expected: at most 8."


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_its_text_when_it_is_pickled(kind: type[EntropilotError]) -> None:
    error = pickle.loads(pickle.dumps(kind("Found this")))
    assert type(error) is kind
    assert str(error) == "Found this."


def test_an_invariant_that_holds_says_nothing_and_one_that_does_not_stops_us() -> None:
    invariant(condition=True, message="fine")
    with pytest.raises(InvariantViolation, match="two and two are five"):
        invariant(2 + 2 == 5, "two and two are five")


def test_a_violated_invariant_is_not_an_error_that_a_person_can_mend() -> None:
    assert not issubclass(InvariantViolation, EntropilotError)
