"""Whether the broker's name has an address, and who takes connections there."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocols.link.broker_settings import BrokerAddress
from scenarios.doctor.checks import Check, failed, passed, warned

CONNECT_TIMEOUT_S: Final = 5.0
"""How long each address may take to take a connection [s]: as long as a session waits for it."""


@dataclass(frozen=True, slots=True)
class Knock:
    """What became of a connection to one address.

    Attributes:
        address: Where.
        fault: Why there is none; empty where there is one.
        seconds: How long it took [s].
    """

    address: str
    fault: str = ""
    seconds: float = 0.0


def look_up(address: BrokerAddress) -> tuple[Check, tuple[str, ...]]:
    """Ask for the addresses of the broker's name; return them as well."""
    host = address.host
    try:
        found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        action = "correct the name in --broker, or see to this machine's network and its name servers"
        return failed("name", f"no address is known: {said}", action, subject=host), ()
    addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    if addresses == (host,) or _is_address(host):
        return passed("name", "an address, which needs no name server", subject=host), addresses
    return passed("name", ", ".join(addresses), subject=host), addresses


def knock(addresses: Sequence[str], port: int) -> tuple[Knock, ...]:
    """Open a connection to each address, and close it."""
    return tuple(_knock(each, port) for each in addresses)


def judge_knocks(address: BrokerAddress, knocks: Sequence[Knock]) -> Check:
    """Return whether the broker can be reached, over whichever of its addresses."""
    taken, refused = [each for each in knocks if not each.fault], [each for each in knocks if each.fault]
    place = address.place
    if not taken:
        return failed(
            "tcp",
            "; ".join(f"{each.address}: {each.fault}" for each in refused),
            "start the broker, correct --broker, or let the firewall between pass it",
            subject=place,
        )
    words = f"taken within {min(each.seconds for each in taken) * 1000:,.1f} ms"
    if refused:
        faults = "; ".join(f"{each.address}: {each.fault}" for each in refused)
        return warned(
            "tcp",
            f"{words} by {taken[0].address}, and not by all of its addresses ({faults})",
            "take the others out of the name server, or write the one that answers in --broker: each try costs time",
            subject=place,
        )
    return passed("tcp", words, subject=place)


def is_of_this_machine(address: BrokerAddress, addresses: Sequence[str]) -> bool:
    """Tell whether what is sent to a broker leaves this machine."""
    return address.host == "localhost" or all(
        ipaddress.ip_address(each.split("%")[0]).is_loopback for each in addresses
    )


def _knock(address: str, port: int) -> Knock:
    began = time.perf_counter()
    try:
        with socket.create_connection((address, port), timeout=CONNECT_TIMEOUT_S):
            return Knock(address, seconds=time.perf_counter() - began)
    except OSError as error:
        said = error.strerror or str(error) or type(error).__name__
        return Knock(address, "nothing answers" if isinstance(error, TimeoutError) else said)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
