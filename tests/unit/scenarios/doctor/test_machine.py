"""Packages are held against what the installed distribution asks for, and Python against what it is tried on."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from scenarios.doctor.checks import Verdict
from scenarios.doctor.machine import NEWEST_TRIED, judge_package, look_at_packages, look_at_python, needed


def test_a_python_that_is_newer_than_those_it_is_tried_on_is_a_warning() -> None:
    assert look_at_python().verdict is Verdict.PASS
    assert look_at_python((*NEWEST_TRIED, 9)).verdict is Verdict.PASS
    assert look_at_python((NEWEST_TRIED[0], NEWEST_TRIED[1] + 1, 0)).verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("version", "words"),
    [(None, "is not installed"), ("2.1", "is of version 2.1, and <3,>=2.2"), ("3.0", "version 3.0")],
)
def test_a_package_that_lacks_or_is_of_another_version_is_told_with_what_brings_it(
    version: str | None, words: str
) -> None:
    check = judge_package(Requirement("paho-mqtt>=2.2,<3"), version)
    assert check is not None
    assert (check.subject, words in check.found) == ("paho-mqtt", True)
    assert check.action.startswith("pip install 'paho-mqtt")


@pytest.mark.parametrize("version", ["2.2", "2.9.1", "2.3rc1"])
def test_a_package_of_a_version_that_is_asked_for_is_right(version: str) -> None:
    assert judge_package(Requirement("paho-mqtt>=2.2,<3"), version) is None


def test_what_is_asked_for_elsewhere_or_by_an_extra_is_not_needed() -> None:
    assert needed("numpy>=2.2") is not None
    assert needed('colorama; sys_platform == "nothing"') is None
    assert needed('pyarrow>=19; extra == "parquet"') is None
    assert needed("not a requirement at all") is None


def test_what_is_installed_here_is_looked_at() -> None:
    assert {each.name for each in look_at_packages()} == {"packages"}
