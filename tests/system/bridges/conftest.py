"""Brokers that the tests of this folder share: each is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.lab_brokers.mosquitto import mosquitto_of_a_lab
from tests.support.lab_brokers.rabbitmq import rabbitmq
from tests.support.lab_brokers.way import Way


@pytest.fixture(scope="session")
def mosquitto_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    """The ways to a Mosquitto."""
    with mosquitto_of_a_lab(tmp_path_factory.mktemp("mosquitto")) as ways:
        yield ways


@pytest.fixture(scope="session")
def rabbitmq_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Way]]:
    """The ways to a RabbitMQ, which takes some ten seconds to start."""
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as ways:
        yield ways
