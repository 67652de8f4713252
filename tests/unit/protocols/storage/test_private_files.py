"""What a run writes is for its owner alone, and what is made outside of it as it always was; secrets are always."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.storage.private_files import SecretFile, make_private_folder, private_files, write_secret
from protocols.storage.run_lock import RunLock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows no such rights")


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _usual_mask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_run_folder_and_all_that_is_made_in_it_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "c"
    with RunLock(folder / "campaign.lock", holder="agent", advice=""):
        (folder / "campaign.db").write_text("")
        (folder / "deeper").mkdir()
    assert [rights(folder), rights(folder / "deeper")] == [0o700, 0o700]
    assert [rights(folder / name) for name in ("campaign.lock", "campaign.db")] == [0o600, 0o600]
    assert rights(tmp_path / "runs") == 0o755


def test_the_mask_is_as_before_afterwards_also_when_something_failed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_files():
        (tmp_path / "a").write_text(str(1 // 0))
    (tmp_path / "b").write_text("")
    assert rights(tmp_path / "b") == 0o644


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o750)
    make_private_folder(tmp_path / "shared")
    assert rights(tmp_path / "shared") == 0o750


SECRET = b"open sesame"
KIND = SecretFile("secret file", 100, expected="a secret", action="make one")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    write_secret(path, SECRET)
    return path


def test_a_secret_is_its_owners_alone_whatever_lay_there_before_and_is_read_back(tmp_path: Path, secret: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"another's")
    secret.unlink()
    secret.symlink_to(elsewhere)
    before = os.umask(0)
    try:
        write_secret(secret, SECRET)
    finally:
        os.umask(before)
    assert (rights(secret), KIND.read(secret)) == (0o600, SECRET)
    assert elsewhere.read_bytes() == b"another's"
    assert sorted(tmp_path.iterdir()) == [elsewhere, secret], "nothing is left beside it"


def test_a_secret_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_secret(tmp_path / "folder", SECRET)
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o602, 0o610, 0o601, 0o777])
def test_a_secret_that_others_may_touch_is_refused_with_what_to_do(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(SettingsError, match=rf"The secret file {secret} can be read or written by others") as caught:
        KIND.read(secret)
    assert f"(mode {mode:04o})" in caught.value.found
    assert f"chmod 600 {secret}" in caught.value.action


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_secret_of_another_user_is_refused_but_not_roots(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(secret, 12345, 12345)
    with pytest.raises(SettingsError, match="belongs to another user"):
        KIND.read(secret)
    os.chown(secret, 0, 0)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert KIND.read(secret) == SECRET


def test_what_is_too_large_no_file_or_not_there_is_told_by_its_kind_without_what_is_in_it(secret: Path) -> None:
    pipe = secret.with_name("pipe")
    os.mkfifo(pipe, 0o600)
    large = secret.with_name("large")
    write_secret(large, SECRET * 10)
    faults = {
        pipe: "is no file",
        large: "larger than 100 bytes",
        secret.parent: "Is a directory",
        Path("none"): "No such",
    }
    for path, why in faults.items():
        with pytest.raises(SettingsError, match=f"The secret file {path} .*{why}") as caught:
            KIND.read(path)
        assert caught.value.action == "make one"
        assert "sesame" not in str(caught.value)
