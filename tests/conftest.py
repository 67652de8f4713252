"""Settings of the whole suite, and the rule that no process outlives the test that started it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests.support import processes

# Machines are shared: no test is timed.
settings.register_profile("patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Credentials of brokers that tests start are not kept in the home of whoever runs the tests.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="entropilot-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

processes.keep_ignoring_interrupts()
processes.end_with_children_on_sigterm()
processes.watch_starts()

KNOWN: set[psutil.Process] = set()
"""What fixtures of a wider scope have started: it may outlive a test."""

COUNTED = {"starts": 0}


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """Fail a test after which a process is alive that it started; end that process."""
    if processes.starts() != COUNTED["starts"]:  # by a fixture of a wider scope
        KNOWN.update(processes.ours())
    COUNTED["starts"] = processes.starts()
    yield
    if processes.starts() == COUNTED["starts"]:
        return
    COUNTED["starts"] = processes.starts()
    left = processes.end_what_is_left(KNOWN)
    if left:
        pytest.fail("It left processes behind, which are ended now:\n" + "\n".join(left), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing is left at the end, whatever started it."""
    if not hasattr(session.config, "workerinput") and session.config.getoption("numprocesses", default=None):
        return  # the workers of pytest-xdist ask for themselves
    left = processes.end_what_is_left(set()) if processes.starts() else []
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nprocesses were left behind, which are ended now:\n" + "\n".join(left))
