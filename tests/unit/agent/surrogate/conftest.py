"""One BLAS thread for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the process that runs a policy has it: small matrices lose by more threads, and bits may change."""
    with threadpool_limits(1, user_api="blas"):
        yield
