"""A worker is refused for what it is, and never for a scheduler that was lost while it was asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simulators.executors.dask.cluster import _is_of_the_connection

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")


def test_a_question_that_was_lost_with_its_connection_says_nothing_of_the_worker() -> None:
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    running, lost = SimpleNamespace(status="running"), SimpleNamespace(status="connecting")
    cancelled = FutureCancelledError("admit-1", "scheduler-connection-lost")
    assert _is_of_the_connection(running, cancelled)
    assert _is_of_the_connection(running, CommClosedError("closed"))
    assert _is_of_the_connection(lost, ValueError("whatever"))


def test_what_a_worker_itself_cannot_do_is_told_of_it() -> None:
    running = SimpleNamespace(status="running")
    for error in (ValueError("another version"), ModuleNotFoundError("no ase"), FileNotFoundError("no python")):
        assert not _is_of_the_connection(running, error)
