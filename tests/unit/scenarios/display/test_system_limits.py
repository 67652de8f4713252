"""What the system does not give is named, and what it would give for the asking is asked for."""

from __future__ import annotations

import errno
import resource

import pytest

from protocols.errors import StoreError
from scenarios.display.console import OUR_FAULT, reported_errors
from scenarios.display.system_limits import FEWEST_FILES, LACKS, SystemLimitError, lack_of, require_enough_files

Limits = tuple[int, int]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[Limits]:
    """The limits of a system that is not this one; the last of the list holds."""
    found: list[Limits] = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _which: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _which, new: found.append(new))
    return found


def test_a_limit_that_may_be_raised_is_raised_and_one_that_suffices_stays(limits: list[Limits]) -> None:
    require_enough_files()
    assert limits == [(1024, 4096)]
    limits.append((24, 4096))
    require_enough_files()
    assert limits[-1] == (FEWEST_FILES, 4096)
    limits.append((24, resource.RLIM_INFINITY))
    require_enough_files()
    assert limits[-1] == (FEWEST_FILES, resource.RLIM_INFINITY)


def test_a_limit_that_is_too_low_for_good_is_named_before_anything_begins(
    limits: list[Limits], capsys: pytest.CaptureFixture[str]
) -> None:
    limits.append((24, 24))
    with pytest.raises(SystemExit) as end, reported_errors(debug=False):
        raise AssertionError("it began")
    told = capsys.readouterr().err
    assert end.value.code == SystemLimitError.exit_code
    assert "may open 24 files at most" in told
    assert "ulimit -n 256" in told


@pytest.mark.parametrize("error", [*(OSError(number, "words") for number in LACKS), MemoryError()], ids=repr)
def test_a_lack_in_the_middle_is_no_fault_of_ours_and_of_no_folder(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end, reported_errors(debug=False):
        raise error
    told = capsys.readouterr().err
    assert end.value.code == SystemLimitError.exit_code != OUR_FAULT
    assert "ulimit" in told
    assert "--runs" not in told


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), ValueError("no"), StoreError("no")], ids=repr)
def test_another_error_is_no_lack(error: Exception) -> None:
    assert lack_of(error) is None
