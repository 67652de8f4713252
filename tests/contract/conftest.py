"""Fixtures of the contracts: a world for each broker is made where the transports' own contract is."""

from tests.contract.test_transport import world

__all__ = ["world"]
