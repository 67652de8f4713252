"""One thread, as in the child processes of a lab: the same sums in the same order, and no waiting for other cores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from protocols.extras import is_installed, load


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    if is_installed("tblite"):
        load("tblite.interface")  # a library can be limited once it is there
    with threadpool_limits(1):
        yield
