"""Whose handling a process died of is known after it, and nobody else is suspected for long."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.link.poison_guard import MAX_DEATHS, MAX_SUSPECTS, PoisonMessageGuard
from protocols.link.transport import Delivery


def message(text: str, topic: str = "a/b") -> Delivery:
    return Delivery(topic, text.encode(), retain=False, qos=1, ack_token=None)


def suspects(poison_guard: PoisonMessageGuard) -> int:
    return len(poison_guard._deaths)


def die(path: Path, messages: Sequence[Delivery]) -> None:
    """Handle messages and end as a process does that is killed."""
    with closing(PoisonMessageGuard(path)) as poison_guard:
        handling = poison_guard.handling(messages)
        handling.__enter__()


def test_three_deaths_condemn_and_fewer_only_make_suspect(tmp_path: Path) -> None:
    path, poison = tmp_path / "note", message("poison")
    for deaths in range(1, MAX_DEATHS + 1):
        die(path, [poison])
        with closing(PoisonMessageGuard(path)) as poison_guard:
            assert poison_guard.is_suspect(poison)
            assert poison_guard.is_dead_lettered(poison) is (deaths == MAX_DEATHS)


def test_a_message_that_was_handled_is_no_suspect(tmp_path: Path) -> None:
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard, poison_guard.handling([message("x")]):
        pass
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        assert suspects(poison_guard) == 0
        assert not poison_guard.is_suspect(message("x"))


def test_all_that_were_in_hand_are_suspect_until_their_commit(tmp_path: Path) -> None:
    path = tmp_path / "note"
    innocent, poison = message("innocent"), message("poison")
    for _ in range(2):
        die(path, [innocent, poison])
    with closing(PoisonMessageGuard(path)) as poison_guard:
        assert suspects(poison_guard) == 2
        poison_guard.clear([innocent])
        assert not poison_guard.is_suspect(innocent)
    die(path, [poison])
    with closing(PoisonMessageGuard(path)) as poison_guard:
        assert poison_guard.is_dead_lettered(poison)
        assert not poison_guard.is_suspect(innocent)


def test_the_same_payload_on_another_topic_is_another_message(tmp_path: Path) -> None:
    die(tmp_path / "note", [message("x", "a/b")])
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        assert poison_guard.is_suspect(message("x", "a/b"))
        assert not poison_guard.is_suspect(message("x", "a/c"))


def test_a_fault_that_a_person_can_mend_counts_for_nothing(tmp_path: Path) -> None:
    with (
        closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard,
        pytest.raises(SettingsError),
        poison_guard.handling([message("x")]),
    ):
        raise SettingsError("wrong")
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        assert suspects(poison_guard) == 0


def test_a_fault_of_ours_counts(tmp_path: Path) -> None:
    with (
        closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard,
        pytest.raises(ZeroDivisionError),
        poison_guard.handling([message("x")]),
    ):
        raise ZeroDivisionError
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        assert poison_guard.is_suspect(message("x"))


def test_no_more_suspects_are_kept_than_one_step_holds_and_the_latest_stay(tmp_path: Path) -> None:
    path = tmp_path / "note"
    for number in range(3):
        die(path, [message(f"{number}-{which}") for which in range(MAX_SUSPECTS)])
    with closing(PoisonMessageGuard(path)) as poison_guard:
        assert suspects(poison_guard) == MAX_SUSPECTS
        assert poison_guard.is_suspect(message("2-0"))
        assert not poison_guard.is_suspect(message("0-0"))
    with closing(PoisonMessageGuard(path)) as poison_guard:
        assert suspects(poison_guard) == MAX_SUSPECTS


@pytest.mark.parametrize("content", [b"", b"\xff" * 5000, b"x" * 5000, b"0" * 10_000, b":" * 4096 + b"zz\n"])
def test_a_note_that_is_torn_or_strange_stops_nobody(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note"
    path.write_bytes(content)
    with closing(PoisonMessageGuard(path)) as poison_guard, poison_guard.handling([message("x")]):
        pass
    with closing(PoisonMessageGuard(path)) as poison_guard:
        assert not poison_guard.is_suspect(message("x"))


def test_without_a_file_nothing_is_kept_and_nothing_breaks() -> None:
    poison_guard = PoisonMessageGuard(None)
    with poison_guard.handling([message("x")]):
        pass
    poison_guard.clear([message("x")])
    assert not poison_guard.is_dead_lettered(message("x"))
    poison_guard.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere.*cannot be written"):
        PoisonMessageGuard(tmp_path / "nowhere" / "note")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    (tmp_path / "note").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="No space left"):
        PoisonMessageGuard(tmp_path / "note")


def test_clearing_the_innocent_leaves_the_suspect_as_it_is(tmp_path: Path) -> None:
    die(tmp_path / "note", [message("poison")])
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        poison_guard.clear([message("innocent")])
    with closing(PoisonMessageGuard(tmp_path / "note")) as poison_guard:
        assert poison_guard.is_suspect(message("poison"))
