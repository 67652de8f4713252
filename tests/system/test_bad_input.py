"""Every bad input ends with one clear message, an exit code, no traceback, in time, and with nothing lost."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from ase.build import bulk

from protocols.errors import BrokerError, CampaignFellShort
from protocols.link.broker_settings import MqttVersion
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.support.commands import LAB_TOML, PATIENCE_S, Finished, Workbench, until
from tests.support.table_run import CANDIDATES
from tests.support.transport_worlds import PASSWORD, USER, MosquittoWorld

pytestmark = pytest.mark.system

SETTINGS, TABLE, BROKER, STORE, HALTED = 2, 3, 4, 5, 6
"""Exit codes by what is to be fixed (`protocols.errors`)."""

INTERRUPTED = 130
"""Exit code of a run that a person ended."""

TIME_BOUND_S = PATIENCE_S / 2
"""How long bad input may take to be told on a loaded machine; on an idle one it is two seconds."""

NOWHERE = ("--broker", "mqtt://127.0.0.1:1", "--set", "broker.first_connect_timeout_s=0.5")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A finished run; tests take copies of its folder."""
    with Workbench(tmp_path_factory.mktemp("finished")) as bench:
        ended = bench.entropilot("run", "lab.toml", "--quiet")
        assert (ended.code, ended.err) == (0, "")
        yield bench


@pytest.fixture
def lab_run(finished: Workbench, bench: Workbench) -> Path:
    """A copy of the finished run, in the test's own workbench."""
    folder = bench.runs / "lab"
    shutil.copytree(finished.runs / "lab", folder)
    return folder


