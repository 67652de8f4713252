"""A run that was packed is run, replayed and verified in another folder, where neither it nor its table is."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.recording.reader import read_header
from scenarios.pack_file.manifest import MANIFEST
from scenarios.pack_file.reader import PACKS
from tests.support.commands import Workbench
from tests.support.samples.packs import with_members

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A folder with the packs of a run and of its scenario, made twice each; the table that stands there is another."""
    with Workbench(tmp_path_factory.mktemp("here")) as bench:
        assert bench.entropilot("run", "lab.toml", "--policy", "etal", "--quiet").code == 0
        for what, name in (("lab", "run"), ("lab.toml", "scenario")):
            for turn in ("", "-again"):
                packed = bench.entropilot("pack", what, "-o", f"{name}{turn}.pack")
                assert packed.code == 0, packed.err
                assert f"{name}{turn}.pack" in packed.out
        with Workbench(tmp_path_factory.mktemp("elsewhere")) as other:
            for pack in bench.folder.glob("*.pack"):
                shutil.copy(pack, other.folder)
            shutil.rmtree(bench.runs)
            (bench.folder / "table.csv").unlink()
            (other.folder / "table.csv").write_text("id,family\n", encoding="utf-8")
            yield other


@pytest.mark.parametrize("name", ["run", "scenario"])
def test_packed_twice_the_bytes_are_the_same(elsewhere: Workbench, name: str) -> None:
    first, second = (elsewhere.folder / f"{name}{turn}.pack" for turn in ("", "-again"))
    assert first.read_bytes() == second.read_bytes()


def test_a_packed_run_is_replayed_with_its_own_table(elsewhere: Workbench) -> None:
    replayed = elsewhere.entropilot("replay", "run.pack")
    assert replayed.code == 0, replayed.err
    assert "12 of 12 decisions identical" in replayed.out


@pytest.mark.parametrize("name", ["run", "scenario"])
def test_a_pack_is_run_on_the_pool_that_was_packed(elsewhere: Workbench, name: str) -> None:
    with zipfile.ZipFile(elsewhere.folder / f"{name}.pack") as archive:
        manifest = json.loads(archive.read(MANIFEST))
    campaign = f"from-{name}"
    ran = elsewhere.entropilot("run", f"{name}.pack", "--budget", "5", "--quiet", "--campaign", campaign)
    assert ran.code == 0, ran.err
    assert read_header(elsewhere.runs / campaign / "recording.jsonl").pool_digest == manifest["pool_digest"]
    assert "5 of 5 decisions identical" in elsewhere.entropilot("replay", campaign).out


def test_verify_tells_every_member_sound_or_the_first_that_is_not(elsewhere: Workbench) -> None:
    sound = elsewhere.entropilot("verify", "run.pack", "--json")
    assert sound.code == 0
    assert json.loads(sound.out)["sound"]
    content = bytearray((elsewhere.folder / "run.pack").read_bytes())
    content[content.find(b"tables/table.csv") + 100] ^= 4
    (elsewhere.folder / "changed.pack").write_bytes(content)
    changed = elsewhere.entropilot("verify", "changed.pack")
    assert changed.code == 5
    assert "tables/table.csv" in changed.err


@pytest.mark.parametrize("name", ["run", "scenario"])
def test_a_pack_whose_manifest_speaks_of_another_pool_is_refused(elsewhere: Workbench, name: str) -> None:
    with zipfile.ZipFile(elsewhere.folder / f"{name}.pack") as archive:
        members = {each: archive.read(each) for each in archive.namelist() if each != MANIFEST}
    (elsewhere.folder / "forged.pack").write_bytes(with_members(members, pool_digest="0" * 64))
    for command in ("run", "replay", "verify") if name == "run" else ("run",):
        refused = elsewhere.entropilot(command, "forged.pack")
        assert refused.code == 5, (command, refused.err)
        assert ("of another pool" if command == "verify" else "speaks of pool 000000000000") in refused.err


def test_a_pack_that_is_not_sound_is_neither_run_nor_unpacked(elsewhere: Workbench) -> None:
    (elsewhere.folder / "torn.pack").write_bytes((elsewhere.folder / "run.pack").read_bytes()[:-5])
    for command in ("run", "replay"):
        refused = elsewhere.entropilot(command, "torn.pack", "--runs", "untouched")
        assert refused.code == 5, refused.err
        assert "its end is not that of a pack" in refused.err
    assert not (elsewhere.folder / "untouched").exists()


def test_runs_are_listed_and_unpacked_packs_are_no_runs(elsewhere: Workbench) -> None:
    assert elsewhere.entropilot("run", "scenario.pack", "--budget", "3", "--quiet", "--campaign", "listed").code == 0
    told = json.loads(elsewhere.entropilot("list", "--json").out)
    listed = {each["name"]: each["status"] for each in told["recordings"] if each["kind"] == "run"}
    assert listed["listed"] == "3 of 3: the budget is spent"
    assert PACKS not in listed
    assert Path(elsewhere.runs / PACKS).is_dir()
