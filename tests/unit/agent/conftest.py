"""The biased worlds as fixtures; and one thread, as the process has it that runs a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from threadpoolctl import threadpool_limits

from agent.entropy.bias import BiasPoint
from tests.support.biased_worlds import World, biased_world, build_world, play


@pytest.fixture
def biased() -> Callable[..., World]:
    return biased_world


@pytest.fixture
def world_of() -> Callable[..., World]:
    return build_world


@pytest.fixture
def campaign() -> Callable[..., tuple[BiasPoint, BiasPoint]]:
    return play


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the process that runs a policy has it: small matrices lose by more threads, and bits may change."""
    with threadpool_limits(1, user_api="blas"):
        yield
