"""A table is trimmed to its own format, row by row as it stands there; what cannot be trimmed is told in one error."""

from __future__ import annotations

import csv
import gzip
import json
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from agent.entropy.bias import BIAS_METRICS
from agent.entropy.measure import EntropyMeasure
from protocols.errors import EntropilotError, SettingsError, StoreError, TableError
from scenarios.cli.app import app
from scenarios.trim.report import files_of, trim_json, trim_table, write_trim
from scenarios.trim.rows import write_rows
from scenarios.trim.source import NamedColumns, TrimSource, read_source
from scenarios.trim.trim import TrimResult, measure_for, rows_wanted, trim
from tests.support.samples.packs import small_pack

COLUMNS = NamedColumns("family", "energy", None, "eV/atom")
ODD_ROW = '"w, ""quoted""",b, 1.2500 ,"two\r\nlines"\r\n'
"""A row that nothing may reformat: quotes, a comma, a line end in a cell, blanks and zeros of a number."""


def csv_text(rows: int = 60) -> str:
    rng = np.random.default_rng(1)
    lines = ["name,family,energy,note\n"]
    for row in range(rows):
        lines.append(f"m{row},{'abc'[row % 3]},{rng.normal() * (1 + row % 3):.6f},\n")
        if row == 7:
            lines.append("\n")  # a blank line is no row
    return "".join(lines) + ODD_ROW


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "alloys.csv"
    path.write_bytes(csv_text().encode())
    return path


def trimmed(path: Path, keep: str = "20", columns: NamedColumns = COLUMNS, seeds: int = 4) -> TrimResult:
    source = read_source(str(path), columns)
    return trim(source, rows_wanted(keep, source), measure_for(source.values, "m_spacing", None), seeds)


def records(text: str) -> list[str]:
    """The text of every record of a table of `csv_text`, header included."""
    return [line for line in text.removesuffix(ODD_ROW).splitlines(keepends=True) if line.strip()] + [ODD_ROW]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_of_a_csv_are_copied_letter_by_letter_in_their_order(tmp_path: Path, ending: str, mark: str) -> None:
    path = tmp_path / f"alloys{ending}"
    data = (mark + csv_text()).encode()
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    done = trimmed(path)
    target, *_ = write_trim(done, tmp_path / "out").files
    assert target.name == f"alloys-trimmed{ending}"
    written = target.read_bytes()
    text = (gzip.decompress(written) if ending.endswith("gz") else written).decode()
    all_records = records(csv_text())
    kept = [all_records[1 + position] for position in done.source.positions[done.rows]]
    assert text == mark + "".join([all_records[0], *kept])
    again = write_trim(trimmed(path), tmp_path / "again").files[0]
    assert again.read_bytes() == written


