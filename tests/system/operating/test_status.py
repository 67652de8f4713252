"""Whoever comes late knows at once where every campaign of a broker stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import BrokerError
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Workbench, until
from tests.system.operating.bench import REACHED_S, at_work, broker_with_parts

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def require(kind: str) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)


def seen(bench: Workbench, url: str, *flags: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what the command says of each campaign, by name."""
    ended = bench.entropilot("status", "--broker", url, "--json", *flags, env=env or {})
    assert ended.code == 0, ended.err
    return {each["campaign"]: each for each in json.loads(ended.out)["campaigns"]}


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_an_observer_sees_a_campaign_that_is_paused_and_one_that_is_finished(bench: Workbench, kind: str) -> None:
    require(kind)
    url, accounts = broker_with_parts(bench, kind)
    own = ("--broker", url, "--set", f"broker.credentials_file={accounts / 'agent.json'}")
    running = at_work(bench, *own, command="agent")
    as_ann = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(accounts / "ann.json")}
    pause = ("control", "lab", "pause", "--operator", "ann", "--reason", "lunch", *REACHED_S)
    assert bench.entropilot(*pause, env=as_ann).code == 0
    as_observer = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(accounts / "observer.json")}
    until(lambda: seen(bench, url, env=as_observer)["lab"]["state"]["phase"] == "paused", "it is not paused")
    lab = seen(bench, url, env=as_ann)["lab"]  # who operates may look as well
    assert (lab["state"]["spent"], lab["state"]["budget"], lab["agent"]["health"]) == (0, 12, "online")
    assert "lunch" in lab["state"]["reason"]
    assert lab["state"]["since"] is not None
    told = bench.entropilot("status", "--broker", url, env=as_observer)
    assert (told.code, told.err) == (0, "")
    for words in ("lab", "paused", "0 of 12", "online", "lunch"):
        assert words in told.out
    stop = ("control", "lab", "stop", "--operator", "ann", *REACHED_S)
    assert bench.entropilot(*stop, env=as_ann).code == 0
    assert running.finish().code in {0, 8}  # nothing was measured
    only = seen(bench, url, "--campaign", "lab", env=as_observer)
    assert (only["lab"]["state"]["phase"], only["lab"]["agent"]) == ("finished", None)


def test_an_empty_broker_and_none_are_told_apart(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    empty = bench.entropilot("status", "--broker", url)
    assert (empty.code, "No campaign is known at" in empty.out) == (0, True), empty.err
    assert "--campaign" in empty.err
    impatient = {"ENTROPILOT_BROKER__FIRST_CONNECT_TIMEOUT_S": "1"}
    away = bench.entropilot("status", "--broker", "mqtt://127.0.0.1:9", env=impatient)
    assert (away.code, away.out) == (4, "")
    named = bench.entropilot("status", "--broker", url, "--campaign", "No Name")
    assert (named.code, "cannot be the name of a campaign" in named.err) == (2, True)
