"""The rule of this folder: a unit test starts no process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import processes

BEFORE = {"starts": 0}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Note what was started before this test and its fixtures."""
    BEFORE["starts"] = processes.starts()


@pytest.fixture(autouse=True)
def no_process_is_started() -> Iterator[None]:
    """Fail a test here that starts a process, or whose fixtures do: its place is tests/system."""
    yield
    if processes.starts() != BEFORE["starts"]:
        pytest.fail("It starts a process; tests/README.md says where such a test belongs.", pytrace=False)
