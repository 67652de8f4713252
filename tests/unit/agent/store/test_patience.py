"""A database that is away is waited for as long as was said, and told once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from agent.store import patience as patience_module
from agent.store.patience import Patience
from protocols.errors import DatabaseAway, StoreError


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(patience_module, "LONGEST_PAUSE_S", 0.001)


def away(times: int) -> Callable[[], str]:
    """What fails so many times."""
    left = [times]

    def attempt() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise DatabaseAway("The server is away", expected="one that answers", action="start it")
        return "done"

    return attempt


def test_what_succeeds_at_once_is_not_told() -> None:
    told: list[str] = []
    assert Patience(60, told.append).wait_for(away(0)) == "done"
    assert told == []


def test_a_wait_is_told_once_and_its_end_too() -> None:
    told: list[str] = []
    assert Patience(60, told.append).wait_for(away(5)) == "done"
    assert len(told) == 2
    assert told[0] == "The server is away; it is waited for, up to 60 s"
    assert told[1].startswith("The database is there again, after ")


def test_without_patience_the_error_is_as_it_came() -> None:
    with pytest.raises(DatabaseAway, match=r"The server is away\. Expected"):
        Patience().wait_for(away(1))


def test_a_wait_ends_with_the_setting_that_bounds_it() -> None:
    with pytest.raises(DatabaseAway, match=r"waited for .* campaign.database_timeout_s"):
        Patience(0.01).wait_for(away(1_000_000))


def test_a_wait_is_given_up_from_another_thread() -> None:
    patience = Patience(3_600, lambda _told: threading.Thread(target=patience.give_up).start())
    with pytest.raises(DatabaseAway, match="the run was to end"):
        patience.wait_for(away(1_000_000))


def test_another_error_is_not_waited_out() -> None:
    def refuse() -> None:
        raise StoreError("damaged")

    with pytest.raises(StoreError, match="damaged"):
        Patience(60).wait_for(refuse)