def assert_told(ended: Finished, code: int, *words: str) -> None:
    """One message in our form, with these words, and nothing else."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert ended.err.count("error: ") == 1
    assert "fault of Entropilot" not in ended.err
    assert "  expected: " in ended.err or "  what to do: " in ended.err
    for word in words:
        assert word in ended.err


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- before anything is made -----------------------------------------------------------------------------------------


def write(name: str, content: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        (folder / name).write_text(content, encoding="utf-8")

    return prepare


def rewrite_table(change: Callable[[list[list[str]]], list[list[str]]]) -> Callable[[Path], None]:
    """Change the rows of the table; the first is its header."""

    def rewrite(folder: Path) -> None:
        with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
            rows = change(list(csv.reader(file)))
        with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    return rewrite


def with_cell(row: int, text: str) -> Callable[[list[list[str]]], list[list[str]]]:
    return lambda rows: [[*cells[:-1], text] if number == row else cells for number, cells in enumerate(rows)]


def with_family(row: int, family: str) -> Callable[[list[list[str]]], list[list[str]]]:
    def change(rows: list[list[str]]) -> list[list[str]]:
        place = rows[0].index("family")
        return [
            [*cells[:place], family, *cells[place + 1 :]] if number == row else cells
            for number, cells in enumerate(rows)
        ]

    return change


def nothing(_folder: Path) -> None:
    pass


@dataclass(frozen=True)
class Bad:
    """A bad input of `entropilot run`, and what must be said of it."""

    code: int
    words: tuple[str, ...]
    scenario: str = "lab.toml"
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] = nothing


BAD: dict[str, Bad] = {
    "unknown scenario": Bad(
        SETTINGS, ("no scenario or pack 'oracle_tabel'", "did you mean 'oracle_table'?"), "oracle_tabel"
    ),
    "missing scenario file": Bad(SETTINGS, ("no scenario or pack 'absent.toml'", "emt_alloys, "), "absent.toml"),
    "scenario is no TOML": Bad(
        SETTINGS, ("lab.toml is not valid TOML", "line 1"), prepare=write("lab.toml", "name = lab")
    ),
    "unknown setting in the scenario": Bad(
        SETTINGS,
        ("no setting campaign.bugdet (from lab.toml, line 21)", "campaign.budget"),
        prepare=write("lab.toml", LAB_TOML.replace("budget", "bugdet")),
    ),
    "the only setting of a table is misspelt, and no other fault is told": Bad(
        SETTINGS,
        ("error: There is no setting campaign.bugdet (from lab.toml, line 21).", "use campaign.budget"),
        prepare=write("lab.toml", LAB_TOML[: LAB_TOML.index("[campaign]")] + "[campaign]\nbugdet = 12\n"),
    ),
    "a table's property is left out, and what follows from it is not told as well": Bad(
        SETTINGS,
        ("error: pool.columns.property is not set",),
        prepare=write("lab.toml", LAB_TOML.replace('property = "energy"\n', "")),
    ),
    "unknown setting in a further file": Bad(
        SETTINGS,
        ("no setting simulator.latencey (from over.toml, line 1)", "simulator.latency"),
        flags=("--settings", "over.toml"),
        prepare=write("over.toml", "simulator.latencey = 1"),
    ),
    "unknown setting in the environment": Bad(
        SETTINGS,
        ("(from ENTROPILOT_CAMPAIGN__BUGDET)", "ENTROPILOT_CAMPAIGN__BUDGET"),
        environment={"ENTROPILOT_CAMPAIGN__BUGDET": "3"},
    ),
    "unknown setting of --set": Bad(
        SETTINGS, ("no setting campaign.paralel", "campaign.parallel"), flags=("--set", "campaign.paralel=3")
    ),
    "wrong type in the scenario": Bad(
        SETTINGS,
        ('start.size is "many" (from lab.toml, line 17)', "a whole number"),
        prepare=write("lab.toml", LAB_TOML.replace("size = 24", 'size = "many"')),
    ),
    "wrong type in the environment": Bad(
        SETTINGS,
        ('campaign.seed is "first" (from ENTROPILOT_CAMPAIGN__SEED)', "a whole number"),
        environment={"ENTROPILOT_CAMPAIGN__SEED": "first"},
    ),
    "wrong type of --set": Bad(
        SETTINGS, ('campaign.budget is "lots" (from --set campaign.budget)',), flags=("--set", "campaign.budget=lots")
    ),
    "a wrong column is told once, not where the campaign and the lab take it from as well": Bad(
        SETTINGS,
        ("error: pool.columns.unit is 5 (from lab.toml, line 12).", "expected: text"),
        prepare=write("lab.toml", LAB_TOML.replace('unit = "eV"', "unit = 5")),
    ),
    "settings that contradict each other": Bad(
        SETTINGS, ("batch = 5 is more than parallel = 4",), flags=("--set", "campaign.batch=5")
    ),
    "unknown policy": Bad(
        SETTINGS, ('campaign.policy is "elat" (from --policy)', "did you mean 'etal'?"), flags=("--policy", "elat")
    ),
    "policy with wrong options": Bad(
        SETTINGS, ("'random'", "patience"), flags=("--set", "campaign.policy_options.patience=3")
    ),
    "misspelt option of a policy": Bad(
        SETTINGS,
        ("use patience instead of patienc in [campaign.policy_options]",),
        flags=("--policy", "etal", "--set", "campaign.policy_options.patienc=3"),
    ),
    "database that is none": Bad(STORE, ("'foo' is no URL of a database",), flags=("--database", "foo")),
    "database of another kind": Bad(
        STORE, ("'mysql://x/y' is no URL of a database", "sqlite:///FILE"), flags=("--database", "mysql://x/y")
    ),
    "minimum of a start set that is empty": Bad(
        SETTINGS,
        ("start.size is 0, and start.minimum_per_family is 5 (from lab.toml, line 18)", "or no minimum"),
        flags=("--set", "start.size=0"),
    ),
    "broker that is none": Bad(SETTINGS, ("'http://lab' is no broker",), flags=("--broker", "http://lab")),
    "name that is none": Bad(
        SETTINGS, ("'My campaign' cannot be the name of a campaign",), flags=("--campaign", "My campaign")
    ),
    "--resume without a run": Bad(STORE, ("no run to resume at runs/lab",), flags=("--resume",)),
    "--resume of another name": Bad(
        STORE, ("no run to resume at runs/other",), flags=("--resume", "--campaign", "other")
    ),
    "runs folder is a file": Bad(STORE, ("table.csv/lab", "--runs"), flags=("--runs", "table.csv")),
    "missing table": Bad(TABLE, ("no table absent.csv",), flags=("--set", "pool.path=absent.csv")),
    "missing column": Bad(
        TABLE, ("table.csv has no column 'famly'", "'family'"), flags=("--set", "pool.columns.family=famly")
    ),
    "empty file": Bad(TABLE, ("table.csv is empty",), prepare=write("table.csv", "")),
    "table without rows": Bad(TABLE, ("table.csv has no rows",), prepare=rewrite_table(lambda rows: rows[:1])),
    "NaN in the table": Bad(TABLE, ("'energy'", "line 5", "table.csv"), prepare=rewrite_table(with_cell(4, "nan"))),
    "text in the table": Bad(TABLE, ("'energy'", "line 5", "low"), prepare=rewrite_table(with_cell(4, "low"))),
    "value out of range": Bad(TABLE, ("line 5", "99"), prepare=rewrite_table(with_cell(4, "99"))),
    "values that are all equal": Bad(
        TABLE,
        ("Every candidate has energy = 2", 'on_no_entropy = "warn"'),
        prepare=rewrite_table(lambda rows: [rows[0], *([*cells[:-1], "2"] for cells in rows[1:])]),
    ),
    "a family of one": Bad(
        TABLE,
        ("families have a single candidate, whose entropy says nothing: 'alone'", 'on_no_entropy = "warn"'),
        prepare=rewrite_table(with_family(1, "alone")),
    ),
    "the same id twice": Bad(TABLE, ("m000",), prepare=rewrite_table(lambda rows: [*rows, rows[1]])),
    "nobody is left to choose": Bad(
        TABLE, (f"All {CANDIDATES} candidates are in the start set",), flags=("--set", f"start.size={CANDIDATES}")
    ),
    "a lab's table in which all is measured": Bad(
        TABLE,
        (f"All {CANDIDATES} candidates are in the start set", "rows with an empty 'energy'"),
        flags=("--set", "pool.columns.on_missing=unknown", "--set", "start.size=0"),
    ),
    "a lab's table that is to play the lab": Bad(
        SETTINGS,
        ("cannot play the lab", "entropilot agent"),
        flags=("--set", "pool.columns.on_missing=unknown", "--set", "start.size=0"),
        prepare=rewrite_table(with_cell(4, "")),
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_is_told_before_anything_is_made(bad: Bad, bench: Workbench) -> None:
    bad.prepare(bench.folder)
    began = time.monotonic()
    ended = bench.entropilot("run", bad.scenario, *bad.flags, env=bad.environment)
    assert time.monotonic() - began < TIME_BOUND_S
    assert_told(ended, bad.code, *bad.words)
    assert not bench.runs.exists()


def test_a_flag_with_a_wrong_value_is_told_with_its_name(bench: Workbench) -> None:
    ended = bench.entropilot("run", "lab.toml", "--budget", "0")
    assert (ended.code, ended.out, "Traceback" in ended.err) == (SETTINGS, "", False)
    assert "--budget" in ended.err
    assert not bench.runs.exists()


@pytest.mark.parametrize("command", ["agent", "simulator"])
def test_the_parts_tell_bad_input_as_a_run_does(command: str, bench: Workbench) -> None:
    ended = bench.entropilot(command, "lab.toml", "--campaign", "My campaign")
    assert_told(ended, SETTINGS, "'My campaign' cannot be the name of a campaign")
    assert not bench.runs.exists()


@pytest.mark.parametrize("command", ["agent", "shadow", "simulator", "record -o x.jsonl", "play"])
def test_who_starts_no_broker_refuses_those_of_a_run(command: str, bench: Workbench) -> None:
    of_a_file = command.startswith("record")
    arguments = (*command.split(), *(() if of_a_file else ("lab.toml",)))
    ended = bench.entropilot(*arguments, "--broker", "embedded")
    assert_told(ended, SETTINGS, "`entropilot run` starts for itself", "`entropilot broker embedded`")
    assert not bench.runs.exists()


@pytest.mark.parametrize(
    "command", ["run", "agent", "shadow", "simulator", "record -o x.jsonl", "replay", "what-if", "play"]
)
def test_an_empty_campaign_is_refused_everywhere(command: str, bench: Workbench) -> None:
    arguments = (*command.split(), *(() if command.startswith("record") else ("lab.toml",)))
    assert_told(bench.entropilot(*arguments, "--campaign", ""), SETTINGS, "'' cannot be the name of a campaign")
    assert not bench.runs.exists()


@pytest.mark.parametrize(
    ("arguments", "now"),
    [
        ("replay lab --live", "play"),
        ("replay lab --speed max", "play"),
        ("replay lab --policy random", "what-if"),
        ("replay lab --out folder", "what-if"),
        ("agent lab.toml --shadow --resume", "shadow"),
    ],
)
def test_an_option_that_is_a_command_now_is_refused_with_its_name(arguments: str, now: str, bench: Workbench) -> None:
    assert_told(bench.entropilot(*arguments.split()), SETTINGS, f"is called `entropilot {now}` now")
    assert not bench.runs.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("run table.csv", SETTINGS, ("'table.csv' is a table, not a scenario or pack", "entropilot trim")),
        ("report lab.toml", STORE, ("'lab.toml' is a scenario, not a run", "entropilot run lab.toml")),
        ("why emt_alloys 0", STORE, ("'emt_alloys' is a scenario and a recording, not a run", "below runs")),
        ("replay lab.toml", STORE, ("'lab.toml' is a scenario, not a recording, run or pack",)),
        ("what-if table.csv", STORE, ("'table.csv' is a table, not a recording, run or pack",)),
        ("diff lab.toml lab.toml", STORE, ("'lab.toml' is a scenario, not a run, recording or pack",)),
        ("verify lab.toml", STORE, ("'lab.toml' is a scenario, not a run, recording or pack",)),
        ("pack table.csv", STORE, ("'table.csv' is a table, not a run, recording or scenario",)),
        ("trim flaky_netwrk --keep 3", TABLE, ("no table, scenario or pack 'flaky_netwrk'", "'flaky_network'?")),
    ],
)
def test_a_name_of_another_kind_is_told_with_its_kind(
    arguments: str, code: int, words: tuple[str, ...], bench: Workbench
) -> None:
    assert_told(bench.entropilot(*arguments.split()), code, *words)
    assert not bench.runs.exists()


@pytest.mark.parametrize("command", ["report", "broker"])
def test_other_commands_tell_what_they_do_not_know(command: str, bench: Workbench) -> None:
    assert_told(bench.entropilot(command, "rabbit"), {"report": STORE, "broker": SETTINGS}[command], "'rabbit'")


# --- what is taken when asked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy", ["coverage", "etal", "gap_gain", "joint_entropy", "round_robin", "uncertainty", "random"]
)
def test_a_family_of_one_and_equal_values_run_to_their_end_when_asked(policy: str, bench: Workbench) -> None:
    write("table.csv", "id,family,f0,f1,energy\na,x,0,1,2\nb,x,1,2,2\nc,x,2,2,2\nd,x,3,2,2\ne,y,2,3,2\n")(bench.folder)
    columns = ("--set", "pool.columns.on_no_entropy=warn")
    flags = ("--policy", policy, "--set", "start.size=2", "--set", "start.minimum_per_family=0", "--json", *columns)
    ended = bench.entropilot("run", "lab.toml", *flags)
    assert ended.code == 0, ended.err
    assert "Every candidate has energy = 2: equal values leave nothing to balance" in ended.err
    assert "1 of 2 families have a single candidate, whose entropy says nothing: 'y'" in ended.err
    summary = json.loads(ended.out)
    assert (summary["observations"], summary["stopped_because"]) == (5, "no candidate is left")
    x, y = (family["entropy"] for family in summary["after"]["families"])
    assert summary["after"]["entropy_range"] == abs(x - y)


def test_a_policy_that_can_do_nothing_with_a_table_ends_at_once_and_says_why(bench: Workbench) -> None:
    write("table.csv", "id,family,f0,f1,energy\na,x,0,1,2\nb,x,1,2,3\nc,x,2,2,4\nd,x,3,2,5\ne,y,2,3,6\n")(bench.folder)
    start = ("--set", "start.size=2", "--set", "start.minimum_per_family=0", "--set", "pool.columns.on_no_entropy=warn")
    flags = ("--policy", "etal_reference", *start, "--json")
    for resume in ((), ("--resume",)):
        ended = bench.entropilot("run", "lab.toml", *flags, *resume)
        assert ended.code == CampaignFellShort.exit_code, ended.err
        assert "nothing more to ask for" in ended.err
        summary = json.loads(ended.out)
        assert (summary["observations"], summary["spent"], summary["random"]) == (2, 0, None)
        assert summary["stopped_because"] == (
            "the policy has nothing more to ask for: no family with candidates is left: "
            "0 brought no gain 5 times in a row, 2 without a defined entropy"
        )
    assert bench.entropilot("verify", "lab").code == 0


# --- trouble with the lab --------------------------------------------------------------------------------------------


IRON_TOML = """
name = "iron"

