"""A pack has all that a scenario or a recording needs, the same content gives the same bytes, and a change is found."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.recording.seal import compress_recording
from protocols.recording.writer import RecordingWriter
from scenarios.pack import writer as pack
from scenarios.pack.content import content_of
from scenarios.pack.writer import Content, write_pack
from scenarios.pack_file.manifest import MANIFEST, RECORDING, SCENARIO
from scenarios.pack_file.reader import PACKS, unpacked
from scenarios.settings.stored import shared_settings
from scenarios.sources.recording import find_recording, recorded_scenario
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.verify.pack_check import pack_parts
from scenarios.verify.verify import verify
from scenarios.world.world import build_world
from tests.support.commands import LAB_TOML
from tests.support.samples.packs import small_content, small_pack, tree_of


def quiet(*_: object) -> None:
    """No progress bar."""


def names_in(pack: Path) -> list[str]:
    with zipfile.ZipFile(pack) as archive:
        return archive.namelist()


def test_a_packed_scenario_makes_the_same_pool_when_its_table_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = small_pack(tmp_path)
    (tmp_path / "table.csv").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    scenario = load_scenario("../small.pack", Overrides({"budget": 7}), {}).settings
    assert scenario.campaign.budget == 7
    assert build_world(scenario).pool.digest == packed.manifest.pool_digest
    assert [path.name for path in elsewhere.iterdir()] == ["runs"]
    assert [path.name for path in (elsewhere / "runs").iterdir()] == [PACKS]


def test_a_packed_recording_has_its_scenario_and_table_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = small_pack(tmp_path, messages=3)
    elsewhere = tmp_path / "elsewhere" / "tables"
    elsewhere.mkdir(parents=True)
    (tmp_path / "table.csv").rename(elsewhere / "table.csv")  # where a person happens to be is a table of this name
    monkeypatch.chdir(elsewhere.parent)
    recording = find_recording(str(packed.path), tmp_path / "runs")
    assert recording.read_bytes() == (tmp_path / RECORDING).read_bytes()
    scenario = recorded_scenario(recording)
    assert scenario.pool.path == str(recording.resolve().parent / "tables" / "table.csv")
    assert build_world(scenario).pool.digest == packed.manifest.pool_digest


def test_the_same_content_gives_the_same_bytes_wherever_it_stands_and_however_its_recording_is_compressed(
    tmp_path: Path,
) -> None:
    content = small_content(tmp_path, messages=5)
    first = write_pack(content, tmp_path / "first.pack", quiet)
    compressed = tmp_path / "recording.jsonl.gz"
    compress_recording(tmp_path / RECORDING, compressed)
    again = Content(content.name, content.scenario, content.pool_digest, compressed)
    second = write_pack(again, tmp_path / "second.pack", quiet)
    assert first.path.read_bytes() == second.path.read_bytes()


def test_settings_go_in_without_the_broker_and_with_the_tables_by_their_members(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    broker = content.scenario.broker.model_copy(update={"url": "mqtt://me:secret@lab:1883"})
    scenario = content.scenario.model_copy(update={"broker": broker})
    packed = write_pack(Content("small", scenario, content.pool_digest), tmp_path / "small.pack", quiet)
    with zipfile.ZipFile(packed.path) as archive:
        settings = json.loads(archive.read(SCENARIO))
        assert b"secret" not in b"".join(archive.read(name) for name in archive.namelist())
    assert "broker" not in settings
    assert settings["pool"]["path"] == settings["simulator"]["table"]["path"] == "tables/table.csv"


def with_url(content: Content, url: str) -> Content:
    """The same with a URL among the free options of its simulator."""
    simulator = content.scenario.simulator.model_copy(update={"options": {"url": url}})
    scenario = content.scenario.model_copy(update={"simulator": simulator})
    return replace(content, scenario=scenario)


def test_the_password_of_a_url_in_free_options_goes_into_no_pack_and_the_user_is_told(tmp_path: Path) -> None:
    content = with_url(small_content(tmp_path), "https://me:hunter2@lab/api")
    packed = write_pack(content, tmp_path / "small.pack", quiet)
    with zipfile.ZipFile(packed.path) as archive:
        assert b"hunter2" not in b"".join(archive.read(name) for name in archive.namelist())
        assert b"@lab/api" in archive.read(SCENARIO)
    toml = tmp_path / "lab.toml"
    options = '[simulator.options]\nurl = "https://me:hunter2@lab/api"\n'
    toml.write_text(LAB_TOML + options, encoding="utf-8")
    (note,) = content_of(str(toml), tmp_path / "runs", quiet).notes
    assert "the password of a URL is not in the pack" in note


def test_a_recording_whose_first_line_tells_a_password_is_only_packed_without_it(tmp_path: Path) -> None:
    content = with_url(small_content(tmp_path), "https://me:hunter2@lab/api")
    path = tmp_path / "told.jsonl"
    RecordingWriter(
        path,
        {"campaign": "small", "pool_digest": content.pool_digest, "scenario": shared_settings(content.scenario)},
    ).close()
    with pytest.raises(StoreError, match="holds a URL with a password"):
        content_of(str(path), tmp_path / "runs", quiet)
    assert content_of(str(path), tmp_path / "runs", quiet, with_recording=False).recording is None


def test_two_tables_of_one_name_are_both_packed(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    (tmp_path / "lab").mkdir()
    other = tmp_path / "lab" / "Table.csv"
    other.write_bytes((tmp_path / "table.csv").read_bytes() + b"m999,cubic,1,1,1\n")
    simulator = content.scenario.simulator
    assert simulator.table is not None
    table = simulator.table.model_copy(update={"path": str(other)})
    scenario = content.scenario.model_copy(update={"simulator": simulator.model_copy(update={"table": table})})
    packed = write_pack(Content("small", scenario, content.pool_digest), tmp_path / "small.pack", quiet)
    assert names_in(packed.path) == [SCENARIO, "tables/2-Table.csv", "tables/table.csv", MANIFEST]
    read = load_scenario(str(packed.path), Overrides(), {}, runs=tmp_path / "runs").settings
    assert read.simulator.table is not None
    assert Path(read.simulator.table.path).read_bytes() == other.read_bytes()


def test_a_table_with_a_strange_name_is_packed_under_one_that_every_system_takes(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    strange = tmp_path / "..Tabelle für 2 µm: neu.csv"
    (tmp_path / "table.csv").rename(strange)
    scenario = content.scenario.with_table_paths(lambda _: str(strange))
    packed = write_pack(Content("small", scenario, content.pool_digest), tmp_path / "small.pack", quiet)
    read = load_scenario(str(packed.path), Overrides(), {}, runs=tmp_path / "runs").settings
    assert build_world(read).pool.digest == packed.manifest.pool_digest


def test_settings_keep_their_order_for_columns_and_set_points_depend_on_it(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)
    with zipfile.ZipFile(packed.path) as archive:
        written = json.loads(archive.read(SCENARIO))
    assert list(written["pool"]) != sorted(written["pool"])


def test_a_generated_pool_packs_no_table(tmp_path: Path) -> None:
    scenario = load_scenario("emt_alloys", Overrides(), {}).settings
    packed = write_pack(Content("emt_alloys", scenario, "0" * 64), tmp_path / "emt.pack", quiet)
    assert names_in(packed.path) == [SCENARIO, MANIFEST]
    read = load_scenario(str(packed.path), Overrides(), {}, runs=tmp_path / "runs").settings
    assert read == scenario


def test_a_scenario_of_the_library_and_a_file_are_packed_as_they_are_written(tmp_path: Path) -> None:
    content = content_of("oracle_table", tmp_path / "runs", quiet)
    packed = write_pack(content, tmp_path / "oracle.pack", quiet)
    read = load_scenario(str(packed.path), Overrides(), {}, runs=tmp_path / "runs").settings
    written = load_scenario("oracle_table", Overrides(), {}).settings
    assert read.with_table_paths(lambda _: "") == written.with_table_paths(lambda _: "")


def test_what_is_not_there_is_said_and_a_pack_is_not_packed_again(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run, recording or scenario 'nothing'"):
        content_of("nothing", tmp_path, quiet)
    with pytest.raises(StoreError, match="is a pack, not a run, recording or scenario"):
        content_of(str(small_pack(tmp_path).path), tmp_path, quiet)


def test_an_edited_recording_is_not_packed(tmp_path: Path) -> None:
    small_content(tmp_path, messages=3)
    recording = tmp_path / RECORDING
    recording.write_bytes(recording.read_bytes().replace(b"message 1", b"message 7"))
    with pytest.raises(StoreError, match="line 3: its digest does not fit"):
        content_of(str(recording), tmp_path, quiet)


def test_only_a_pack_is_replaced(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    table = tmp_path / "table.csv"
    before = table.read_bytes()
    with pytest.raises(StoreError, match="exists and is no pack"):
        write_pack(content, table, quiet)
    assert table.read_bytes() == before
    first = write_pack(content, tmp_path / "small.pack", quiet)
    assert write_pack(content, tmp_path / "small.pack", quiet).sha256 == first.sha256


def test_what_is_too_large_for_a_pack_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = small_content(tmp_path)
    before = tree_of(tmp_path)
    monkeypatch.setattr(pack, "MAX_MEMBER_BYTES", 1000)
    with pytest.raises(StoreError, match="has more than 1,000 bytes"):
        write_pack(content, tmp_path / "small.pack", quiet)
    assert tree_of(tmp_path) == before


def test_a_pack_is_unpacked_once_and_what_was_unpacked_is_checked_again(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)
    folder = unpacked(packed.path, tmp_path / "runs")
    assert folder == tmp_path / "runs" / PACKS / packed.sha256[:16]
    before = tree_of(tmp_path)
    assert unpacked(packed.path, tmp_path / "runs") == folder
    assert tree_of(tmp_path) == before
    table = folder / "tables" / "table.csv"
    table.write_bytes(table.read_bytes().replace(b"cubic", b"conic", 1))
    with pytest.raises(StoreError, match=r"tables/table\.csv is not what was unpacked"):
        unpacked(packed.path, tmp_path / "runs")


def test_a_link_in_the_place_of_an_unpacked_file_is_refused(tmp_path: Path) -> None:
    packed = small_pack(tmp_path)
    table = unpacked(packed.path, tmp_path / "runs") / "tables" / "table.csv"
    table.unlink()
    table.symlink_to(tmp_path / "table.csv")
    with pytest.raises(StoreError, match="is not what was unpacked"):
        unpacked(packed.path, tmp_path / "runs")


def test_verify_tells_of_every_member_and_of_the_chain(tmp_path: Path) -> None:
    packed = small_pack(tmp_path, messages=3)
    parts = verify(str(packed.path), tmp_path / "runs", None, quiet)
    assert [part.name for part in parts] == [
        MANIFEST, RECORDING, SCENARIO, "tables/table.csv", f"chain of {RECORDING}", "whole file",
    ]  # fmt: skip
    assert not any(part.problem for part in parts)
    assert not (tmp_path / "runs").exists()


def test_any_changed_byte_of_a_pack_is_found_and_never_unpacked(tmp_path: Path) -> None:
    packed = small_pack(tmp_path, messages=1)
    whole = packed.path.read_bytes()
    changed = tmp_path / "changed.pack"
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        changed.write_bytes(flipped)
        assert any(part.problem for part in pack_parts(changed)), position
        if position % 40 == 0:
            with pytest.raises(StoreError):
                unpacked(changed, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_any_changed_byte_of_a_larger_pack_is_found(tmp_path: Path) -> None:
    packed = small_pack(tmp_path, messages=20_000)
    whole = packed.path.read_bytes()
    changed = tmp_path / "changed.pack"
    for position in range(7, len(whole), len(whole) // 25):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        changed.write_bytes(flipped)
        assert any(part.problem for part in pack_parts(changed)), position


def test_packing_and_unpacking_tell_how_far_they_are(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    table = tmp_path / "table.csv"
    table.write_bytes(table.read_bytes() + b"\n" * (5 << 20))
    told: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        told.append((what, done, total))

    packed = write_pack(content, tmp_path / "small.pack", progress)
    assert told[-1] == ("packing [MiB]", 5, 5)
    unpacked(packed.path, tmp_path / "runs", progress)
    assert told[-1] == ("reading small.pack [MiB]", 10, 10)  # all is checked before the first byte is written
    assert [done for _, done, _ in told[-13:]] == sorted(done for _, done, _ in told[-13:])


def test_the_first_member_that_was_changed_is_named(tmp_path: Path) -> None:
    packed = small_pack(tmp_path, messages=3)
    whole = bytearray(packed.path.read_bytes())
    with zipfile.ZipFile(packed.path) as archive:
        info = archive.getinfo("tables/table.csv")
        inside = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    whole[inside] ^= 1
    packed.path.write_bytes(whole)
    assert next(part.name for part in pack_parts(packed.path) if part.problem) == "tables/table.csv"


@pytest.mark.parametrize("kept", [0, 1, 40, 1000, -1, -30, -100])
def test_a_pack_that_was_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    packed = small_pack(tmp_path)
    packed.path.write_bytes(packed.path.read_bytes()[:kept])
    with pytest.raises(StoreError, match=r"it is empty|begins with|its end is not that of a pack"):
        unpacked(packed.path, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_compressed_recording_that_was_cut_off_is_not_packed_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    content = small_content(tmp_path, messages=400)
    compressed = tmp_path / "cut.jsonl.gz"
    compress_recording(tmp_path / RECORDING, compressed)
    compressed.write_bytes(compressed.read_bytes()[:-200])
    cut = Content(content.name, content.scenario, content.pool_digest, compressed)
    with pytest.raises(StoreError, match=r"cannot be unpacked to its end.*gzip -dc"):
        write_pack(cut, tmp_path / "cut.pack", quiet)
    assert not (tmp_path / "cut.pack").exists()


def test_a_file_that_only_bears_the_name_of_a_pack_is_not_replaced(tmp_path: Path) -> None:
    content = small_content(tmp_path)
    notes = tmp_path / "notes.pack"
    notes.write_text("what I meant to pack")
    with pytest.raises(StoreError, match="exists and is no pack"):
        write_pack(content, notes, quiet)
    assert notes.read_text() == "what I meant to pack"