def test_a_parquet_table_keeps_its_types_metadata_and_compression(tmp_path: Path) -> None:
    count = 50
    frame = pa.table(
        {
            "family": pa.array(["a", "b"] * (count // 2)).dictionary_encode(),
            "energy": pa.array(np.random.default_rng(0).normal(size=count), pa.float32()),
            "sites": pa.array([[n, n + 1] for n in range(count)]),
        }
    ).replace_schema_metadata({"made": "here"})
    path = tmp_path / "t.parquet"
    pq.write_table(frame, path, row_group_size=8, compression="zstd")
    done = trimmed(path, "30%")
    target = write_trim(done, tmp_path).files[0]
    back = pq.read_table(target)
    assert back.schema.equals(pq.read_table(path).schema, check_metadata=True)
    assert back.equals(pq.read_table(path).take(pa.array(done.rows)))
    assert pq.ParquetFile(target).metadata.row_group(0).column(1).compression == "ZSTD"
    assert len(back) == 15


def test_cells_longer_than_the_csv_modules_limit_are_copied(tmp_path: Path) -> None:
    long = "x" * 200_000
    path = tmp_path / "long.csv"
    path.write_text("family,energy,cif\n" + "".join(f"{'ab'[n % 2]},{n * n},{long}{n}\n" for n in range(12)))
    before = csv.field_size_limit()
    target = write_trim(trimmed(path, "5"), tmp_path).files[0]
    assert len(target.read_text().splitlines()) == 6
    assert csv.field_size_limit() == before


def test_figures_are_measured_on_the_rows_that_are_written(table: Path, tmp_path: Path) -> None:
    done = trimmed(table)
    written = write_trim(done, tmp_path / "out")
    assert [path.name for path in written.files] == list(files_of(done.source))
    _, figures, notes, picture = written.files
    values = {row["quantity"] + row["family"]: row for row in csv.DictReader(figures.read_text().splitlines())}
    assert {each.name for each in BIAS_METRICS} <= set(values)
    own = np.sort(done.source.values[done.rows[done.source.codes[done.rows] == 1]])
    assert float(values["entropyb"]["trimmed"]) == done.measure.entropy(own)
    assert float(values["rowsb"]["full"]) == 21
    assert float(values["shareb"]["trimmed"]) == pytest.approx(100 * len(own) / 21)
    random = [point.entropy_range for point in done.random if point.entropy_range is not None]
    assert len(random) == len(done.random)
    assert float(values["entropy_range"]["random_mean"]) == pytest.approx(np.mean(random))
    assert float(values["entropy_range"]["random_std"]) == pytest.approx(np.std(random, ddof=1))
    assert picture.read_bytes().startswith(b"\x89PNG")
    told = json.loads(notes.read_text())
    assert told == json.loads(trim_json(done, written))
    assert told["notes"] == done.notes()
    assert told["kept"] == 20
    assert told["families"]["b"]["entropy"]["trimmed"] == done.measure.entropy(own)
    assert trim_table(done).row_count == len(done.table_figures()) + 1 + 3


def test_random_trims_have_the_same_size_and_their_seeds(table: Path) -> None:
    done = trimmed(table, seeds=3)
    assert [sum(point.sizes) for point in done.random] == [20, 20, 20]
    assert done.random == trimmed(table, seeds=5).random[:3]
    assert trimmed(table, seeds=0).table_figures()[0].over_random() == (None, None)


def test_rows_without_family_or_value_are_left_out_and_counted(table: Path) -> None:
    text = table.read_text().removesuffix(ODD_ROW.replace("\r\n", "\n"))
    table.write_text(text + "x1,,2.0,\nx2,a,,\nx3,a,nan,\nx4,b,inf,\n")
    done = trimmed(table)
    assert (done.source.rows_in_file, len(done.source.values), done.source.left_out) == (64, 60, 4)
    assert done.notes()[0].startswith("4 of 64 rows lack a family or a value")
    assert not {60, 61, 62, 63} & set(done.source.positions.tolist())


def test_a_scenarios_table_is_trimmed_as_the_scenario_reads_it(tmp_path: Path) -> None:
    source = read_source("oracle_table", NamedColumns())
    assert (source.name, source.property_name, source.unit) == ("emt_sample", "formation_energy_per_atom", "eV/atom")
    assert len(source.families) == 7
    direct = read_source(str(source.path), NamedColumns("crystal_system", "formation_energy_per_atom", "id"))
    assert direct.values.tolist() == source.values.tolist()
    assert direct.codes.tolist() == source.codes.tolist()


def test_one_family_and_equal_values_have_a_defined_outcome_and_a_note(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("family,energy\n" + "a,1.5\n" * 30)
    done = trimmed(path, "10")
    assert done.rows.tolist() == list(range(10))
    assert [note.split(",")[0] for note in done.notes()] == ["There is one family", "Every value is equal"]
    write_trim(done, tmp_path)
    bias = [getattr(done.full, each.name) for each in BIAS_METRICS]
    assert bias[:3] == [None, None, None]


@pytest.mark.parametrize(
    ("keep", "rows"), [("1", 1), ("500", 500), ("30%", 300), ("0.5 %", 5), ("33.33%", 333), ("99.9%", 999)]
)
def test_keep_is_a_number_or_a_share(keep: str, rows: int) -> None:
    codes = np.zeros(1000, dtype=np.int64)
    source = TrimSource(Path("t.csv"), "y", "", ("a",), codes, np.arange(1000.0), np.arange(1000), 1000)
    assert rows_wanted(keep, source) == rows


@pytest.mark.parametrize(
    ("keep", "found"),
    [
        ("61", "means 61 rows, and alloys.csv has 61 with family and value"),
        ("100%", "means 61 rows"),
        ("2", "means 2 rows, and alloys.csv has 3 families: a, b, c"),
        ("0", "means 0 rows, and alloys.csv has 3 families: a, b, c"),
        ("0.3", "no number of rows"),
        ("-5", "no number of rows"),
        ("many", "no number of rows"),
        ("nan%", "no number of rows"),
    ],
)
def test_a_size_that_cannot_be_kept_is_refused(table: Path, keep: str, found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        trimmed(table, keep)


@pytest.mark.parametrize(
    ("columns", "kind", "found", "action"),
    [
        (NamedColumns("famly", "energy"), TableError, "no column 'famly'", "did you mean 'family'"),
        (NamedColumns("family", "Enrgy"), TableError, "no column 'Enrgy'", "did you mean 'energy'"),
        (NamedColumns("family", "energy", "nam"), TableError, "no column 'nam'", "did you mean 'name'"),
        (
            NamedColumns("family", "energy", "family"),
            TableError,
            "The id 'a' stands in line 2",
            "drop the repeated rows",
        ),
        (NamedColumns("family", None), SettingsError, "not said which columns", "add --property with one of name, fam"),
        (NamedColumns(None, "energy"), SettingsError, "not said which columns", "add --family with one of name, fam"),
        (NamedColumns("energy", "energy"), SettingsError, "named as family and as property", ""),
        (NamedColumns("energy", "family"), TableError, "column 'family': no number in 61 rows", "name other columns"),
    ],
)
def test_columns_that_cannot_be_meant_are_told_with_the_nearest(
    table: Path, columns: NamedColumns, kind: type[EntropilotError], found: str, action: str
) -> None:
    with pytest.raises(kind) as raised:
        read_source(str(table), columns)
    assert found in raised.value.found
    assert action in raised.value.action


def test_a_packed_scenario_is_trimmed_as_its_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    packed = small_pack(tmp_path)
    source = read_source(str(packed.path), NamedColumns())
    table = read_source(str(tmp_path / "table.csv"), NamedColumns("family", "energy", "id", "eV"))
    assert (source.families, source.values.tolist()) == (table.families, table.values.tolist())


def test_a_table_that_is_missing_or_made_on_the_spot_or_empty_is_told(tmp_path: Path) -> None:
    for name, columns, found in (
        ("alloy", COLUMNS, "no table, scenario or pack 'alloy'"),
        (str(tmp_path / "no.csv"), COLUMNS, "There is no table, scenario or pack"),
        ("emt_alloys", NamedColumns(), "is no table"),
        ("oracle_table", COLUMNS, "says itself"),
    ):
        with pytest.raises(EntropilotError, match=found):
            read_source(name, columns)
    empty = tmp_path / "empty.csv"
    empty.write_text("family,energy\na,\n,1\n")
    with pytest.raises(TableError, match=r"No row of .* (is complete|can be used)"):
        read_source(str(empty), COLUMNS)
    empty.write_text("family,energy\na,1e13\nb,1\n")
    with pytest.raises(TableError, match=r"1e\+13 in line 2"):
        read_source(str(empty), COLUMNS)


def test_a_measure_that_cannot_be_is_refused() -> None:
    values = np.arange(10.0)
    assert measure_for(values, "gaussian_kernel", 0.5) == EntropyMeasure("gaussian_kernel", 0.5)
    with pytest.raises(SettingsError, match="no estimator 'm-spacing'"):
        measure_for(values, "m-spacing", None)
    for resolution in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match="no difference of values"):
            measure_for(values, "m_spacing", resolution)


def test_an_estimator_without_an_entropy_of_few_rows_leaves_figures_undefined(table: Path, tmp_path: Path) -> None:
    source = read_source(str(table), COLUMNS)
    done = trim(source, 3, EntropyMeasure("published", 1e-3), 2)
    write_trim(done, tmp_path / "out")
    assert all(each.trimmed is None for each in done.table_figures() if each.quantity != "coverage")
    assert all(h is None for h in done.trimmed.entropies)
    assert "undefined" in str([list(column.cells) for column in trim_table(done).columns])


def test_a_table_that_changes_meanwhile_and_a_folder_that_cannot_be_written_are_told(
    table: Path, tmp_path: Path
) -> None:
    done = trimmed(table)
    table.write_text(table.read_text() + "late,a,1.0,\n")
    with pytest.raises(TableError, match="62 rows where 61 were read"):
        write_trim(done, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(StoreError, match="cannot be written"):
        write_rows(done.source, np.array([0]), tmp_path / "nowhere" / "t.csv")


def test_the_command_writes_prints_and_speaks_as_its_flags_say(table: Path, tmp_path: Path) -> None:
    flags = ["trim", str(table), "--keep", "30%", "--family", "family", "--property", "energy", "--seeds", "2"]
    plain = CliRunner().invoke(app, [*flags, "--out", str(tmp_path / "a")])
    assert plain.exit_code == 0
    assert "18 of 61 rows kept" in plain.output
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        ["alloys-trimmed.csv", "trim.csv", "trim.json", "trim.png"]
    )
    told = CliRunner().invoke(app, [*flags, "--out", str(tmp_path / "b"), "--json"])
    assert json.loads(told.stdout)["kept"] == 18
    quiet = CliRunner().invoke(app, [*flags, "--out", str(tmp_path / "c"), "--quiet"])
    assert quiet.stdout == ""
    wrong = CliRunner().invoke(app, [*flags[:3], "1", *flags[4:]])
    assert wrong.exit_code == SettingsError.exit_code


def test_families_of_a_scenario_may_be_binned_and_combined(table: Path, tmp_path: Path) -> None:
    text = table.read_text().removesuffix(ODD_ROW.replace("\r\n", "\n")).replace("note\n", "size\n", 1)
    table.write_text(text.replace(",\n", ",4\n"))
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[pool]\npath = "alloys.csv"\n[pool.columns]\nid = "name"\nproperty = "energy"\nunit = "eV"\n'
        'family = ["family", { column = "energy", bins = 2 }]\nfeatures = ["size"]\n'
        "[start]\nsize = 30\n[campaign]\nbudget = 5\n".replace('"energy", bins', '"size", bins')
    )
    source = read_source(str(tmp_path / "mine.toml"), NamedColumns())
    assert len(source.values) == 60
    assert {family.split(" / ")[0] for family in source.families} == {"a", "b", "c"}
    done = trim(source, 30, measure_for(source.values, "m_spacing", None), 0)
    assert write_trim(done, tmp_path / "out").files[0].name == "alloys-trimmed.csv"


def test_a_long_cell_among_many_rows_takes_its_own_room_only(tmp_path: Path) -> None:
    """An array of texts gives every row the room of the longest: rows times its length times four bytes."""
    rows, longest = 20_000, 30_000
    path = tmp_path / "long.csv"
    lines = [f"{'ab'[n % 2]},{n % 977}\n" for n in range(rows)]
    lines[7] = f"{'c' * longest},7\n"
    path.write_text("family,energy\n" + "".join(lines))
    tracemalloc.start()
    try:
        source = read_source(str(path), COLUMNS)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
    assert source.families[:2] == ("a", "b")


def test_rows_with_values_that_cannot_be_true_are_left_out_and_told_with_their_places(table: Path) -> None:
    text = table.read_text().removesuffix(ODD_ROW.replace("\r\n", "\n"))
    table.write_text(text + "x1,a,5e7,\nx2,b,-9999,\nx3,a,nan,\n")
    whole = read_source(str(table), COLUMNS)
    assert whole.left_out == 1
    believed = read_source(str(table), replace(COLUMNS, valid_range=(-100.0, 100.0)))
    assert believed.left_out == 3
    assert believed.values.max() < 100
    outside = next(each for each in believed.account if "between -100 and 100" in each.reason)
    assert (outside.handling, outside.count) == ("dropped", 2)
    assert outside.places == ("line 63 of alloys.csv", "line 64 of alloys.csv")


def test_a_value_that_is_hardly_true_asks_for_a_range(table: Path) -> None:
    table.write_text(re.sub("m5,c,[^,]*", "m5,c,8e18", table.read_text()))
    with pytest.raises(TableError, match=r"8e\+18 in line 7 .*--valid-range"):
        read_source(str(table), COLUMNS)
    believed = read_source(str(table), replace(COLUMNS, valid_range=(-1e3, 1e3)))
    assert believed.left_out == 1


def test_a_second_trim_goes_to_a_folder_of_its_own(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = ["trim", str(table), "--keep", "9", "--family", "family", "--property", "energy", "--seeds", "0", "--quiet"]
    assert CliRunner().invoke(app, flags).exit_code == 0
    first = {path: path.read_bytes() for path in (tmp_path / "runs" / "trim-alloys").iterdir()}
    assert CliRunner().invoke(app, [*flags[:3], "10", *flags[4:]]).exit_code == 0
    assert {path: path.read_bytes() for path in (tmp_path / "runs" / "trim-alloys").iterdir()} == first
    assert len((tmp_path / "runs" / "trim-alloys-2" / "alloys-trimmed.csv").read_text().splitlines()) == 11
    named = CliRunner().invoke(app, [*flags, "--out", "runs/trim-alloys"])
    assert named.exit_code == StoreError.exit_code
    assert "holds alloys-trimmed.csv, trim.csv, trim.json, trim.png already" in named.output
    assert {path: path.read_bytes() for path in (tmp_path / "runs" / "trim-alloys").iterdir()} == first


def test_a_table_is_never_overwritten_by_what_is_told_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("trim.csv").write_text(csv_text(), encoding="utf-8")
    before = Path("trim.csv").read_bytes()
    flags = ["trim", "trim.csv", "--keep", "9", "--family", "family", "--property", "energy", "--out", "."]
    assert CliRunner().invoke(app, flags).exit_code == StoreError.exit_code
    assert Path("trim.csv").read_bytes() == before


@pytest.mark.parametrize(
    "flags",
    [["--valid-range", "-1,1"], ["--valid-range", "-1", "1"], ["--valid-range=-1,1"], ["--valid-range", "[-1, 1]"]],
)
def test_a_range_is_written_as_people_write_it(table: Path, tmp_path: Path, flags: list[str]) -> None:
    arguments = ["trim", str(table), "--keep", "9", "--family", "family", "--property", "energy", "--seeds", "0"]
    done = CliRunner().invoke(app, [*arguments, *flags, "--json", "--out", str(tmp_path / "out")])
    told = json.loads(done.stdout)
    assert told["left_out"] == sum(each["count"] for each in told["account"]) > 0
    kept = list(csv.DictReader((tmp_path / "out" / "alloys-trimmed.csv").read_text(encoding="utf-8").splitlines()))
    assert all(-1 <= float(row["energy"]) <= 1 for row in kept)


def test_how_a_table_is_written_is_said_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    rows = [f"{'Cubic' if n % 4 else 'cubic '};{n % 7},{n}" for n in range(40)]
    rows[3] = "none given;1,5"
    path.write_text("family;energy\n" + "\n".join(rows), encoding="utf-8")
    flags = ["--delimiter", ";", "--decimal", ",", "--missing", "none given", "--family-name", "Cubic=cubic"]
    done = CliRunner().invoke(
        app,
        [
            "trim",
            str(path),
            "--keep",
            "9",
            "--family",
            "family",
            "--property",
            "energy",
            *flags,
            "--json",
            "--out",
            str(tmp_path / "o"),
        ],
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert list(told["families"]) == ["cubic"]
    assert told["left_out"] == 1


def test_values_that_look_impossible_are_noted_with_their_places_before_they_rule(table: Path) -> None:
    table.write_text(re.sub("m(5|8|10),c?b?,[^,]*", r"m\1,c,4.5e7", table.read_text()))
    notes = trimmed(table).notes()
    noted = next(note for note in notes if "far beyond the spread" in note)
    assert noted.startswith("3 noted: column 'energy': 3 values lie far")
    assert "line 7 of alloys.csv" in noted
    believed = trimmed(table, columns=replace(COLUMNS, valid_range=(-100.0, 100.0))).notes()
    assert not any("far beyond" in note for note in believed)


def test_replicates_of_a_candidate_are_rows_of_their_own(table: Path, tmp_path: Path) -> None:
    """A scenario makes one candidate of them; who trims its table keeps measurements."""
    lines = [f"{line}4" for line in table.read_text().splitlines() if line.startswith("m")]
    twice = [*lines, *(re.sub(",-?([0-9.]+)", r",\1", line) for line in lines[:10])]
    table.write_text("name,family,energy,size\n" + "\n".join(twice) + "\n")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[pool]\npath = "alloys.csv"\n[pool.columns]\nid = "name"\nproperty = "energy"\nunit = "eV"\n'
        'family = "family"\nfeatures = ["size"]\non_replicates = "mean"\n[campaign]\nbudget = 5\n'
    )
    source = read_source(str(tmp_path / "mine.toml"), NamedColumns())
    assert (source.rows_in_file, source.left_out) == (70, 0)
    assert source.positions.tolist() == list(range(70))