[pool]
source = "table"
path = "iron.csv"

[pool.columns]
id = "id"
family = "crystal_system"
structure = "structure"
property = "formation_energy_per_atom"
unit = "eV/atom"
features = ["f0"]
on_missing = "unknown"

[campaign]
budget = 8
policy = "random"
give_up_after = 3

[simulator]
evaluator = "ase"
calculator = "emt"
"""


def write_iron_scenario(folder: Path) -> None:
    """Four measured crystals of copper, and eight of iron, which EMT does not know."""
    with (folder / "iron.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "crystal_system", "structure", "f0", "formation_energy_per_atom"])
        for number in range(12):
            crystal = bulk("Cu", "fcc", a=3.6) if number < 4 else bulk("Fe", "bcc", a=2.8 + 0.01 * number)
            structure = {
                "cell": crystal.cell.tolist(),
                "symbols": crystal.get_chemical_symbols(),
                "scaled_positions": crystal.get_scaled_positions().tolist(),
            }
            value = number / 10 if number < 4 else ""
            rows.writerow([f"c{number:02d}", "cubic", json.dumps(structure), number, value])
    (folder / "iron.toml").write_text(IRON_TOML, encoding="utf-8")


def test_structures_that_the_calculator_does_not_know_are_abandoned_until_the_campaign_pauses(
    bench: Workbench,
) -> None:
    write_iron_scenario(bench.folder)
    ended = bench.entropilot("run", "iron.toml", "--quiet")
    assert_told(ended, HALTED, "The campaign paused itself: the last 3 candidates were all abandoned", "--resume")
    assert "simulator-1 does not take Fe (it takes Ag, Al, Au, Cu, Ni, Pd, Pt)" in ended.err
    assert "runs/iron/agent.jsonl" in ended.err
    query = "SELECT json_extract(payload, '$.reason') FROM journal WHERE kind = 'CandidateAbandoned'"
    reasons = [row[0] for row in bench.rows(query, "iron")]
    assert len(reasons) == 3
    unasked = [each for each in reasons if "nobody was asked for it" in each]
    asked = [each for each in reasons if each.startswith("unsupported: the structure has Fe")]  # before it was known
    assert len(unasked) + len(asked) == 3
    assert unasked
    told = bench.entropilot("report", "iron", "--json")
    assert json.loads(told.out)["stopped_because"] == "the last 3 candidates were all abandoned"
    again = bench.entropilot("run", "iron.toml", "--quiet", "--resume")  # the lab is not fixed: three more
    assert_told(again, HALTED, "the last 3 candidates were all abandoned")
    assert bench.summary("iron")["abandoned"] == 6


# --- trouble with the disk -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [20_000, 200_000], ids=["at the start", "on the way"])
def test_a_full_disk_ends_a_run_and_resume_completes_it(limit: int, bench: Workbench) -> None:
    pytest.importorskip("resource", reason="the limit of a file's size is set as on Unix")
    ended = bench.entropilot("run", "lab.toml", "--quiet", file_limit=limit)
    assert_told(ended, STORE, "runs/lab/campaign.db", "nothing that was committed is lost")
    kept = bench.rows("SELECT sequence, digest FROM journal ORDER BY sequence")
    assert bool(kept) == (limit > 100_000)
    again = bench.entropilot("run", "lab.toml", "--quiet", "--resume")
    assert (again.code, again.out, again.err) == (0, "", "")
    assert bench.rows("SELECT sequence, digest FROM journal ORDER BY sequence")[: len(kept)] == kept
    assert (bench.summary()["spent"], bench.summary()["observations"]) == (12, 36)


# --- trouble with the broker -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_a_port_in_use_is_told(kind: str, bench: Workbench) -> None:
    if kind == "mosquitto":
        require_mosquitto()
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        ended = bench.entropilot("broker", kind, "--port", str(port))
    assert "broker_started" not in ended.err
    shown = ended.err[ended.err.index("error: ") :]
    assert_told(Finished(ended.code, ended.out, shown), BROKER, f"127.0.0.1:{port}", "in use", "--port")


@pytest.mark.parametrize("command", ["run", "agent", "simulator"])
def test_no_broker_is_told_and_resume_goes_on_when_there_is_one(command: str, bench: Workbench) -> None:
    began = time.monotonic()
    quiet = () if command == "simulator" else ("--quiet",)
    ended = bench.entropilot(command, "lab.toml", *NOWHERE, *quiet)
    assert time.monotonic() - began < TIME_BOUND_S
    shown = ended.err[ended.err.index("error: ") :]
    assert_told(Finished(ended.code, ended.out, shown), BROKER, "No MQTT broker answers at mqtt://127.0.0.1:1")
    if command == "run":
        again = bench.entropilot("run", "lab.toml", "--quiet", "--resume")
        assert (again.code, bench.summary()["spent"]) == (0, 12), again.err


@pytest.mark.parametrize(
    ("url", "advice"),
    [("mqtt://127.0.0.1:1", "entropilot broker"), ("mqtt://nobody.invalid", "correct the name in --broker")],
)
def test_who_ends_without_ever_having_been_connected_is_told_so(
    url: str, advice: str, lab_run: Path, bench: Workbench
) -> None:
    for ended in listeners_left_after(2, url, lab_run, bench):  # past the duration, and not yet past the patience
        assert_told(ended, BROKER, f"No MQTT broker answers at {url}", advice)


def test_who_is_left_waiting_by_a_server_that_says_nothing_is_not_told_to_start_it(
    lab_run: Path, bench: Workbench
) -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:  # the system takes connections for it
        url = f"mqtt://{LOOPBACK}:{silent.getsockname()[1]}"
        told = listeners_left_after(8, url, lab_run, bench)  # they have asked in vain once, and whether TLS is spoken
    for ended in told:
        assert_told(ended, BROKER, "does not answer our greeting", "whether it hangs")
        assert "start it" not in ended.err
        assert "never retrieved" not in ended.err


def listeners_left_after(seconds: float, url: str, lab_run: Path, bench: Workbench) -> list[Finished]:
    """End all kinds of listeners, which have waited so long for a broker; what each tells, from its error on."""
    record, shadow, play = parts = [
        bench.start(*arguments, "--broker", url)
        for arguments in (
            ("record", "-o", "heard.jsonl", "--duration", "1", "--json"),
            ("shadow", "lab.toml", "--campaign", "other", "--json"),
            ("play", str(lab_run)),
        )
    ]
    until((bench.folder / "heard.jsonl.part").exists, f"it does not begin: {record.said}")
    until((bench.runs / "other-shadow" / "agent.jsonl").exists, f"it does not begin: {shadow.said}")
    until(lambda: f"connecting to {url}" in play.said, f"it does not begin: {play.said}")
    time.sleep(seconds)
    assert [part.process.poll() for part in parts] == [None] * len(parts)
    told = [part.end() for part in parts]
    assert not list(bench.folder.glob("heard*"))
    return [Finished(each.code, each.out, each.err[each.err.index("error: ") :]) for each in told]


def test_a_recorder_gives_up_on_a_broker_that_is_not_there(bench: Workbench) -> None:
    patience = {"ENTROPILOT_BROKER__FIRST_CONNECT_TIMEOUT_S": "0.5"}
    ended = bench.entropilot("record", "-o", "heard.jsonl", "--broker", NOWHERE[1], "--duration", "60", env=patience)
    assert_told(ended, BROKER, "No MQTT broker answers at mqtt://127.0.0.1:1")


async def test_a_wrong_password_is_told_and_resume_goes_on_with_the_right_one(bench: Workbench) -> None:
    require_mosquitto()
    folder = bench.folder / "mosquitto"
    folder.mkdir()
    world = MosquittoWorld(folder, MqttVersion.V5)
    await world.start()
    try:
        wrong, right = ({"ENTROPILOT_BROKER__PASSWORD": word} for word in ("guess", PASSWORD))
        url = f"mqtt://{USER}@{LOOPBACK}:{world.port}"
        ended = await asyncio.to_thread(bench.entropilot, "run", "lab.toml", "--quiet", "--broker", url, env=wrong)
        assert_told(ended, BROKER, f"{LOOPBACK}:{world.port} refuses us", "ENTROPILOT_BROKER__PASSWORD")
        assert "guess" not in ended.err
        resume = ("run", "lab.toml", "--quiet", "--resume", "--broker", url)
        again = await asyncio.to_thread(bench.entropilot, *resume, env=right)
    finally:
        await world.stop()
    assert (again.code, again.err, bench.summary()["spent"]) == (0, "", 12)
    written = b"".join(path.read_bytes() for path in (bench.runs / "lab").iterdir())
    assert b"open sesame" not in written
    assert quote(PASSWORD).encode() not in written


def require_mosquitto() -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)


# --- trouble with a run folder ---------------------------------------------------------------------------------------


def test_a_second_agent_on_a_campaign_is_refused_and_the_first_goes_on_and_can_be_resumed(bench: Workbench) -> None:
    slow = ("--set", "simulator.latency.mean_s=30", "--quiet")
    first = bench.start("run", "lab.toml", *slow)
    bench.wait_for_events("RequestIssued", 4)
    second = bench.entropilot("run", "lab.toml", *slow, "--resume")
    assert_told(second, STORE, f"Another agent (process {first.process.pid}) works on runs/lab", "--campaign")
    assert first.process.poll() is None
    ended = first.end()
    assert (ended.code, ended.out, "Traceback" in ended.err) == (INTERRUPTED, "", False)
    assert "The campaign is not finished; resume it with --resume --campaign lab" in ended.err
    again = bench.entropilot("run", "lab.toml", "--quiet", "--resume")
    assert (again.code, again.err, bench.summary()["spent"]) == (0, "", 12)


def test_a_new_campaign_in_a_folder_that_has_one_is_refused(lab_run: Path, bench: Workbench) -> None:
    before = digest_of(lab_run / "campaign.db")
    ended = bench.entropilot("run", "lab.toml", "--campaign", "lab")
    assert_told(ended, STORE, "runs/lab holds a campaign already", "--resume")
    assert digest_of(lab_run / "campaign.db") == before


def move(folder: Path) -> str:
    folder.rename(folder.with_name("moved"))
    return "moved"


def take_another_table(folder: Path) -> str:
    rewrite_table(lambda rows: rows[:-1])(folder.parents[1])
    return "lab"


def make_newer(folder: Path) -> str:
    with sqlite3.connect(folder / "campaign.db") as connection:
        connection.execute("INSERT INTO schema_migration VALUES (99, 'in some years')")
    connection.close()
    return "lab"


def change_a_value(folder: Path) -> str:
    with sqlite3.connect(folder / "campaign.db") as connection:
        connection.execute("UPDATE journal SET payload = replace(payload, 'm0', 'm1') WHERE sequence = 5")
    connection.close()
    return "lab"


def flip_bytes_of_a_page(folder: Path) -> str:
    """Overwrite the page headers in the middle of the file, as a dying disk does."""
    path = folder / "campaign.db"
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = bytes(byte ^ 0xFF for byte in content[page : page + 64])
    path.write_bytes(content)
    return "lab"


def flip_bytes_of_the_header(folder: Path) -> str:
    path = folder / "campaign.db"
    content = path.read_bytes()
    path.write_bytes(bytes(byte ^ 0xFF for byte in content[:100]) + content[100:])
    return "lab"


def put_another_database(folder: Path) -> str:
    (folder / "campaign.db").unlink()
    with sqlite3.connect(folder / "campaign.db") as connection:
        connection.execute("PRAGMA journal_mode = wal")  # of another mode, opening it would change the mode
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    return "lab"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (move, ("belongs to another campaign (lab", "moved", "--campaign")),
        (take_another_table, ("belongs to another pool of candidates", "table that it was started with")),
        (make_newer, ("schema version 99", "at most 3", "use the newer Entropilot")),
        (change_a_value, ("Row 5 of the journal", "was changed", "restore the run folder from a copy")),
        (flip_bytes_of_a_page, ("campaign.db", "is damaged", "restore the folder from a copy")),
        (flip_bytes_of_the_header, ("campaign.db", "not a database", "restore it from a copy")),
        (put_another_database, ("other tables (recipes)", "choose another file")),
    ],
)
def test_a_run_folder_that_does_not_fit_is_told_and_left_as_it_is(
    spoil: Callable[[Path], str], words: tuple[str, ...], lab_run: Path, bench: Workbench
) -> None:
    campaign = spoil(lab_run)
    before = {path.name: digest_of(path) for path in (bench.runs / campaign).iterdir() if path.suffix != ".lock"}
    ended = bench.entropilot("run", "lab.toml", "--campaign", campaign, "--resume")
    assert_told(ended, STORE, *words)
    after = {path.name: digest_of(path) for path in (bench.runs / campaign).iterdir() if path.name in before}
    assert after == before


def test_resuming_with_other_settings_names_each_of_them(lab_run: Path, bench: Workbench) -> None:
    before = digest_of(lab_run / "campaign.db")
    flags = ("--resume", "--budget", "20", "--seed", "5", "--set", "campaign.max_attempts=7")
    ended = bench.entropilot("run", "lab.toml", *flags)
    assert_told(ended, STORE, "max_attempts: 3 then, 7 now", "seed: 0 then, 5 now", "together with --resume")
    assert digest_of(lab_run / "campaign.db") == before
