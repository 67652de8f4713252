"""Whole campaigns whose messages are signed: over both brokers, in processes of their own, with keys of all sorts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from protocols.errors import BrokerError
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Finished, Part, Workbench, live_at, until

pytestmark = pytest.mark.system

BUDGET = 12
REQUIRED = ("--set", "campaign.require_signatures=true")
OLDER = ("--set", 'broker.version="3.1.1"')


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["embedded", "mosquitto, MQTT 5", "mosquitto, MQTT 3.1.1"])
def reached(request: pytest.FixtureRequest, bench: Workbench) -> tuple[str, ...]:
    """Flags that reach a broker in a process of its own."""
    kind, _, version = request.param.partition(", ")
    require(kind)
    return (
        "--broker",
        broker_of(bench, kind),
        "--set",
        "broker.reconnect_min_s=0.1",
        *(OLDER if version != "MQTT 5" else ()),
    )


@pytest.fixture
def mosquitto(bench: Workbench) -> tuple[str, ...]:
    """Flags that reach a Mosquitto."""
    require("mosquitto")
    return ("--broker", broker_of(bench, "mosquitto"), "--set", "broker.reconnect_min_s=0.1")


def broker_of(bench: Workbench, kind: str) -> str:
    """Start a broker; return its URL, whose name and password its parts find by themselves."""
    return bench.start_broker(kind)


def require(kind: str) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)


def keys(bench: Workbench, *words: str) -> Path:
    """Make the keys of the lab; return their folder."""
    folder = bench.folder / "keys"
    made = bench.entropilot("keys", str(folder), "--instrument", "simulator-1", *words)
    assert (made.code, made.err) == (0, "")
    return folder


def agent(bench: Workbench, reached: tuple[str, ...], keys: Path, *additional: str) -> Part:
    own = ("--set", f"signing.keys={keys / 'agent.keys'}")
    return bench.start("agent", "lab.toml", *reached, *own, *REQUIRED, "--quiet", *additional)


def simulator(bench: Workbench, reached: tuple[str, ...], keys: Path | None, *additional: str) -> Part:
    own = () if keys is None else ("--set", f"signing.keys={keys}")
    return bench.start("simulator", "lab.toml", *reached, *own, *additional)


def assert_finished(bench: Workbench, ended: Finished) -> None:
    """All results are there, each journalled with who signed it; the run is sound, and its recording makes it again."""
    assert (ended.code, ended.err) == (0, "")
    rows = bench.rows("SELECT json_extract(payload, '$.signed_by') FROM journal WHERE kind = 'ResultAccepted'")
    assert rows == [("simulator-1",)] * BUDGET
    for command in ("verify", "replay"):
        checked = bench.entropilot(command, "lab")
        assert checked.code == 0, checked.err


def quarantined(bench: Workbench) -> set[str]:
    """Return the reasons for which messages were quarantined."""
    return {reason for (reason,) in bench.rows("SELECT reason FROM quarantine")}


def of_results(bench: Workbench) -> list[tuple[str, ...]]:
    """Return the results that were quarantined."""
    return bench.rows("SELECT topic FROM quarantine WHERE topic LIKE '%/result/%'")


def test_a_campaign_whose_parts_sign_in_processes_of_their_own_finishes(
    bench: Workbench, reached: tuple[str, ...]
) -> None:
    folder = keys(bench)
    asking = agent(bench, reached, folder)
    simulator(bench, reached, folder / "simulator-1.keys")
    assert_finished(bench, asking.finish())
    assert quarantined(bench) == set()
    lines = [json.loads(line) for line in (bench.runs / "lab" / "recording.jsonl").read_text().splitlines()]
    assert {row["signed_by"] for row in lines if row.get("dir") == "in"} == {"agent", "simulator-1"}


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_a_run_that_requires_signatures_makes_its_own_keys_and_keeps_them(bench: Workbench, broker: str) -> None:
    require(broker)
    halted = bench.entropilot("run", "lab.toml", *REQUIRED, "--broker", broker, "--budget", str(BUDGET), "--quiet")
    assert_finished(bench, halted)
    own = bench.runs / "lab" / "signing.keys"
    assert own.stat().st_mode & 0o777 == 0o600
    assert not any("signing" in line for line in (bench.runs / "lab" / "recording.jsonl").read_text().splitlines()[:1])


@pytest.mark.parametrize("scenario", ["flaky_network", "three_crashes", "four_instruments"])
def test_trouble_makes_no_difference_to_a_signed_campaign(bench: Workbench, scenario: str) -> None:
    words = ("run", scenario, *REQUIRED, "--budget", str(BUDGET), "--set", "crashes.at=[3, 6]", "--quiet")
    assert bench.entropilot(*words).code == 0
    rows = bench.rows(
        "SELECT json_extract(payload, '$.signed_by') = json_extract(payload, '$.simulator') FROM journal "
        "WHERE kind = 'ResultAccepted'",
        scenario,
    )
    assert rows == [(1,)] * BUDGET
    assert bench.rows("SELECT reason FROM quarantine", scenario) == []
    for command in ("verify", "replay"):
        checked = bench.entropilot(command, scenario)
        assert checked.code == 0, checked.err


def test_a_wrong_key_is_named_on_both_sides_and_heals_when_it_is_put_right(
    bench: Workbench, mosquitto: tuple[str, ...]
) -> None:
    folder = keys(bench)
    old = (folder / "simulator-1.keys").read_bytes()
    keys(bench, "--renew", "simulator-1")
    wrong = folder / "wrong.keys"
    wrong.write_bytes(old)
    wrong.chmod(0o600)
    strange = simulator(bench, mosquitto, wrong)
    # First: what it is asked for before it is there would be asked again only on its word, which is not believed.
    heard = ("status", *mosquitto[:2], "--json")
    until(lambda: "simulator-1" in bench.entropilot(*heard).out, "the instrument is not there")
    asking = agent(bench, mosquitto, folder)
    strange.wait_for("reason=wrong_signature")
    until(lambda: bool(quarantined(bench)), "nothing was quarantined")
    assert bench.count("ResultAccepted") == 0
    strange.end()
    simulator(bench, mosquitto, folder / "simulator-1.keys")
    assert_finished(bench, asking.finish())
    assert quarantined(bench) == {"wrong_signature"}
    assert bench.count("AttemptFailed") == bench.count("RequestExpired") == 0


def test_a_lab_that_does_not_sign_is_not_heard_until_it_does(bench: Workbench, mosquitto: tuple[str, ...]) -> None:
    folder = keys(bench)
    live = live_at(int(mosquitto[1].rpartition(":")[2]))  # what it can do is not signed either
    asking = agent(bench, mosquitto, folder, "--set", "campaign.max_attempts=1", *live)
    silent = simulator(bench, mosquitto, None)
    until(lambda: bool(of_results(bench)), "no result was quarantined")
    silent.end()
    simulator(bench, mosquitto, folder / "simulator-1.keys")
    assert_finished(bench, asking.finish())
    assert quarantined(bench) == {"unsigned"}


def test_a_missing_key_is_told_before_anything_is_made(bench: Workbench, mosquitto: tuple[str, ...]) -> None:
    folder = keys(bench)
    without = bench.entropilot("agent", "lab.toml", *mosquitto, *REQUIRED)
    assert (without.code, "no keys are set" in without.err, "entropilot keys" in without.err) == (2, True, True)
    lacking = agent(bench, mosquitto, folder, "--set", 'campaign.recipients=["oven"]').finish()
    assert (lacking.code, "has no key of 'oven'" in lacking.err) == (2, True)
    nobody = simulator(bench, mosquitto, folder / "agent.keys", "--id", "oven").finish()
    assert (nobody.code, "has no key of 'oven'" in nobody.err) == (2, True)
    (folder / "agent.keys").chmod(0o644)
    open_to_all = agent(bench, mosquitto, folder).finish()
    assert (open_to_all.code, "can be read or written by others" in open_to_all.err) == (2, True)
    assert not (bench.runs / "lab").exists()


def test_whoever_records_beside_a_signed_campaign_with_its_keys_can_replay_it(
    bench: Workbench, mosquitto: tuple[str, ...]
) -> None:
    folder = keys(bench)
    simulator(bench, mosquitto, folder / "simulator-1.keys").wait_for("link_up")
    out, other = bench.folder / "heard.jsonl", bench.folder / "other.jsonl"
    words = ("record", *mosquitto[:2], "--scenario", "lab.toml", "--quiet", "--out")
    listening = bench.start(*words, str(out), "--keys", str(folder / "agent.keys"))
    without = bench.start(*words, str(other))
    for path in (out, other):  # the simulator's status is kept, so whoever listens has heard it
        until(partial(has_a_status, path), f"nothing was recorded in {path}")
    asking = agent(bench, mosquitto, folder)
    assert_finished(bench, asking.finish())
    for each in (listening, without):
        assert each.end().code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert {row.get("signed_by") for row in rows if row["text"]} == {
        "agent",
        "simulator-1",
    }  # an empty one says nothing
    for heard in (out, other):
        replayed = bench.entropilot("replay", str(heard))
        assert (replayed.code, f"{BUDGET} of {BUDGET} decisions identical" in replayed.out) == (0, True), replayed.err


def test_a_shadow_with_the_keys_takes_what_is_signed_and_refuses_the_rest(
    bench: Workbench, mosquitto: tuple[str, ...]
) -> None:
    folder = keys(bench)
    own = ("--set", f"signing.keys={folder / 'agent.keys'}", *REQUIRED)
    shadow = bench.start("shadow", "lab.toml", *mosquitto, *own, "--json")
    until(lambda: "link_up" in log_of(bench, "lab-shadow"), "the shadow has no link")
    simulator(bench, mosquitto, None).wait_for("link_up").end()  # whose status is not signed
    simulator(bench, mosquitto, folder / "simulator-1.keys")
    assert_finished(bench, agent(bench, mosquitto, folder).finish())
    seen = shadow.finish()
    assert (seen.code, json.loads(seen.out)["chosen"]) == (0, BUDGET)
    assert "It is not signed" in log_of(bench, "lab-shadow")


def log_of(bench: Workbench, folder: str) -> str:
    """Return the log of a run folder."""
    log = bench.runs / folder / "agent.jsonl"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def has_a_status(path: Path) -> bool:
    """Tell whether a recording that goes on has a status."""
    part = Path(f"{path}.part")
    return part.exists() and "/status/" in part.read_text(encoding="utf-8")
