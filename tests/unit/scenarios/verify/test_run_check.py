"""`verify` finds whatever was changed in a run, and names the first row that is wrong."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.campaign.events import dump_event
from agent.store.standing import chain_digest
from protocols.errors import StoreError
from protocols.recording.writer import RecordingWriter
from scenarios.run.banded import with_bands
from scenarios.run.dataset import write_dataset_csv
from scenarios.run.summary.model import SEAL, RunSummary, write_summary
from scenarios.run.trajectory import Trajectory, write_trajectory_csv
from scenarios.verify.part import CheckedPart
from scenarios.verify.run_check import RunFiles, require_sound, verify_run
from tests.support.campaigns import small_plan, small_pool
from tests.support.stored_campaigns import Shelf, opened

FILES = RunFiles("campaign.db", "recording.jsonl", "trajectory.csv", "summary.json")
POOL = small_pool(20)
ALL_PARTS = (
    "database", "journal", "recorded events", "campaign_meta", "campaign", "observation", "request", "bias_point",
    "bias_family", "outbox", "message_count", "trajectory.csv", "summary.json", "dataset.csv", "recording.jsonl",
)  # fmt: skip


def make_run(folder: Path, *, seed: int = 3, observations: int = 60) -> Path:
    """A run as it stands in its folder: database, trajectory, summary and recording."""
    plan = small_plan(POOL, parallel=2, budget=10, estimator="m_spacing")
    with closing(opened(folder / "campaign.db", POOL)) as store:
        shelf = Shelf(store, POOL, plan)
        shelf.play(seed, observations)
        campaign, points = shelf.campaign, tuple(store.trajectory())
        trajectory = with_bands(Trajectory("p", plan.unit, points), shelf.maker.ledger.meter)
        summary = RunSummary(
            campaign="demo", scenario="", policy="random", seed=7, property="p", unit=plan.unit, budget=10,
            spent=campaign.spent, observations=campaign.observations, abandoned=0, excluded=0, retries=campaign.retries,
            quarantined=0, duplicates=0, stopped_because=campaign.finish_reason, wall_time_s=1.0, per_second=None,
            before=points[0][1], after=points[-1][1], bands_before=trajectory.bands[0],
            bands_after=trajectory.bands[points[-1][0]],
            best=shelf.maker.ledger.best.figures(), journal_rows=store.sequence, journal_digest=store.digest,
            files=("dataset.csv",),
        )  # fmt: skip
        write_dataset_csv(folder / "dataset.csv", store.dataset())
        journal = list(store.journal())
    write_trajectory_csv(folder / "trajectory.csv", trajectory)
    write_summary(folder / "summary.json", summary)
    writer = RecordingWriter(folder / "recording.jsonl", {"campaign": "demo"})
    for number in range(5):
        writer.write("in", "a/b", f'{{"number": {number}}}'.encode(), retain=False)
    for sequence, event in enumerate(journal, 1):
        writer.note_event(sequence, *dump_event(event))
    writer.close()
    return folder


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(sound_run: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    for path in sound_run.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def first_problem(folder: Path) -> CheckedPart:
    return next(part for part in verify_run(folder, FILES) if part.problem)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_as_it_was_written_is_sound(tmp_path: Path, seed: int) -> None:
    told: list[CheckedPart] = []
    before = {path.name: path.read_bytes() for path in make_run(tmp_path, seed=seed).iterdir()}
    parts = verify_run(tmp_path, FILES, on_part=told.append)
    assert [part.problem for part in parts] == [""] * len(ALL_PARTS)
    assert tuple(part.name for part in parts) == ALL_PARTS
    assert parts == tuple(told)
    assert all(part.rows > 0 for part in parts if part.name not in {"outbox", "message_count"})
    require_sound(parts, "run")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.endswith(("-shm", "-wal"))}
    assert after == before


def test_a_run_in_the_middle_is_sound_and_its_files_may_be_older(tmp_path: Path) -> None:
    make_run(tmp_path, observations=4)
    with closing(opened(tmp_path / "campaign.db", POOL)) as store:
        Shelf(store, POOL, small_plan(POOL, parallel=2, budget=10, estimator="m_spacing")).play(9, 6)
        parts = verify_run(tmp_path, FILES)  # while the agent has it open
    require_sound(parts, "run")
    assert "older than the journal" in next(part.note for part in parts if part.name == "trajectory.csv")


STATEMENTS = {
    "a changed payload": (
        "UPDATE journal SET payload = replace(payload, 'c0', 'c1') WHERE sequence = 5", "journal", "row 5 was changed",
    ),
    "a changed digest": ("UPDATE journal SET digest = 'x' WHERE sequence = 7", "journal", "row 7 was changed"),
    "a changed kind": (
        "UPDATE journal SET kind = 'RequestExpired' WHERE sequence = 3", "journal", "row 3 was changed",
    ),
    "a missing row": ("DELETE FROM journal WHERE sequence = 4", "journal", "row 4 is missing: row 5 follows"),
    "the last row gone": (
        "DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)", "summary.json", "rows of a journal",
    ),
    "an observation changed": ("UPDATE observation SET value = value + 1e-6", "observation", "candidate_id = 'c0"),
    "an observation's family": (
        "UPDATE observation SET family = 'family-1' WHERE candidate_id = 'c000'", "bias_point", "the row observation =",
    ),
    "an observation gone": ("DELETE FROM observation WHERE sequence > 2", "observation", "is missing"),
    "a request forged": (
        "INSERT INTO request VALUES ('zz', 'c001', 1, 1, 'simulator-1', 9, '', NULL, '', 'a')",
        "request", "'zz' is not in the",
    ),
    "a request's outcome": ("UPDATE request SET outcome = 'observed, or so'", "request", "says outcome"),
    "a figure of the trajectory": (
        "UPDATE bias_point SET entropy_range = 0.5 WHERE observation = 2",
        "bias_point", "observation = 2 says entropy_range = 0.5",
    ),
    "a pure figure of the trajectory": (
        "UPDATE bias_point SET evenness = 0.5 WHERE observation = 4",
        "bias_point", "observation = 4 says evenness = 0.5",
    ),
    "a family's entropy": (
        "UPDATE bias_family SET entropy = 9 WHERE observation = 0", "bias_family", "says entropy = 9",
    ),
    "a forged request to send": (
        "INSERT INTO outbox VALUES ('nobody', 'a/b', x'00')", "outbox", "attempt 'nobody' was never made",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "part", "words"), STATEMENTS.values(), ids=STATEMENTS)
def test_what_was_changed_in_the_database_is_named(run: Path, statement: str, part: str, words: str) -> None:
    change(run, statement)
    problem = first_problem(run)
    assert problem.name == part
    assert words in problem.problem


def test_a_journal_that_was_forged_with_its_digests_breaks_the_rules_of_a_campaign(run: Path) -> None:
    with closing(sqlite3.connect(run / "campaign.db")) as connection:
        rows = connection.execute("SELECT sequence, kind, payload FROM journal ORDER BY sequence").fetchall()
        accepted = next(row for row in rows if row[1] == "ResultAccepted")
        rows.insert(accepted[0], (0, *accepted[1:]))  # a result counted twice
        connection.execute("DELETE FROM journal")
        (began,) = connection.execute("SELECT created_at FROM campaign_meta").fetchone()
        digest = "0" * 64
        for number, (_, kind, payload) in enumerate(rows, 1):
            digest = chain_digest(digest, number, kind, payload)
            row = (number, kind, payload, began, digest)
            connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()
    problem = first_problem(run)
    assert problem.name == "campaign"
    assert f"row {accepted[0] + 1} of the journal cannot follow" in problem.problem


def test_a_campaign_that_has_not_begun_is_said_to_be_so(tmp_path: Path) -> None:
    opened(tmp_path / "campaign.db", POOL).close()
    parts = verify_run(tmp_path, FILES)
    assert [(part.name, part.note) for part in parts[1:]] == [
        ("journal", "the campaign has not begun"), ("recording.jsonl", "not there"),
    ]  # fmt: skip


@pytest.mark.parametrize("witness", ["recording.jsonl", "summary.json", "trajectory.csv"])
def test_a_journal_that_was_wiped_beside_a_file_of_its_campaign_is_found(run: Path, witness: str) -> None:
    for name in {"recording.jsonl", "summary.json", "trajectory.csv"} - {witness}:
        (run / name).unlink()
    (run / "campaign.db").write_bytes(b"")
    problem = first_problem(run)
    assert problem.name == "journal"
    assert f"it has no row, and {witness} is of a campaign that had begun" in problem.problem


@pytest.mark.parametrize("name", ["recording.jsonl", "summary.json", "trajectory.csv", "dataset.csv"])
def test_a_finished_campaign_lacks_no_file(run: Path, name: str) -> None:
    (run / name).unlink()
    problem = first_problem(run)
    assert problem.name == name
    assert "not there, and the campaign is finished" in problem.problem


@pytest.mark.parametrize("kept", [1, 20, -1], ids=["its header alone", "its beginning", "all but its last note"])
def test_a_recording_that_lost_its_end_beside_a_finished_campaign_is_found(run: Path, kept: int) -> None:
    edit(run / "recording.jsonl", lambda text: "".join(text.splitlines(keepends=True)[:kept]))
    problem = first_problem(run)
    assert problem.name == "recording.jsonl"
    assert "its end is missing: it stops at row" in problem.problem


def test_an_unfinished_campaign_may_lack_the_end_of_its_recording_and_every_other_file(tmp_path: Path) -> None:
    make_run(tmp_path, observations=4)
    edit(tmp_path / "recording.jsonl", lambda text: "".join(text.splitlines(keepends=True)[:8]))
    require_sound(verify_run(tmp_path, FILES), "run")
    for name in ("recording.jsonl", "summary.json", "trajectory.csv", "dataset.csv"):
        (tmp_path / name).unlink()
    require_sound(verify_run(tmp_path, FILES), "run")


def test_a_step_that_was_noted_and_not_committed_is_sound_and_a_row_that_the_journal_lost_is_not(
    tmp_path: Path,
) -> None:
    make_run(tmp_path, observations=4)
    with closing(opened(tmp_path / "campaign.db", POOL)) as store:
        there = store.sequence
    with closing(RecordingWriter(tmp_path / "recording.jsonl", {})) as writer:
        writer.note_transaction([], [], before=there, sequence=there + 3)
    require_sound(verify_run(tmp_path, FILES), "run")
    with closing(RecordingWriter(tmp_path / "recording.jsonl", {})) as writer:
        writer.note_transaction([], [], before=there + 3, sequence=there + 4)
    assert f"it knows row {there + 3} of a journal that ends at {there}" in first_problem(tmp_path).problem


def edit(path: Path, how: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    changed = how(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def test_a_changed_trajectory_is_named_by_its_step(run: Path) -> None:
    edit(run / "trajectory.csv", lambda text: text.replace("\n3,family-1,", "\n3,family-1,1", 1))
    problem = first_problem(run)
    assert problem.name == "trajectory.csv"
    assert problem.problem.startswith("observation 3: size of family-1 = 1")


def last_with_a_band(folder: Path) -> list[str]:
    """The cells of the last row of the trajectory that has a band."""
    rows = [line.split(",") for line in (folder / "trajectory.csv").read_text().splitlines()]
    return next(row for row in reversed(rows) if row[4])


@pytest.mark.parametrize("column", [4, 5])
def test_a_changed_band_is_named_by_its_step(run: Path, column: int) -> None:
    row = last_with_a_band(run)
    edit(run / "trajectory.csv", lambda text: text.replace(row[column], f"{float(row[column]) + 1e-6}"))
    assert first_problem(run).problem.startswith(f"observation {row[0]}: band of {row[1]} = ")


def test_a_band_where_there_is_none_is_named(run: Path) -> None:
    edit(run / "trajectory.csv", lambda text: text.replace(",,,", ",0.5,0.75,", 1))
    assert "band of" in first_problem(run).problem


@pytest.mark.parametrize("figure", ["evenness", "joint_entropy", "coverage"])
def test_a_changed_figure_in_the_trajectory_is_named(run: Path, figure: str) -> None:
    lines = (run / "trajectory.csv").read_text().splitlines()
    at = lines[0].split(",").index(figure)
    changed = [line.split(",") for line in lines]
    for row in changed[1:4]:  # the three families of observation 0
        row[at] = "0.123"
    (run / "trajectory.csv").write_text("\n".join(",".join(row) for row in changed) + "\n")
    assert first_problem(run).problem.startswith(f"observation 0: {figure} = 0.123")


def test_a_changed_band_in_the_summary_is_found(run: Path) -> None:
    content = json.loads((run / "summary.json").read_text())
    family = next(each for each in content["after"]["families"] if "entropy_low" in each)
    family["entropy_low"] -= 1e-6
    (run / "summary.json").write_text(json.dumps(content))
    assert first_problem(run).problem.startswith(f"after: band of {family['family']} = ")


def test_a_changed_best_in_the_summary_is_found(run: Path) -> None:
    content = json.loads((run / "summary.json").read_text())
    content["best"]["coverage"] = {"observation": 0, "value": 0.9, "regret": 0.0}
    (run / "summary.json").write_text(json.dumps(content))
    assert first_problem(run).problem.startswith("best coverage = 0.9 at observation 0; the journal says")


def test_files_of_a_run_before_there_were_bands_are_sound(run: Path) -> None:
    content = json.loads((run / "summary.json").read_text())
    del content[SEAL]
    for moment in ("before", "after"):
        del content[moment]["evenness"], content[moment]["joint_entropy"], content[moment]["coverage"]
        for family in content[moment]["families"]:
            family.pop("entropy_low", None), family.pop("entropy_high", None)
    (run / "summary.json").write_text(json.dumps(content))
    rows = [line.split(",") for line in (run / "trajectory.csv").read_text().splitlines()]
    old = [(*row[:4], *row[6:9], row[-1]) for row in rows]
    (run / "trajectory.csv").write_text("\n".join(map(",".join, old)) + "\n")
    require_sound(verify_run(run, FILES), "run")


def test_a_trajectory_that_is_cut_short_is_found(run: Path) -> None:
    edit(run / "trajectory.csv", lambda text: "".join(text.splitlines(keepends=True)[:-3]))
    assert "older than the journal by 1 observations" in first_problem(run).problem


def test_a_trajectory_that_cannot_be_read_is_told_with_its_line(run: Path) -> None:
    edit(run / "trajectory.csv", lambda text: text.replace("\n2,", "\ntwo,", 1))
    assert "line" in first_problem(run).problem


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("spent", 3, "spent = 3"), ("observations", 9, "observations = 9"), ("journal_digest", "f", "another journal")],
)
def test_a_changed_summary_is_named_by_its_figure(run: Path, field: str, value: object, words: str) -> None:
    content = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(content | {field: value}))
    problem = first_problem(run)
    assert problem.name == "summary.json"
    assert words in problem.problem


def test_a_changed_bias_in_the_summary_is_found(run: Path) -> None:
    content = json.loads((run / "summary.json").read_text())
    content["after"]["entropy_range"] += 0.01
    (run / "summary.json").write_text(json.dumps(content))
    assert first_problem(run).problem.startswith("after: entropy_range = ")


def test_a_summary_that_is_none_is_said(run: Path) -> None:
    (run / "summary.json").write_text("{}")
    assert "is not a summary (it lacks 'format')" in first_problem(run).problem


def test_a_damaged_page_is_found_by_the_database_itself(run: Path) -> None:
    content = bytearray((run / "campaign.db").read_bytes())
    content[4096 * 3 : 4096 * 3 + 200] = bytes(200)
    (run / "campaign.db").write_bytes(content)
    parts = verify_run(run, FILES)
    assert len(parts) == 1
    assert parts[0].problem.startswith("SQLite says:")
    with pytest.raises(StoreError, match=r"is not what was written: database"):
        require_sound(parts, "run")


def test_a_folder_without_a_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        verify_run(tmp_path, FILES)
    (tmp_path / "campaign.db").write_bytes(b"no database at all" * 100)
    assert "SQLite says: file is not a database" in verify_run(tmp_path, FILES)[0].problem


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*nope\.db"):
        verify_run(tmp_path, FILES, database_url=f"sqlite:///{tmp_path}/nope.db")
    assert list(tmp_path.iterdir()) == []
