from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from scenarios.mcp_server.proposals import FOLDER, MAX_WAITING, ProposalFolder
from tests.support.strangers.proposals import NOW, proposal


def test_a_proposal_is_kept_for_its_owner_alone_and_found_by_its_first_digits(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path / "runs")
    made = proposal(0xABCD << 112)
    folder.add(made, NOW)
    path = tmp_path / "runs" / FOLDER / f"{made.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert folder.get("abcd") == made
    for named in ("abc", "ffff", ""):
        with pytest.raises(SettingsError, match="abcd0000"):
            folder.get(named)


def test_so_many_may_wait_and_old_ones_make_room(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    for number in range(MAX_WAITING):
        folder.add(proposal(number), NOW)
    with pytest.raises(SettingsError, match="wait for a person already"):
        folder.add(proposal(99), NOW)
    later = NOW + timedelta(days=2)
    folder.add(proposal(99, made_at=later), later)
    assert len(folder.all()) == MAX_WAITING + 1


def test_what_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    folder = ProposalFolder(tmp_path)
    folder.add(proposal(1), NOW)
    (folder.path / "x.json").write_text("{}", encoding="utf-8")
    (folder.path / f"{2:032x}.json").write_text(proposal(3).model_dump_json(), encoding="utf-8")
    (folder.path / f"{4:032x}.json").write_text(" " * 100_000, encoding="utf-8")
    (folder.path / f"{5:032x}.json").symlink_to("/dev/zero")
    assert [each.id for each in folder.all()] == [proposal(1).id]


def test_decided_ones_are_kept_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.mcp_server.proposals.MAX_KEPT", 3)
    folder = ProposalFolder(tmp_path)
    for number in range(5):
        made = proposal(number, made_at=NOW + timedelta(minutes=number))
        folder.add(made, NOW)
        folder.write(made.decided("rejected", "no", now=NOW, operator="anna", row=None))
    assert [each.id for each in folder.all()] == [proposal(number).id for number in (2, 3, 4)]
