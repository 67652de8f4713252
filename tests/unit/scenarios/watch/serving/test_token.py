"""A token is random, or kept in a file of its owner's alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from scenarios.watch.serving.token import fresh_token, kept_token


def test_a_file_that_is_missing_is_made_for_its_owner_and_keeps_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = kept_token(path)
    assert (len(token) >= 43, kept_token(path), stat.S_IMODE(path.stat().st_mode)) == (True, token, 0o600)
    assert fresh_token() != fresh_token()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 50, b"two words " * 5])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="holds no token"):
        kept_token(path)


def test_a_file_that_others_can_read_is_refused_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("s" * 43, encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="read or written by others") as refused:
        kept_token(path)
    assert "sss" not in str(refused.value)
