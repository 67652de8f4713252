"""What installed packages bring is found by name, without importing it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.acquisition.registry import make_policy
from agent.settings import CampaignSettings
from protocols.errors import SettingsError, TableError
from protocols.settings.plug_ins import EVALUATORS, POLICIES, READERS, place_of_plug_in, plug_in_names, plug_ins
from protocols.tables.formats.registry import format_of, table_endings
from protocols.tables.table import TableColumns, read_table
from scenarios.listing.listing import listing, listing_json
from scenarios.python.shown import as_text
from simulators.registry import make_evaluator
from simulators.settings import SimulatorSettings

MODULE = """
from protocols.tables.formats.delimited import DelimitedText
from protocols.tables.formats.reader import FileFormat


class Nearest:
    def propose(self, context, count):
        raise NotImplementedError


class Furnace:
    def evaluate(self, request):
        raise NotImplementedError


bars = FileFormat("Bars", (".bars",), lambda path, form: DelimitedText(path, form, "|"))
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, in which packages are installed with `install`."""
    monkeypatch.syspath_prepend(tmp_path)
    plug_ins.cache_clear()
    yield tmp_path
    plug_ins.cache_clear()


def install(folder: Path, package: str, points: str, group: str = POLICIES) -> None:
    """Write what an installer leaves of a package."""
    (folder / f"{package}.py").write_text(MODULE)
    metadata = folder / f"{package}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{points}\n")
    plug_ins.cache_clear()


def campaign(policy: str) -> CampaignSettings:
    return CampaignSettings.model_validate({"property": "y", "unit": "", "budget": 1, "policy": policy})


def test_a_policy_that_a_package_brings_goes_by_its_name(installed: Path) -> None:
    install(installed, "their_package", "nearest = their_package:Nearest")
    (found,) = [each for each in plug_ins(POLICIES) if each.name == "nearest"]
    assert (found.place, found.package) == ("their_package:Nearest", "their_package 1.2")
    settings = campaign("nearest")
    assert settings.policy == "their_package:Nearest"
    assert type(make_policy(settings.policy, {})).__name__ == "Nearest"


def test_ours_go_before_those_of_packages(installed: Path) -> None:
    install(installed, "their_package", "gap_gain = their_package:Nearest")
    assert campaign("gap_gain").policy == "gap_gain"


def test_two_of_one_name_are_told(installed: Path) -> None:
    install(installed, "one_package", "nearest = one_package:Nearest")
    install(installed, "other_package", "nearest = other_package:Nearest")
    with pytest.raises(SettingsError, match=r"one_package 1\.2 \(one_package:Nearest\) and other_package"):
        place_of_plug_in(POLICIES, "nearest")


def test_a_name_that_nobody_brings_is_told_with_those_there_are(installed: Path) -> None:
    install(installed, "their_package", "nearest = their_package:Nearest")
    assert plug_in_names(POLICIES) == ("nearest",)
    assert place_of_plug_in(POLICIES, "farthest") == ""
    with pytest.raises(ValueError, match="'nearest'"):
        campaign("farthest")


def test_an_evaluator_that_a_package_brings_goes_by_its_name(installed: Path) -> None:
    install(installed, "their_package", "furnace = their_package:Furnace", EVALUATORS)
    settings = SimulatorSettings.model_validate({"evaluator": "furnace"})
    assert settings.evaluator == "their_package:Furnace"
    assert type(make_evaluator(settings)).__name__ == "Furnace"
    with pytest.raises(ValueError, match="'furnace'"):
        SimulatorSettings.model_validate({"evaluator": "furnac"})


def test_files_of_an_ending_that_a_package_reads_are_tables(installed: Path) -> None:
    install(installed, "their_package", "bars = their_package:bars", READERS)
    path = installed / "table.BARS"
    path.write_text("id|family|y|f\na|x|1|2\nb|x|2|3\nc|z|3|4\nd|z|5|6\n")
    assert ".bars" in table_endings()
    columns = TableColumns(id="id", family="family", property="y", unit="", features=("f",))
    assert read_table(path, columns).values.tolist() == [1.0, 2.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("bars = their_package:nothing", "AttributeError"),
        ("bars = nobody_has_this:bars", "ModuleNotFoundError"),
        ("bars = their_package:Nearest", "does not read .bars files"),
        ("other = their_package:bars", "does not read .other files"),
    ],
)
def test_a_reader_that_is_none_is_told_with_its_package(installed: Path, point: str, told: str) -> None:
    install(installed, "their_package", point, READERS)
    ending = point.partition(" ")[0]
    with pytest.raises(TableError, match=re.escape(told)):
        format_of(installed / f"table.{ending}")


def test_what_packages_bring_is_listed(installed: Path) -> None:
    install(installed, "their_package", "nearest = their_package:Nearest")
    assert "their_package 1.2" in as_text(listing(installed / "runs"))
    (told,) = [each for each in json.loads(listing_json(installed / "runs"))["plug_ins"] if each["name"] == "nearest"]
    assert told == {
        "kind": "policy", "name": "nearest", "place": "their_package:Nearest", "package": "their_package 1.2"
    }  # fmt: skip
