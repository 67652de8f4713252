"""`entropilot why` explains any decision of any run, however it stands, and touches nothing but its own figure."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.store.standing import chain_digest
from protocols.recording.lines import sealed
from protocols.storage.database import sqlite_url
from tests.support.commands import Finished, Workbench
from tests.support.samples.folders import contents

pytestmark = pytest.mark.system

BUDGET = 7
STORE = 5
"""Exit code of what a run folder cannot give."""

MY_POLICY = """
from agent.acquisition.base import Choice, Proposal

class Mine:
    runs_inline = True

    def propose(self, context, count):
        return Proposal((Choice(int(context.available[-1]), 1.0),), "mine", details={"zeal": 0.25})
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A finished run; tests take copies of its folder."""
    with Workbench(tmp_path_factory.mktemp("finished")) as bench:
        ended = bench.entropilot("run", "lab.toml", "--quiet", "--policy", "etal", "--budget", str(BUDGET))
        assert (ended.code, ended.err) == (0, "")
        yield bench


@pytest.fixture
def lab_run(finished: Workbench, bench: Workbench) -> Path:
    """A copy of the finished run, in the test's own workbench."""
    folder = bench.runs / "lab"
    shutil.copytree(finished.runs / "lab", folder)
    return folder


def told(ended: Finished) -> dict[str, Any]:
    assert (ended.code, ended.err) == (0, "")
    tree: dict[str, Any] = json.loads(ended.out)
    return tree


def rows(folder: Path, query: str) -> list[Any]:
    """Ask the database of a run that nobody writes, without leaving an index beside it."""
    with closing(sqlite3.connect(f"{(folder / 'campaign.db').as_uri()}?immutable=1", uri=True)) as connection:
        return connection.execute(query).fetchall()


def decisions(folder: Path) -> list[dict[str, Any]]:
    made = rows(folder, "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence")
    return [json.loads(row[0]) for row in made]


@pytest.mark.parametrize(("decision", "number"), [("0", 0), ("3", 3), ("last", BUDGET - 1)])
def test_the_first_a_middle_and_the_last_decision_are_explained(
    bench: Workbench, lab_run: Path, decision: str, number: int
) -> None:
    before = contents(lab_run)
    made = decisions(lab_run)[number]
    tree = told(bench.entropilot("why", "lab", decision, "--json"))
    assert (tree["decision"], tree["decisions"], tree["seed"]) == (number, BUDGET, made["seed"])
    assert [each["candidate"]["candidate_id"] for each in tree["chosen"]] == made["candidate_ids"]
    assert tree["runner_up"]["candidate_id"] == made["runner_up"]
    assert {detail["key"]: detail["value"] for detail in tree["details"]} == made["details"]
    which = made["candidate_ids"][0]
    value = rows(lab_run, f"SELECT value FROM observation WHERE candidate_id = '{which}'")[0][0]
    outcome = tree["chosen"][0]["outcome"]
    assert outcome["value"] == value
    mean, std = made["details"]["predicted_mean"], made["details"]["predicted_std"]
    assert tree["deviations"] == pytest.approx((value - mean) / math.hypot(std, made["details"]["noise_std"]))
    after = rows(lab_run, f"SELECT entropy_range FROM bias_point WHERE sequence = {outcome['row']}")[0][0]
    assert outcome["after"]["entropy_range"] == pytest.approx(after)
    assert tree["again"]["verdict"] == "same"
    figure = Path(tree["figure"])
    assert figure == Path("runs/lab") / f"why-{number}.png"
    assert contents(lab_run) == before | {figure.name: (bench.folder / figure).read_bytes()}
    assert (bench.folder / figure).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    by_candidate = bench.entropilot("why", lab_run, which, "--no-figure")
    assert (by_candidate.code, by_candidate.err) == (0, "")
    text = " ".join(by_candidate.out.split())
    assert f"lab decision {number} (0 to {BUDGET - 1})" in text
    assert f"chose {which} ({tree['target_family']})" in text
    assert "the same decision comes out today" in text
    assert made["reason"] in text


def test_without_a_figure_the_run_folder_is_left_as_it_was(bench: Workbench, lab_run: Path) -> None:
    before = contents(lab_run)
    assert told(bench.entropilot("why", "lab", "1", "--json", "--no-figure"))["figure"] is None
    assert contents(lab_run) == before


