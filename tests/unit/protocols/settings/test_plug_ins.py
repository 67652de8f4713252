"""What installed packages bring is found by name, without importing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.acquisition.registry import make_policy
from agent.settings import CampaignSettings
from protocols.errors import SettingsError
from protocols.settings.plug_ins import POLICIES, place_of_plug_in, plug_in_names, plug_ins

MODULE = """
class Nearest:
    def propose(self, context, count):
        raise NotImplementedError
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, in which packages are installed with `install`."""
    monkeypatch.syspath_prepend(tmp_path)
    plug_ins.cache_clear()
    yield tmp_path
    plug_ins.cache_clear()


def install(folder: Path, package: str, points: str) -> None:
    """Write what an installer leaves of a package."""
    (folder / f"{package}.py").write_text(MODULE)
    metadata = folder / f"{package}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[entropilot.policies]\n{points}\n")
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
