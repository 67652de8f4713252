"""A run is given out in every form, of every state, without a byte changed in its folder; and its table plays again."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Workbench
from tests.support.samples.folders import contents
from tests.support.strangers.strange_campaign import FAMILIES, FIRST, make_strange_campaign

pytestmark = pytest.mark.system

SAID = """
[dataset]
title = "Lab energies"
licence = "CC-BY-4.0"
keywords = ["energies"]

[[dataset.creators]]
name = "Josiah Carberry"
orcid = "0000-0002-1825-0097"

[dataset.instruments.simulator-1]
model = "M3"
"""

AGAIN = """
name = "again"

[pool]
source = "table"
path = "out/dataset.csv"

[pool.columns]
id = "id"
family = "family"
property = "value"
unit = "eV"
features = ["f0", "f1"]

[start]
size = 20
minimum_per_family = 2

[campaign]
budget = 6
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A finished run of a lab whose scenario says licence and creators; and a folder with a killed campaign."""
    with Workbench(tmp_path_factory.mktemp("export")) as bench:
        lab = bench.folder / "lab.toml"
        lab.write_text(lab.read_text(encoding="utf-8") + SAID, encoding="utf-8")
        ended = bench.entropilot("run", "lab.toml", "--quiet", "--set", "simulator.noise.standard_deviation=0.01")
        assert ended.code == 0, ended.err
        yield bench


def test_a_crate_has_tables_recording_settings_and_what_the_scenario_says(bench: Workbench) -> None:
    before = contents(bench.runs / "lab")
    ended = bench.entropilot("export", "lab", "--json")
    assert ended.code == 0, ended.err
    assert contents(bench.runs / "lab") == before
    told = json.loads(ended.out)
    place = bench.folder / told["path"]
    assert place == bench.runs / "export-lab-ro-crate"
    assert told["notes"] == []
    files = sorted(str(each.relative_to(place)) for each in place.rglob("*") if each.is_file())
    assert files == [
        "ro-crate-metadata.json", "ro-crate-preview.html", "run/bias.png", "run/recording.jsonl", "run/summary.json",
        "scenario.json", "tables/attempts.csv", "tables/datapackage.json", "tables/dataset.csv", "tables/decisions.csv",
        "tables/journal.csv", "tables/trajectory.csv",
    ]  # fmt: skip
    graph = {each["@id"]: each for each in json.loads((place / "ro-crate-metadata.json").read_text())["@graph"]}
    assert graph["./"]["name"] == "Lab energies"
    assert graph["./"]["license"]["@id"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert graph["#instrument-simulator-1"]["model"] == "M3"
    assert "looked up in a table" in graph["#instrument-simulator-1"]["description"]
    assert graph["#campaign"]["endTime"]
    assert (place / "run/recording.jsonl").read_bytes() == (bench.runs / "lab/recording.jsonl").read_bytes()
    # A place below runs that holds a recording is no run: nobody lists it, and a second export is numbered.
    assert {each["name"] for each in json.loads(bench.entropilot("list", "--json").out)["recordings"]} >= {"lab"}
    assert "export-lab" not in bench.entropilot("list", "--json").out
    assert bench.entropilot("export", "lab", "--quiet").code == 0
    assert (bench.runs / "export-lab-ro-crate-2/ro-crate-metadata.json").is_file()


def test_the_exported_table_plays_as_a_pool_again(bench: Workbench) -> None:
    assert bench.entropilot("export", "lab", "--as", "csv", "--to", "out", "--quiet").code == 0
    with (bench.folder / "out/dataset.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = bench.rows("SELECT count(*) FROM observation")[0][0]
    assert len(rows) == known == 24 + 12
    (bench.folder / "again.toml").write_text(AGAIN, encoding="utf-8")
    ended = bench.entropilot("run", "again.toml", "--quiet")
    assert ended.code == 0, ended.err
    value_of = {each["id"]: float(each["value"]) for each in rows}
    again = bench.rows("SELECT source_id, value, source FROM observation", "again")
    assert len(again) == 20 + 6
    start = {which: value for which, value, source in again if source == "start set"}
    assert start == {which: value_of[which] for which in start}


def test_a_zip_has_the_same_files_and_is_made_once(bench: Workbench) -> None:
    assert bench.entropilot("export", "lab", "--as", "csv", "--to", "lab.zip", "--quiet").code == 0
    with zipfile.ZipFile(bench.folder / "lab.zip") as archive:
        assert archive.testzip() is None
        assert {"dataset.csv", "datapackage.json"} <= set(archive.namelist())
    before = (bench.folder / "lab.zip").read_bytes()
    again = bench.entropilot("export", "lab", "--as", "csv", "--to", "lab.zip")
    assert again.code == 5
    assert "is there already" in again.err
    assert (bench.folder / "lab.zip").read_bytes() == before


def test_json_and_parquet_hold_the_same_values(bench: Workbench) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    assert bench.entropilot("export", "lab", "--as", "json", "--to", "lab.json", "--quiet").code == 0
    assert bench.entropilot("export", "lab", "--as", "parquet", "--to", "lab-parquet", "--quiet").code == 0
    tree = json.loads((bench.folder / "lab.json").read_text(encoding="utf-8"))
    assert tree["dataset"]["licence"] == "CC-BY-4.0"
    assert tree["campaign"]["is_finished"] is True
    rows = next(each for each in tree["tables"] if each["name"] == "dataset")["rows"]
    read = parquet.read_table(bench.folder / "lab-parquet/dataset.parquet")
    assert read.column("value").to_pylist() == [each["value"] for each in rows]
    assert read.column("f0").to_pylist() == [each["f0"] for each in rows]
    assert read.schema.field("value").metadata[b"unit"] == b"eV"


def test_a_campaign_at_work_and_a_killed_one_are_given_out_and_nothing_in_them_changes(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        live = make_strange_campaign(bench.runs / "live", close=False)
        killed = Path(shutil.copytree(live, bench.runs / "killed"))  # as a kill leaves it: with its WAL
        for folder in (live, killed):
            before = contents(folder, besides=(".lock", ".db-shm"))
            ended = bench.entropilot("export", folder.name, "--json")
            assert ended.code == 0, ended.err
            assert contents(folder, besides=(".lock", ".db-shm")) == before
            told = json.loads(ended.out)
            assert told["tables"]["dataset"] == 12 + 4
            assert told["campaign"]["is_finished"] is False
            assert any("no licence" in each for each in told["notes"])


def test_names_of_strangers_are_harmless_in_every_file(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        make_strange_campaign(bench.runs / "strange")
        ended = bench.entropilot("export", "strange", "--to", "out", "--set", "dataset.title=<script>alert(1)</script>")
        assert ended.code == 0, ended.err
        page = (tmp_path / "out/ro-crate-preview.html").read_text(encoding="utf-8")
        assert "<script" not in page
        for name in ("dataset", "trajectory", "decisions", "attempts", "journal"):
            with (tmp_path / f"out/tables/{name}.csv").open(encoding="utf-8", newline="") as file:
                cells = {cell for row in csv.reader(file) for cell in row}
            assert not [each for each in cells if each[:1] in "=@" and each]
        with (tmp_path / "out/tables/dataset.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {each["family"] for each in rows} == {f"'{FAMILIES[0]}", *FAMILIES[1:]}
        assert f"'{FIRST}" in {each["id"] for each in rows}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--as", "xlsx"), 2, "ro-crate or json or csv or parquet"),
        (("--set", "dataset.licence=free"), 2, "no licence that SPDX lists"),
        (("--set", 'dataset.creators=[{name="x", orcid="0000-0002-1825-0098"}]'), 2, "wrong digit"),
        (("--set", "campaign.budget=5"), 2, "campaign"),
        (("--to", "runs/lab/out"), 5, "in a run folder"),
        (("--to", "table.csv"), 5, "is there already"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    bench: Workbench, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = sorted(bench.folder.rglob("*"))
    ended = bench.entropilot("export", "lab", *arguments)
    assert ended.code == code
    assert words in ended.err
    written = [each for each in sorted(bench.folder.rglob("*")) if each not in before]
    assert [each for each in written if not each.name.startswith("part-")] == []


def test_a_run_of_which_only_the_database_is_left_is_given_out_with_a_note(bench: Workbench) -> None:
    folder = bench.runs / "bare"
    folder.mkdir()
    shutil.copy(bench.runs / "lab/campaign.db", folder)
    ended = bench.entropilot("export", "bare", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert any("scenario is not known" in each for each in told["notes"])
    assert not (bench.folder / told["path"] / "scenario.json").exists()
    assert (bench.folder / told["path"] / "tables/dataset.csv").is_file()