def test_a_running_campaign_is_explained_and_not_disturbed_and_so_is_a_killed_one(bench: Workbench) -> None:
    slow = ("--set", "simulator.latency.mean_s=6", "--set", "simulator.latency.distribution=constant")
    running = bench.start("run", "lab.toml", "--quiet", *slow)
    bench.wait_for_events("ResultAccepted", 2)
    tree = told(bench.entropilot("why", "lab", "0", "--json"))
    assert running.process.poll() is None
    assert (tree["decision"], tree["chosen"][0]["outcome"]["status"]) == (0, "observed")
    latest = told(bench.entropilot("why", "lab", "last", "--json"))
    assert latest["again"]["verdict"] == "same"
    running.kill()
    count = bench.count("DecisionMade")
    before = contents(bench.runs / "lab")
    killed = told(bench.entropilot("why", "lab", "last", "--json", "--no-figure"))
    assert (killed["decisions"], killed["decision"], killed["again"]["verdict"]) == (count, count - 1, "same")
    assert {name: what for name, what in contents(bench.runs / "lab").items() if not name.endswith("-shm")} == {
        name: what for name, what in before.items() if not name.endswith("-shm")
    }
    ended = bench.entropilot("run", "lab.toml", "--quiet", "--resume", "--set", "simulator.latency.mean_s=0")
    assert (ended.code, ended.err) == (0, "")


def test_a_run_with_another_database_is_explained_from_it(bench: Workbench) -> None:
    url = str(sqlite_url(bench.folder / "other.db"))
    assert bench.entropilot("run", "lab.toml", "--quiet", "--budget", "4", "--database", url).code == 0
    before = (bench.folder / "other.db").read_bytes()
    assert told(bench.entropilot("why", "lab", "3", "--json", "--database", url))["decision"] == 3
    assert (bench.folder / "other.db").read_bytes() == before
    assert told(bench.entropilot("why", "lab", "3", "--json"))["decision"] == 3  # the run folder remembers it
    assert_told(bench.entropilot("why", "lab", "3", "--database", "nonsense"), "'nonsense' is no URL of a database")


def test_a_users_own_policy_is_asked_again_only_where_a_person_allows_it(bench: Workbench) -> None:
    (bench.folder / "my_policy.py").write_text(MY_POLICY, encoding="utf-8")
    flags = ("--policy", "my_policy.py:Mine", "--budget", "3", "--quiet")
    assert bench.entropilot("run", "lab.toml", *flags).code == 0
    allowed = ("why", "lab", "2", "--json", "--allow-code", ".")
    with_it = told(bench.entropilot(*allowed))
    assert with_it["again"]["verdict"] == "same"
    assert with_it["details"] == [{"key": "zeal", "label": "zeal", "value": 0.25, "unit": ""}]
    refused = told(bench.entropilot("why", "lab", "2", "--json"))
    assert refused["again"]["verdict"] == "not_asked"
    assert "names the policy 'my_policy.py:Mine', which is code" in refused["again"]["why"]
    assert "--allow-code FOLDER" in refused["again"]["why"]
    (bench.folder / "my_policy.py").unlink()
    without = told(bench.entropilot(*allowed))
    assert without["again"]["verdict"] == "not_asked"
    assert "my_policy.py for the policy 'my_policy.py:Mine'" in without["again"]["why"]
    assert without["whole_pool"]


def drop_a_row(bench: Workbench, _folder: Path) -> None:
    table = bench.folder / "table.csv"
    table.write_text("".join(table.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")


def drop_the_table(bench: Workbench, _folder: Path) -> None:
    (bench.folder / "table.csv").unlink()


def drop_the_recording(_bench: Workbench, folder: Path) -> None:
    (folder / "recording.jsonl").unlink()


def spoil_the_recording(_bench: Workbench, folder: Path) -> None:
    recording = folder / "recording.jsonl"
    header = json.loads(recording.read_text(encoding="ascii").splitlines()[0])
    del header["digest"], header["scenario"]
    recording.write_text(sealed("", header)[0] + "\n", encoding="ascii")


def date_the_scenario(_bench: Workbench, folder: Path) -> None:
    recording = folder / "recording.jsonl"
    header = json.loads(recording.read_text(encoding="ascii").splitlines()[0].replace('"budget"', '"purse"', 1))
    del header["digest"]
    recording.write_text(sealed("", header)[0] + "\n", encoding="ascii")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_a_row, "the pool differs: "),
        (drop_the_table, "There is no table"),
        (drop_the_recording, "recording.jsonl"),
        (spoil_the_recording, "names no scenario"),
        (date_the_scenario, "names a scenario of another version"),
    ],
)
def test_without_its_world_a_decision_is_explained_from_the_run_alone(
    bench: Workbench, lab_run: Path, spoil: Any, words: str
) -> None:
    whole = told(bench.entropilot("why", "lab", "4", "--json"))
    spoil(bench, lab_run)
    part = told(bench.entropilot("why", "lab", "4", "--json"))
    assert part["again"]["verdict"] == "not_asked"
    assert words in part["again"]["why"]
    assert not part["whole_pool"]
    for name in ("chosen", "shown_values", "details", "deviations", "decision", "margin"):
        assert part[name] == whole[name]
    assert part["then"]["bias"] == whole["then"]["bias"]


