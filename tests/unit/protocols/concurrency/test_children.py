from __future__ import annotations

import os

import pytest

from protocols.concurrency.children import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_only_cores_that_the_process_may_use_count() -> None:
    bound = os.sched_getaffinity(0)
    assert usable_cores() == len(bound)
    try:
        os.sched_setaffinity(0, {min(bound)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, bound)
