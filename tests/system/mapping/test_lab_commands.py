"""From a table to a lab that answers: the commands that begin, show and try a mapping, and how they end."""

from __future__ import annotations

import json

import pytest

from scenarios.broker.broker import LOOPBACK
from scenarios.settings.library import library_mappings
from tests.support.commands import Workbench
from tests.support.mapping.campaigns import CAMPAIGN, agent, named, results, working
from tests.support.mapping.devices import Device, strength_mpa
from tests.support.mapping.scenarios import KNOWN, SCENARIO, TABLE, TEMPERATURE, write_recipes

pytestmark = pytest.mark.system

STARTED = "recipes-lab.toml"
DONE = ("--topic", "lab/furnace/done", "--payload", '{"job": "a1", "value": 412, "error": 2}')


class Furnace(Device):
    """Forty lines at most, and none of ours: it takes a job, and answers with a number."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, ("lab/furnace/run",))

    def act(self, topic: str, payload: bytes, message: object) -> None:
        job = json.loads(payload)
        answer = {"job": job["job"], "value": strength_mpa(job["temperature"], job["minutes"]), "error": 2.0}
        self.say("lab/furnace/done", json.dumps(answer))


@pytest.mark.parametrize("known", [KNOWN, 0])
def test_a_start_is_written_tried_and_closes_the_loop_as_it_is(bench: Workbench, port: int, known: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, TEMPERATURE, "strength", "MPa", known=known)}
    (bench.folder / SCENARIO).unlink()
    begun = bench.entropilot("init", "lab", TABLE, "--unit", "MPa", "--instrument", "furnace")
    assert (begun.code, begun.err) == (0, "")
    assert STARTED in begun.out
    sent = bench.entropilot("lab", "try", STARTED, "--candidate", "S 20", "--json")
    assert sent.code == 0, sent.err
    assert json.loads(json.loads(sent.out)["sent"][0]["payload"])["sample"] == "S 20"
    heard = bench.entropilot("lab", "try", STARTED, *DONE)
    assert (heard.code, heard.err) == (0, "")
    assert "412 ± 2 MPa" in heard.out
    (bench.folder / STARTED).rename(bench.folder / SCENARIO)
    with working(Furnace(LOOPBACK, port)):
        ended = agent(bench, port, None, "--budget", "4").finish()
    assert ended.code == 0, ended.err
    assert bench.summary(CAMPAIGN)["spent"] == 4
    for result in results(bench):
        row = rows[named(result["candidate_id"])]
        assert result["quantities"][0]["value"] == pytest.approx(strength_mpa(row["temperature"], row["minutes"]))


def test_a_message_that_does_not_fit_is_refused_with_its_rule_and_a_code(bench: Workbench) -> None:
    refused = bench.entropilot("lab", "try", "plc", "--topic", "plc/Press_01/PV/density", "--payload", "7,8")
    assert (refused.code, refused.out) == (1, "")
    assert "[lab.result.payload]" in refused.err
    assert bench.entropilot("lab", "try", "phone", "--topic", "bench/anna/value", "--payload", "7,8").code == 0
    kept = ("--topic", "bench/anna/value", "--payload", "7,8", "--retained")
    assert "kept this message" in bench.entropilot("lab", "try", "phone", *kept).err


def test_a_mapping_that_is_wrong_is_told_with_its_line_before_anything_is_connected(bench: Workbench) -> None:
    shown = bench.entropilot("lab", "show", "plc")
    assert (shown.code, shown.err) == (0, "")
    broken = shown.out.replace("g/cm^3", "g/cm^").replace("{instrument}/ALARM", "{instument}/ALARM")
    (bench.folder / "plc.toml").write_text(broken, encoding="utf-8")
    write_recipes(bench.folder, TEMPERATURE, "density", "kg/m^3")
    for command in (("lab", "try", SCENARIO), ("agent", SCENARIO, "--broker", "mqtt://127.0.0.1:1")):
        refused = bench.entropilot(*command, "--settings", "plc.toml")
        assert refused.code == 2
        assert "lab.failure.topic (from plc.toml, line" in refused.err
        assert "did you mean 'instrument'?" in refused.err
        assert "lab.result.quantities.density.unit (from plc.toml, line" in refused.err


def test_a_feature_that_the_table_has_not_is_told_with_its_line_once_the_table_is_read(bench: Workbench) -> None:
    write_recipes(bench.folder, TEMPERATURE, "strength", "MPa")
    text = bench.entropilot("lab", "show", "plain_json").out.replace("feature.minutes", "feature.minute")
    (bench.folder / "mine.toml").write_text(text, encoding="utf-8")
    line = text[: text.index("feature.minute")].count("\n") + 1
    for command in (("lab", "try", SCENARIO), ("agent", SCENARIO, "--broker", "mqtt://127.0.0.1:1")):
        refused = bench.entropilot(*command, "--settings", "mine.toml")
        assert refused.code == 2
        assert f"(from mine.toml, line {line})" in refused.err
        assert "did you mean 'minutes'?" in refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lab", "test", "plc"), "There is no `entropilot lab test`"),
        (("lab", "try"), "needs a mapping"),
        (("lab", "show"), ", ".join(library_mappings())),
        (("lab", "try", "plc", "--topic", "x"), "both --topic and --payload"),
        (("lab", "try", "lab.toml"), "no [lab] section"),
        (("init", "broker", "table.csv"), "There is no `entropilot init broker`"),
        (("init", "lab", "table.csv", "--instrument", "My Lab"), "is no id"),
    ],
)
def test_what_cannot_be_meant_is_refused(bench: Workbench, arguments: tuple[str, ...], words: str) -> None:
    refused = bench.entropilot(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in refused.err


def test_a_table_that_is_none_is_refused_as_one(bench: Workbench) -> None:
    refused = bench.entropilot("init", "lab", "nowhere.csv")
    assert refused.code == 3
    assert bench.entropilot("init", "lab", "table.csv", "--property", "enrgy").code == 3


def test_a_run_of_a_lab_that_is_elsewhere_says_what_to_do(bench: Workbench) -> None:
    write_recipes(bench.folder, TEMPERATURE, "strength", "MPa")
    (bench.folder / "lab-only.toml").write_text(bench.entropilot("lab", "show", "plain_json").out, encoding="utf-8")
    refused = bench.entropilot("run", SCENARIO, "--settings", "lab-only.toml", "--quiet")
    assert refused.code == 2
    assert "use `entropilot agent`" in refused.err
