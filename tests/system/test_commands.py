"""The commands keep what the README says of them: what they write, what they print and where, and how they end."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from protocols.schema.files import SCHEMA_FOLDER
from scenarios.settings.library import LIBRARY
from tests.support.commands import Finished, Workbench, clean_environment
from tests.support.samples.folders import contents

pytestmark = pytest.mark.system

BUDGET = 10
QUICK = ("--set", "simulator.latency.mean_s=0", "--budget", str(BUDGET))
COMMANDS = {
    "Begin": ("init",),
    "Run": ("run", "agent"),
    "Look": ("list", "report", "why", "diff", "watch"),
    "Replay": ("replay", "what-if", "play"),
    "Study": ("compare", "forecast", "global-graph", "pool", "trim", "graph"),
    "Operate": ("control", "status", "alerts", "mcp", "proposals"),
    "Lab": ("simulator", "broker", "shadow", "record", "lab", "keys", "doctor"),
    "Maintain": ("verify", "pack", "export", "backup", "restore", "schema"),
}
"""Groups of `--help`, and all commands in them."""

PASSING = (".lock", ".db-shm", ".db-wal")
"""Files that come and go in a run folder: its lock names whoever came last, and whoever reads a database leaves its
index."""

HEAVY = {"numpy", "scipy", "pandas", "sklearn", "pymatgen", "ase", "matplotlib", "sqlmodel", "sqlalchemy", "aiomqtt",
         "jmespath", "pint"}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workbench, Finished]]:
    """A run of the table that the repository carries; tests only read it."""
    with Workbench(tmp_path_factory.mktemp("ran")) as bench:
        ended = bench.entropilot("run", "oracle_table", *QUICK)
        assert ended.code == 0, ended.err
        yield bench, ended


def folder_of(ran: tuple[Workbench, Finished]) -> Path:
    return ran[0].runs / "oracle_table"


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- what a run writes -----------------------------------------------------------------------------------------------


def test_a_run_tells_its_end_and_the_paths_of_what_it_wrote(ran: tuple[Workbench, Finished]) -> None:
    bench, ended = ran
    assert "stopped because the budget is spent" in ended.out
    for name in (
        "campaign.db",
        "recording.jsonl",
        "agent.jsonl",
        "trajectory.csv",
        "dataset.csv",
        "bias.png",
        "summary.json",
    ):
        assert f"runs/oracle_table/{name}" in ended.out
        assert (folder_of(ran) / name).stat().st_size > 0
    assert bench.summary("oracle_table")["spent"] == BUDGET


def test_the_summary_tells_before_after_and_the_same_budget_at_random(ran: tuple[Workbench, Finished]) -> None:
    summary = ran[0].summary("oracle_table")
    sizes = {when: sum(each["size"] for each in summary[when]["families"]) for when in ("before", "after", "random")}
    assert sizes == {"before": 84, "after": 84 + BUDGET, "random": 84 + BUDGET}
    assert summary["after"]["entropy_range"] < summary["before"]["entropy_range"]


def test_the_recording_is_an_unbroken_chain_that_fits_its_schema(ran: tuple[Workbench, Finished]) -> None:
    lines = (folder_of(ran) / "recording.jsonl").read_text(encoding="ascii").splitlines()
    schema = Draft202012Validator(json.loads((SCHEMA_FOLDER / "recording.schema.json").read_text(encoding="utf-8")))
    digest, time_s = "", 0.0
    for number, line in enumerate(lines):
        row = json.loads(line)
        schema.validate(row)
        bare = line[: line.rindex(', "digest"')] + "}"
        assert (row.get("n", 0), row["digest"]) == (
            number,
            hashlib.sha256(f"{digest}{bare}".encode()).hexdigest()[:16],
        )
        assert row.get("t", 0) >= time_s
        digest, time_s = row["digest"], row.get("t", 0)
    assert json.loads(lines[0])["scenario"]["name"] == json.loads(lines[0])["campaign"] == "oracle_table"


def test_the_recording_holds_every_request_result_and_receipt(ran: tuple[Workbench, Finished]) -> None:
    requested = {row[0] for row in ran[0].rows("SELECT attempt_id FROM request", "oracle_table")}
    assert len(requested) == BUDGET
    passed: dict[tuple[str, str], set[str]] = {}
    for row in json_lines(folder_of(ran) / "recording.jsonl")[1:]:
        if "text" not in row:
            continue  # a note
        message = json.loads(row["text"])
        passed.setdefault((row["dir"], message["type"]), set()).add(message.get("attempt_id", ""))
    for kind in (("out", "candidate_request"), ("in", "candidate_result"), ("out", "result_receipt")):
        assert passed[kind] == requested, kind
    assert {("out", "status"), ("out", "metrics_report"), ("in", "status")} <= set(passed)


def test_every_log_line_has_the_campaign_and_every_observation_its_bias(ran: tuple[Workbench, Finished]) -> None:
    lines = json_lines(folder_of(ran) / "agent.jsonl")
    assert {line["campaign"] for line in lines} == {"oracle_table"}
    trajectory = [line for line in lines if line["event"] == "bias_trajectory"]
    numbers = [line["observation"] for line in trajectory]
    assert numbers == list(range(1, BUDGET + 1))  # observation 0, the start set, is in the CSV
    assert [sum(line["size"].values()) for line in trajectory] == list(range(85, 85 + BUDGET))
    decided = [line for line in lines if line["event"] == "decision"]
    assert [line["decision"] for line in decided] == list(range(BUDGET))
    assert all(line["why"] and line["policy"] == "gap_gain" for line in decided)
    attempts = {line["attempt_id"] for line in lines if line["event"] == "result"}
    assert attempts == {line["attempt_id"] for line in lines if line["event"] == "request"}


def test_the_trajectory_has_a_row_for_every_observation_and_family(ran: tuple[Workbench, Finished]) -> None:
    with (folder_of(ran) / "trajectory.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["observation", "family", "size", "entropy"]
    assert {"entropy_range", "entropy_std", "mean_gap", "starved_family"} <= set(rows[0])
    assert len(rows) == 7 * (BUDGET + 1)
    assert sum(int(row["size"]) for row in rows if row["observation"] == str(BUDGET)) == 84 + BUDGET


def test_the_figure_is_a_whole_png_of_some_size(ran: tuple[Workbench, Finished]) -> None:
    content = (folder_of(ran) / "bias.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds = 8, []
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        kinds.append(body[:4])
        at += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    width, height = struct.unpack(">II", content[16:24])
    assert width >= 800
    assert height >= 400


# --- what it prints --------------------------------------------------------------------------------------------------


def test_quiet_prints_nothing_and_json_nothing_but_json_and_each_run_has_its_own_folder(bench: Workbench) -> None:
    bench.runs = bench.folder / "elsewhere"
    quiet = bench.entropilot("run", "lab.toml", "--quiet", env={"ENTROPILOT_RUNS": "elsewhere"})
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    budget = {"ENTROPILOT_CAMPAIGN__BUDGET": "7"}
    told = bench.entropilot("run", "lab.toml", "--json", "--runs", "elsewhere", env=budget)
    assert (told.code, told.err) == (0, "")
    assert json.loads(told.out) == bench.summary("lab-2")
    assert (bench.summary("lab")["spent"], bench.summary("lab-2")["budget"]) == (12, 7)


def test_show_settings_names_the_source_of_every_value_and_writes_nothing(bench: Workbench) -> None:
    (bench.folder / "over.toml").write_text("campaign.seed = 4\n", encoding="utf-8")
    arguments = ("lab.toml", "--settings", "over.toml", "--set", "campaign.parallel=2", "--budget", "3")
    environment = {"ENTROPILOT_BROKER__KEEPALIVE_S": "9", "ENTROPILOT_BROKER__PASSWORD": "open sesame"}
    for command in ("run", "agent", "simulator"):
        flags = [each for each in arguments if command != "simulator" or each not in {"--budget", "3"}]
        shown = bench.entropilot(command, *flags, "--show-settings", env=environment)
        assert (shown.code, shown.err) == (0, "")
        assert "open sesame" not in shown.out
        line_of = {line.split()[0]: line.split() for line in shown.out.splitlines() if line.strip()}
        assert line_of["campaign.policy"][1:] == ['"random"', "lab.toml,", "line", "22"]
        assert line_of["campaign.seed"][1:] == ["4", "over.toml,", "line", "1"]
        assert line_of["broker.keepalive_s"][1:] == ["9", "ENTROPILOT_BROKER__KEEPALIVE_S"]
        assert line_of["campaign.parallel"][1:] == ["2", "--set", "campaign.parallel"]
        assert line_of["campaign.max_attempts"][1:] == ["3", "default"]
        assert line_of["campaign.unit"][1:] == ['"eV"', "derived", "from", "pool.columns.unit"]
        if command != "simulator":
            assert line_of["campaign.budget"][1:] == ["3", "--budget"]
    told = bench.entropilot("run", *arguments, "--show-settings", "--json")
    budget = json.loads(told.out)["campaign.budget"]
    assert (budget["value"], budget["from"]) == (3, "--budget")
    assert budget["meaning"].startswith("Candidates that may be requested")
    assert not bench.runs.exists()


def test_options_given_with_a_policy_on_the_command_line_reach_it(bench: Workbench) -> None:
    flags = ("--policy", "etal", "--set", "campaign.policy_options.patience=7", "--show-settings", "--json")
    shown = bench.entropilot("run", "oracle_table", *flags)
    listing = json.loads(shown.out)
    assert listing["campaign.policy_options.patience"]["value"] == 7
    other = bench.entropilot("run", "oracle_table", "--policy", "random", "--show-settings", "--json")
    assert "campaign.policy_options.patience" not in json.loads(other.out)  # an option of etal is none of random


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_resuming_a_finished_run_says_so_and_changes_nothing(ran: tuple[Workbench, Finished]) -> None:
    bench, first = ran
    before = contents(folder_of(ran), PASSING)
    again = bench.entropilot("run", "oracle_table", *QUICK, "--resume")
    assert again.code == 0, again.err
    assert "oracle_table was over already (the budget is spent); nothing was changed" in again.err
    assert again.out == first.out
    assert contents(folder_of(ran), PASSING) == before


def test_files_of_a_finished_run_that_were_lost_are_made_again_by_resume(
    ran: tuple[Workbench, Finished], bench: Workbench
) -> None:
    folder = bench.runs / "oracle_table"
    shutil.copytree(folder_of(ran), folder)
    before = contents(folder, PASSING)
    for name in ("trajectory.csv", "bias.png"):
        (folder / name).unlink()
    again = bench.entropilot("run", "oracle_table", *QUICK, "--quiet", "--resume")
    assert (again.code, again.out, again.err) == (0, "", "")
    after = contents(folder, PASSING)
    assert after["trajectory.csv"] == before["trajectory.csv"]
    assert after["bias.png"][:8] == before["bias.png"][:8]


def test_verify_misses_the_end_of_a_finished_recording_and_resume_notes_what_a_power_cut_took(
    ran: tuple[Workbench, Finished], bench: Workbench
) -> None:
    folder = bench.runs / "oracle_table"
    shutil.copytree(folder_of(ran), folder)
    (folder / "summary.json").unlink()  # it was about to be written
    recording = folder / "recording.jsonl"
    lines = recording.read_bytes().splitlines(keepends=True)
    recording.write_bytes(b"".join(lines[: len(lines) // 2]))
    cut = bench.entropilot("verify", "oracle_table")
    assert cut.code == 5
    assert "its end is missing: it stops at row" in cut.out
    assert bench.entropilot("run", "oracle_table", *QUICK, "--quiet", "--resume").code == 0
    assert bench.entropilot("verify", "oracle_table").code == 0
    assert bench.entropilot("replay", "oracle_table").code == 0


def test_report_shows_a_run_again_as_it_ended(ran: tuple[Workbench, Finished]) -> None:
    bench, first = ran
    shown = bench.entropilot("report", "oracle_table")
    assert (shown.code, shown.err, shown.out) == (0, "", first.out)
    by_path = bench.entropilot("report", folder_of(ran), "--json")
    assert json.loads(by_path.out) == bench.summary("oracle_table")


def test_list_names_every_scenario_and_what_it_is_for(bench: Workbench) -> None:
    shown = bench.entropilot("list")
    assert "emt_alloys" in shown.out
    assert "Hypothetical alloys" in shown.out
    told = json.loads(bench.entropilot("list", "--json").out)["scenarios"]
    assert set(told) == {path.stem for path in LIBRARY.glob("*.toml")}
    assert all(len(about) > 40 for about in told.values())


def test_compare_writes_a_figure_and_a_table_over_two_seeds(bench: Workbench) -> None:
    arguments = ("compare", "oracle_table", "--policies", "round_robin,random", "--seeds", "2", "--budget", "6")
    ended = bench.entropilot(*arguments, "--out", "compared")
    assert (ended.code, ended.err) == (0, "")
    assert "round_robin" in ended.out
    written = sorted((bench.folder / "compared").iterdir())
    assert [path.name for path in written] == [
        "comparison.csv", "comparison.json", "comparison.png", "course.csv", "differences.png", "tests.csv",
    ]  # fmt: skip
    told = " ".join(ended.out.split())
    assert "Not shown (with 2 seeds no difference can be; it takes 6): range of entropy, " in told
    assert "Fair control: with a seed, every policy has the same pool, start set and budget" in told
    assert all(str(path.relative_to(bench.folder)) in ended.out for path in written)
    with written[0].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["policy"], row["seed"]) for row in rows} == {(p, s) for p in ("round_robin", "random") for s in "01"}
    assert written[2].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_compare_trains_models_on_the_acquired_rows_and_says_on_what_they_were_scored(bench: Workbench) -> None:
    arguments = ("compare", "oracle_table", "--policies", "round_robin,random", "--seeds", "1", "--budget", "6")
    asked = ("--downstream", "--set", 'evaluation.models=["ridge"]', "--out", "evaluated")
    ended = bench.entropilot(*arguments, *asked)
    assert (ended.code, ended.err) == (0, "")
    assert "MAE [eV/atom]" in ended.out
    assert "Scored on 84 of 420 candidates" in " ".join(ended.out.split())
    assert {path.name for path in (bench.folder / "evaluated").iterdir()} >= {"downstream.csv", "downstream.png"}
    unknown = bench.entropilot(*arguments, "--downstream", "--set", 'evaluation.models=["forest"]')
    assert unknown.code == 2
    assert "evaluation.models" in unknown.err
    assert "random_forest" in unknown.err


def test_schema_tells_whether_the_written_documents_are_up_to_date(bench: Workbench) -> None:
    assert bench.entropilot("schema", "--check").code == 0
    made = bench.entropilot("schema", "--out", "documents")
    assert made.code == 0, made.err
    for path in (bench.folder / "documents").iterdir():
        assert path.read_bytes() == (SCHEMA_FOLDER / path.name).read_bytes()
    (bench.folder / "documents" / "status.schema.json").write_text("{}", encoding="utf-8")
    stale = bench.entropilot("schema", "--out", "documents", "--check")
    assert (stale.code, "Traceback" in stale.err) == (2, False)
    assert "status.schema.json" in stale.err
    assert "entropilot schema" in stale.err


# --- how it starts ---------------------------------------------------------------------------------------------------


def test_every_command_explains_itself(bench: Workbench) -> None:
    parts = {command: bench.start(command, "--help") for command in itertools.chain(*COMMANDS.values())}
    top = bench.entropilot("--help")
    for command, part in parts.items():
        ended = part.finish()
        assert (ended.code, ended.err) == (0, "")
        assert f"Usage: entropilot {command}" in ended.out
    of_group = dict(re.findall(r"^(\w+):\n((?:  .*\n)+)", top.out, re.MULTILINE))
    listed = {group: re.findall(r"^  ([a-z-]+)  ", of_group[group], re.MULTILINE) for group in of_group}
    assert listed | {"Options": []} == {group: list(names) for group, names in COMMANDS.items()} | {"Options": []}
    nothing = bench.entropilot()
    assert "Usage: entropilot" in nothing.out + nothing.err


def test_only_the_package_entropilot_is_a_door(bench: Workbench) -> None:
    parts = {
        module: bench.start("--help", module=module) for module in ("scenarios", "agent", "simulators", "protocols")
    }
    for module, part in parts.items():
        ended = part.finish()
        assert (ended.code, f"No module named {module}.__main__" in ended.err) == (1, True)


def test_the_command_line_is_imported_without_heavy_packages() -> None:
    program = f"import sys, scenarios.cli.app; print(*sorted({HEAVY!r} & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env=clean_environment()
    )
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "", "")


# --- the graph of a table --------------------------------------------------------------------------------------------


def write_chain(path: Path) -> None:
    """Write a → b → y with uniform disturbances, a constant and an empty cell."""
    rng = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("a", "b", "y", "one", "gap"))
        for number in range(400):
            a, e, f = (rng.uniform(-1, 1) for _ in range(3))
            b = 0.9 * a + e
            rows.writerow((a, b, -0.8 * b + f, 1, "" if number == 7 else e))


def test_the_graph_of_a_table_is_told_drawn_and_written(bench: Workbench) -> None:
    write_chain(bench.folder / "chain.csv")
    ended = bench.entropilot("graph", "chain.csv", "--columns", "a,b", "--target", "y", "--samples", "20")
    assert (ended.code, ended.err) == (0, "")
    assert "2 edges in at least half of 20 graphs" in ended.out
    for name in ("graph.png", "graph.csv"):
        assert f"runs/graph-chain/{name}" in ended.out
        assert (bench.runs / "graph-chain" / name).stat().st_size > 0
    again = bench.entropilot("graph", "chain.csv", "--columns", "a,b", "--target", "y", "--samples", "20", "--json")
    told = json.loads(again.out)
    believed = {(each["cause"], each["effect"]) for each in told["edges"] if each["probability"] >= 0.5}
    assert believed == {("a", "b"), ("b", "y")}
    assert (told["rows"], told["order"]) == (400, ["a", "b", "y"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("chain.csv", "--columns", "a,one", "--target", "y"), 3, ("'one' is constant",)),
        (("chain.csv", "--columns", "a,gap", "--target", "y"), 3, ("an empty cell in line 9", "--drop-missing")),
        (("chain.csv", "--columns", "a,y", "--target", "y"), 3, ("'y' is one of the features",)),
        (("chain.csv", "--columns", "a,c", "--target", "y"), 3, ("no column 'c'",)),
        (("chain.csv", "--columns", "a,b", "--require", "a-b"), 2, ("'a-b' is no edge",)),
        (("oracle_table", "--columns", "a,b"), 3, ("'oracle_table' is a scenario",)),
        (("nosuch.csv", "--columns", "a,b"), 3, ("nosuch.csv",)),
    ],
)
def test_a_graph_that_cannot_be_found_is_refused_by_name(
    bench: Workbench, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    write_chain(bench.folder / "chain.csv")
    ended = bench.entropilot("graph", *arguments)
    assert (ended.code, ended.out, ended.err.count("error: ")) == (code, "", 1), ended
    for each in words:
        assert each in ended.err
    assert not (bench.runs / "graph-chain").exists()
