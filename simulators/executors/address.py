"""What `simulator.executor` may say: nothing, or where a Dask scheduler is."""

from __future__ import annotations

import re
from typing import Final

DASK: Final = "dask"
DASK_TLS: Final = "dask+tls"

_SCHEMES: Final = {DASK: "tcp", DASK_TLS: "tls"}
"""Our word for a way to reach a scheduler -> Dask's own."""

_ADDRESS: Final = re.compile(
    r"(?P<scheme>dask|dask\+tls)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})/?"
)

_MAX_PORT: Final = 65_535

EXPECTED: Final = "dask://HOST:PORT or dask+tls://HOST:PORT of a Dask scheduler, or nothing"


def scheduler_address(executor: str) -> str:
    """Return a scheduler's address as Dask writes it, such as `tcp://host:8786`.

    Raises:
        ValueError: When it is none, for a validator.
    """
    match = _ADDRESS.fullmatch(executor)
    if match is None or not 0 < int(match["port"]) <= _MAX_PORT:
        message = f"{executor!r} is no executor; expected {EXPECTED}"
        raise ValueError(message)
    return f"{_SCHEMES[match['scheme']]}://{match['host']}:{match['port']}"
