"""The proxy spoils exactly what it says, and nothing when it is told nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from scenarios.broker.tcp_proxy import BOTH, Direction
from tests.support.tcp_proxy import SpoilingFaults, SpoilingProxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(peer: socket.socket) -> None:
        with peer:
            try:
                while chunk := peer.recv(4096):
                    peer.sendall(chunk)
            except OSError:
                pass  # cut by the proxy

    def accept() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[SpoilingProxy]:
    with SpoilingProxy(echo, seed=1) as opened:
        yield opened


@pytest.fixture
def client(proxy: SpoilingProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5.0) as opened:
        yield opened


def said_back(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    heard = b""
    while len(heard) < len(words):
        chunk = client.recv(4096)
        if not chunk:
            break
        heard += chunk
    return heard


def test_without_faults_everything_passes_unchanged(client: socket.socket) -> None:
    words = bytes(range(256)) * 64
    assert said_back(client, words) == words


def test_a_delay_holds_every_chunk_up_in_both_directions(proxy: SpoilingProxy, client: socket.socket) -> None:
    proxy.faults.delay_s = 0.1
    began = time.monotonic()
    assert said_back(client, b"late") == b"late"
    assert time.monotonic() - began >= 0.2


def test_a_rate_bounds_the_bytes_a_second(proxy: SpoilingProxy, client: socket.socket) -> None:
    proxy.faults.rate_bytes_s = 10_000.0
    began = time.monotonic()
    assert said_back(client, b"x" * 1_000) == b"x" * 1_000
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("hold", [BOTH, frozenset({Direction.UP}), frozenset({Direction.DOWN})])
def test_a_held_link_says_nothing_and_passes_on_when_released(
    proxy: SpoilingProxy, client: socket.socket, hold: frozenset[Direction]
) -> None:
    proxy.faults.hold = hold
    client.sendall(b"hello")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(10)
    proxy.heal()
    client.settimeout(5.0)
    assert client.recv(10) == b"hello"


def test_a_cut_resets_the_connection(proxy: SpoilingProxy, client: socket.socket) -> None:
    assert said_back(client, b"hello") == b"hello"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_a_half_closed_client_hears_the_end_and_may_still_speak(proxy: SpoilingProxy, client: socket.socket) -> None:
    assert said_back(client, b"hello") == b"hello"
    proxy.half_close()
    assert client.recv(10) == b""
    client.sendall(b"is anybody there")
    assert len(proxy.connections) == 1


def test_a_refusing_proxy_ends_new_connections_and_keeps_old_ones(proxy: SpoilingProxy, client: socket.socket) -> None:
    assert said_back(client, b"hello") == b"hello"
    proxy.faults.refuse = True
    with (
        pytest.raises(ConnectionError),  # at once, or when it first listens
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5.0) as second,
    ):
        assert second.recv(10)
    assert said_back(client, b"hello") == b"hello"


def test_corruption_flips_one_bit_of_a_chunk_in_the_direction_it_is_set_for(
    proxy: SpoilingProxy, client: socket.socket
) -> None:
    proxy.faults = SpoilingFaults(corrupt=1.0, corrupted=frozenset({Direction.DOWN}))
    heard = said_back(client, b"\x00" * 100)
    assert sum(byte.bit_count() for byte in heard) == proxy.counts["corrupted"] >= 1