def test_a_run_that_was_started_elsewhere_finds_its_table_above_its_folder(bench: Workbench, lab_run: Path) -> None:
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    away = Workbench(elsewhere)
    (elsewhere / "table.csv").unlink()
    tree = told(away.entropilot("why", lab_run, "0", "--json"))
    assert tree["again"]["verdict"] == "same"


# --- bad input -------------------------------------------------------------------------------------------------------


def assert_told(ended: Finished, *words: str, code: int = STORE) -> None:
    """One message in our form, with these words, and nothing else."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert ended.err.count("error: ") == 1
    assert "fault of Entropilot" not in ended.err
    assert "  expected: " in ended.err
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "0"), ("There is no run 'nowhere'", "one of: lab")),
        (("lab", "99"), ("Decision 99 was never made", f"from 0 to {BUDGET - 1}, 'last'")),
        (("lab", "nobody"), ("No decision chose 'nobody'",)),
        (("lab", "0", "--runs", "nowhere"), ("There is no run 'lab'", "there are none yet")),
    ],
)
def test_what_is_not_there_is_told_with_what_there_is(
    bench: Workbench, lab_run: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert lab_run.is_dir()
    assert_told(bench.entropilot("why", *arguments), *words)


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def test_a_database_of_a_later_version_is_told(bench: Workbench, lab_run: Path) -> None:
    change(lab_run, "UPDATE schema_migration SET version = 99")
    assert_told(bench.entropilot("why", "lab", "0"), "schema version 99", "use the newer Entropilot")


def test_an_event_of_a_later_version_is_told(bench: Workbench, lab_run: Path) -> None:
    with closing(sqlite3.connect(lab_run / "campaign.db")) as connection:
        row, payload = connection.execute("SELECT max(sequence), payload FROM journal").fetchone()
        before = connection.execute(f"SELECT digest FROM journal WHERE sequence = {row - 1}").fetchone()[0]
        digest = chain_digest(before, row, "CampaignDreamt", payload)
        connection.execute("UPDATE journal SET kind = 'CampaignDreamt', digest = ? WHERE sequence = ?", (digest, row))
        connection.commit()
    assert_told(bench.entropilot("why", "lab", "0"), "'CampaignDreamt', unknown to this version")


def test_a_changed_or_damaged_database_is_told(bench: Workbench, lab_run: Path) -> None:
    change(lab_run, "UPDATE journal SET payload = replace(payload, 'm0', 'm1') WHERE sequence = 2")
    assert_told(bench.entropilot("why", "lab", "0"), "Row 2 of the journal in", "runs/lab/campaign.db")
    content = bytearray((lab_run / "campaign.db").read_bytes())
    content[4096 * 2 : 4096 * 3] = bytes(4096)
    (lab_run / "campaign.db").write_bytes(content)
    assert_told(bench.entropilot("why", "lab", "0"), "runs/lab/campaign.db is damaged: SQLite says")
    (lab_run / "campaign.db").write_bytes(b"no database at all" * 100)
    assert_told(bench.entropilot("why", "lab", "0"), "file is not a database")


def test_a_figure_that_cannot_be_written_is_told_with_the_way_around(bench: Workbench, lab_run: Path) -> None:
    (lab_run / "why-0.png").mkdir()
    assert_told(bench.entropilot("why", "lab", "0"), "why-0.png cannot be written", "--no-figure")
    assert bench.entropilot("why", "lab", "0", "--no-figure").code == 0


def test_a_missing_argument_is_a_wrong_command_line(bench: Workbench) -> None:
    ended = bench.entropilot("why", "lab")
    assert (ended.code, "Traceback" in ended.err) == (2, False)
