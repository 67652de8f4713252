"""The table of brokers in the documents says what each broker does, row by row."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from scenarios.broker.broker import embedded_broker
from tests.support.documents.markdown import ROOT, Document
from tests.support.lab_brokers.probes import PROBES, Probes
from tests.support.lab_brokers.way import Way

pytestmark = pytest.mark.system

PAGE = Document(ROOT / "docs" / "reference" / "brokers.md")


def told(broker: str) -> dict[str, str]:
    """The column of a broker, by row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.text.splitlines() if "|" in line]
    head = next(row for row in rows if row[0] == "measured")
    column = next(number for number, name in enumerate(head) if name.startswith(broker))
    return {row[0]: row[column] for row in rows if row[0] in PROBES}


def measured(way: Way) -> dict[str, str]:
    """What a broker does, by row."""
    probes = Probes(way)
    return {row: measure(probes) for row, measure in PROBES.items()}


def test_every_row_is_measured() -> None:
    assert list(told("embedded")) == list(PROBES)


async def test_the_embedded_broker_does_what_the_table_says() -> None:
    import asyncio

    async with embedded_broker() as reached:
        address = reached.address()
        assert address.password is not None
        url = f"mqtt://{quote(address.username or '')}@{address.host}:{address.port}"
        found = await asyncio.to_thread(measured, Way(url, password=address.password.get_secret_value()))
    assert found == told("embedded")


def test_mosquitto_does_what_the_table_says(mosquitto_ways: dict[str, Way]) -> None:
    assert measured(mosquitto_ways["mqtt"]) == told("Mosquitto")


def test_rabbitmq_does_what_the_table_says(rabbitmq_ways: dict[str, Way]) -> None:
    assert measured(rabbitmq_ways["mqtt"]) == told("RabbitMQ")
