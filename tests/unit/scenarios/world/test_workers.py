"""Processes that share work import nothing of the current folder, and what was set for them does not stay."""

from __future__ import annotations

import os

import pytest

from scenarios.world.workers import SAFE_PATH_VARIABLE, safe_path


@pytest.mark.parametrize("before", [None, "", "1"])
def test_the_safe_path_holds_for_what_starts_meanwhile_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is None:
        monkeypatch.delenv(SAFE_PATH_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(SAFE_PATH_VARIABLE, before)
    with safe_path():
        assert os.environ[SAFE_PATH_VARIABLE] == "1"
    assert os.environ.get(SAFE_PATH_VARIABLE) == before
