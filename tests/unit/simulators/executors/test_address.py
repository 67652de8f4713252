"""Only a scheduler's address is an executor."""

from __future__ import annotations

import pytest

from simulators.executors.address import scheduler_address
from simulators.settings import SimulatorSettings


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("dask://localhost:8786", "tcp://localhost:8786"),
        ("dask://10.0.0.7:8786/", "tcp://10.0.0.7:8786"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
        ("dask+tls://scheduler.lab.example:8786", "tls://scheduler.lab.example:8786"),
    ],
)
def test_the_address_is_as_dask_writes_it(said: str, address: str) -> None:
    assert scheduler_address(said) == address
    assert SimulatorSettings(executor=said).executor == said


@pytest.mark.parametrize(
    "said", ["dask", "dask://", "dask://host", "dask://host:0", "dask://host:70000", "dask://a@host:1", "ray://host:1",
             "tcp://host:8786", "dask://host:8786/path", "dask://host name:1"]
)  # fmt: skip
def test_whatever_else_is_refused_with_what_was_expected(said: str) -> None:
    with pytest.raises(ValueError, match="dask://HOST:PORT"):
        SimulatorSettings(executor=said)
