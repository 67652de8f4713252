"""People operate a campaign: each of the twelve orders is answered, whatever broker it goes over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import BrokerError
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Workbench
from tests.system.operating.bench import (
    REACHED_S,
    ask,
    assert_sound,
    at_work,
    broker_with_parts,
    fates,
    free_candidates,
    write_rows,
)

pytestmark = pytest.mark.system

BROKERS = [("embedded", "3.1.1"), ("mosquitto", "5"), ("mosquitto", "3.1.1")]


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


def test_each_of_the_twelve_orders_is_carried_out_and_the_run_stays_sound(bench: Workbench) -> None:
    running = at_work(bench)
    one, other, *_ = free_candidates(bench)
    new = write_rows(
        bench.folder / "new.csv",
        ("id", "family", "f0", "f1"), ("New 1", "cubic", 0.1, 0.2), ("new-2", "trigonal", -0.3, 0.4),
    )  # fmt: skip
    old = write_rows(
        bench.folder / "old.csv", ("id", "energy", "standard_deviation"), (one, -0.5, 0.01), (other, 0.25, "")
    )
    for words in (
        ("pause", "--reason", "furnace is cooling"),
        ("resume",),
        ("add-candidate", new),
        ("add-candidate", "id=new-3", "family=cubic", "f0=-1", "f1=0.5"),
        ("add-result", old),
        ("add-result", "new-2", "-1.5", "--standard-deviation", "0.1"),
        ("amend", "new-2", "-1.25"),
        ("retract", one),
        ("exclude", "new-3"),
        ("requeue", one),
        ("approve", "0"),
        ("veto", "1"),
        ("set-budget", "14"),
        ("stop",),
    ):
        ended = ask(bench, *words)
        assert (ended.code, fates(ended)) == (0, ["accepted"]), (words, ended.err)
        (order,) = json.loads(ended.out)["orders"]
        assert (order["row"] > 0, len(order["digest"])) == (True, 64)
    assert running.finish().code == 0
    kinds = {row[0] for row in bench.rows("SELECT DISTINCT kind FROM journal")}
    assert {
        "CampaignPaused", "CampaignResumed", "CampaignStopping", "CandidateExcluded", "CandidateRequeued",
        "CandidatesAdded", "ObservationAdded", "ObservationRetracted", "ObservationAmended", "DecisionApproved",
        "DecisionVetoed", "BudgetSet",
    } <= kinds  # fmt: skip
    assert_sound(bench)
    assert not (bench.runs / "lab" / "connection.json").exists()
    gone = ask(bench, "resume")
    assert (gone.code, "No agent works on" in gone.err, "--resume" in gone.err) == (10, True, True)


def test_an_order_that_cannot_be_carried_out_is_refused_with_the_reason_and_changes_nothing(bench: Workbench) -> None:
    at_work(bench)
    (known,) = bench.rows("SELECT candidate_id FROM observation LIMIT 1")[0]
    free = free_candidates(bench)[0]
    assert ask(bench, "retract", known).code == 0
    refused = {
        ("exclude", "m999"): "not in the pool",
        ("exclude", "Nobody's"): "no candidate of the pool is called",
        ("retract", known): "is retracted already",
        ("retract", free): "has no value",
        ("amend", free, "1"): "has no value",
        ("requeue", free): "",
        ("add-result", free, "99"): "expected -9 to 9",
        ("add-result", free, "1", "--unit", "meV"): "expected 'eV'",
        ("approve", "77"): "does not wait for approval",
        ("set-budget", "1"): "candidates are requested",
        ("add-candidate", "id=x", "family=liquid", "f0=1", "f1=2"): "is none of the pool's",
    }
    before = bench.rows("SELECT count(*) FROM journal WHERE kind != 'ControlRefused'")
    for words, why in refused.items():
        ended = ask(bench, *words)
        assert (ended.code, fates(ended)) == (9, ["refused"]), (words, ended.out, ended.err)
        assert why in ended.err, ended.err
    assert bench.rows("SELECT count(*) FROM journal WHERE kind != 'ControlRefused'") == before


def test_a_command_that_comes_again_under_its_message_id_changes_nothing(bench: Workbench) -> None:
    at_work(bench)
    free = free_candidates(bench)
    old = write_rows(bench.folder / "old.csv", ("id", "energy"), *((each, 0.5) for each in free[:3]))
    for words in (("pause",), ("add-result", old), ("set-budget", "20")):
        named = (*words, "--message-id", f"once-{words[0]}")
        first, again = ask(bench, *named), ask(bench, *named)
        assert (first.code, fates(first)) == (0, ["accepted"]), first.err
        assert (again.code, fates(again)) == (0, ["duplicate"]), again.err
        rows = [json.loads(each.out)["orders"][0]["row"] for each in (first, again)]
        assert rows[0] == rows[1]


def test_a_long_table_goes_in_as_many_messages_as_it_needs_and_one_of_them_may_be_refused(bench: Workbench) -> None:
    at_work(bench)
    rows = [(f"n{number:04d}", "cubic", number / 100, 0.5) for number in range(300)]
    new = write_rows(bench.folder / "new.csv", ("id", "family", "f0", "f1"), *rows)
    added = ask(bench, "add-candidate", new)
    assert (added.code, set(fates(added)), len(fates(added))) == (0, {"accepted"}, 5), added.err
    values = [(row[0], 0.1 if number != 250 else 99) for number, row in enumerate(rows)]
    old = write_rows(bench.folder / "old.csv", ("id", "energy"), *values)
    known = ask(bench, "add-result", old, "--message-id", "earlier")
    assert (known.code, fates(known)) == (9, ["accepted", "refused"]), known.err
    assert "value 51 of 100" in known.err
    old = write_rows(bench.folder / "old.csv", ("id", "energy"), *((row[0], 0.1) for row in rows))
    right = ask(bench, "add-result", old, "--message-id", "earlier")
    assert (right.code, fates(right)) == (0, ["duplicate", "accepted"]), right.err
    assert bench.count("ObservationAdded") == 300


@pytest.mark.parametrize(("kind", "version"), BROKERS)
def test_an_operator_with_an_account_of_its_own_operates_where_the_access_list_holds(
    bench: Workbench, kind: str, version: str
) -> None:
    require(kind)
    url, accounts = broker_with_parts(bench, kind)
    spoken = ("--set", f'broker.version="{version}"')
    own = ("--broker", url, *spoken, "--set", f"broker.credentials_file={accounts / 'agent.json'}")
    at_work(bench, *own, command="agent")
    as_ann = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(accounts / "ann.json"), "ENTROPILOT_BROKER__VERSION": version}
    where = ("--broker", url, "--campaign", "lab")
    told = bench.entropilot("control", *where, "pause", "--operator", "ann", *REACHED_S, env=as_ann)
    assert (told.code, "accepted  pause" in told.out) == (0, True), told.err
    by_folder = ask(bench, "resume", "--operator", "ann", env=as_ann)
    assert by_folder.code == 0, by_folder.err
    words = ("add-result", free_candidates(bench)[0], "0.5", "--operator", "ann")
    unknown = bench.entropilot("control", *where, *words, env=as_ann)  # nothing is measured yet, so nobody has said
    assert (unknown.code, "--property and --unit" in unknown.err) == (2, True), unknown.err
    what = ("--property", "energy", "--unit", "eV")
    value = bench.entropilot("control", *where, *words, *what, *REACHED_S, env=as_ann)
    assert value.code == 0, value.err
    rows = bench.rows("SELECT json_extract(payload, '$.operator') FROM journal WHERE kind = 'ObservationAdded'")
    assert rows == [("ann",)]
    for name in ("observer", "simulator-1"):  # who may not say it
        other = as_ann | {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(accounts / f"{name}.json")}
        denied = bench.entropilot("control", *where, "stop", "--operator", "ann", "--timeout", "2", env=other)
        if kind == "mosquitto" and version == "5":
            assert (denied.code, "The broker refuses an order on" in denied.err) == (4, True), denied.err
        else:  # which has no word for it
            assert (denied.code, "has no answer" in denied.err) == (10, True), denied.err
    assert bench.count("CampaignStopping") == 0


@pytest.mark.parametrize(("kind", "version"), BROKERS)
def test_orders_are_signed_where_keys_are_there(bench: Workbench, kind: str, version: str) -> None:
    require(kind)
    keys = bench.folder / "keys"
    assert bench.entropilot("keys", str(keys), "--instrument", "simulator-1", "--operator", "ann").code == 0
    url = bench.start_broker(kind)
    flags = ("--broker", url, "--set", f'broker.version="{version}"', "--set", f"signing.keys={keys / 'agent.keys'}")
    at_work(bench, *flags, "--set", "campaign.require_signatures=true", command="agent")
    spoken = {"ENTROPILOT_BROKER__VERSION": version}
    by_folder = ask(bench, "pause")  # the agent's file has ann's key, and no other operator's
    assert by_folder.code == 0, by_folder.err
    where = ("--broker", url, "--campaign", "lab")
    own = ("--keys", str(keys / "ann.keys"), *REACHED_S, "--json")
    told = bench.entropilot("control", *where, "resume", *own, env=spoken)
    assert (told.code, json.loads(told.out)["signed"]) == (0, True), told.err
    signed = (
        "SELECT json_extract(payload, '$.signed_by') FROM journal WHERE kind IN ('CampaignPaused', 'CampaignResumed')"
    )
    assert bench.rows(signed) == [("ann",), ("ann",)]
    nobody = bench.entropilot("control", *where, "stop", "--operator", "bob", *own)
    assert (nobody.code, "has no key of operator 'bob'" in nobody.err) == (2, True)
    silent = bench.entropilot("control", *where, "stop", "--operator", "ann", "--timeout", "2", env=spoken)
    assert (silent.code, "has no answer" in silent.err, "--message-id" in silent.err) == (10, True, True)
    assert bench.count("CampaignStopping") == 0


def test_a_broker_without_an_agent_and_one_that_is_not_there_are_told_apart(bench: Workbench) -> None:
    require("mosquitto")
    url = bench.start_broker("mosquitto")
    where = ("--campaign", "nobodys", "pause", "--timeout", "2", "--json")
    alone = bench.entropilot("control", "--broker", url, *where)
    assert (alone.code, fates(alone)) == (10, ["not_sent"]), alone.err
    assert "nobody listens to it, says the broker: nothing has changed" in alone.err
    away = bench.entropilot("control", "--broker", "mqtt://127.0.0.1:9", *where)
    assert away.code == 4, away.err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ((), 2, "Nothing is asked for"),
        (("paws",), 2, "did you mean 'pause'?"),
        (("pause", "now"), 2, "pause"),
        (("exclude",), 2, "exclude CANDIDATE"),
        (("amend", "m001", "much"), 2, "no number such as -1.25"),
        (("approve", "first"), 2, "no whole number"),
        (("pause", "--raison", "x"), 2, "no option '--raison'"),
        (("pause", "--message-id", "Ä"), 2, "no message id"),
        (("pause", "--operator", "agent"), 2, "no operator's id"),
        (("add-result", "nothing.csv"), 3, "There is no table"),
        (("add-result", "wrong.csv"), 3, "does not say whose its values are"),
        (("add-result", "half.csv"), 3, "has an empty cell"),
        (("add-candidate", "wrong.csv"), 3, "has no column"),
        (("add-candidate", "id=x", "family=cubic", "f0=1"), 3, "has no column 'f1'"),
        (("add-candidate", "id=x", "family=cubic", "f0=1", "f1=much"), 3, "what was typed"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_sent(
    bench: Workbench, words: tuple[str, ...], code: int, why: str
) -> None:
    write_rows(bench.folder / "wrong.csv", ("name", "amount"), ("m001", 1))
    write_rows(bench.folder / "half.csv", ("id", "energy"), ("", 1))
    # Nobody is there: what is told is told without the broker.
    where = ("--broker", "mqtt://127.0.0.1:9", "--campaign", "lab", "--scenario", "lab.toml")
    ended = bench.entropilot("control", *where, *words)
    assert (ended.code, why in ended.err) == (code, True), ended.err


def test_a_run_is_operated_while_it_makes_keys_of_its_own(bench: Workbench) -> None:
    at_work(bench, "--set", "campaign.require_signatures=true")
    ended = ask(bench, "stop")
    assert (ended.code, json.loads(ended.out)["operator"], json.loads(ended.out)["signed"]) == (0, "operator", True)
