"""What a row of checks comes to, and when it ends a script."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from scenarios.doctor.checks import DoctorFoundFault, Verdict, failed, of_error, passed, require_sound, warned, worst

RIGHT = passed("name", "10.0.0.7")
DOUBTFUL = warned("tls", "none", "let the broker speak it")
WRONG = failed("say", "refused", "grant it", subject="lab/request/+")


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ((), Verdict.PASS),
        ((RIGHT,), Verdict.PASS),
        ((DOUBTFUL, RIGHT), Verdict.WARN),
        ((RIGHT, WRONG, DOUBTFUL), Verdict.FAIL),
    ],
)
def test_the_worst_of_all_checks_counts(checks: tuple, verdict: Verdict) -> None:
    assert worst(checks) is verdict


def test_only_what_fails_ends_a_script_unless_it_is_strict() -> None:
    require_sound([RIGHT, DOUBTFUL], strict=False)
    with pytest.raises(DoctorFoundFault, match="1 check found something wrong; first tls: none"):
        require_sound([RIGHT, DOUBTFUL], strict=True)
    with pytest.raises(DoctorFoundFault, match=r"first say lab/request/\+: refused") as caught:
        require_sound([DOUBTFUL, RIGHT, WRONG], strict=True)
    assert caught.value.action == "grant it"
    assert "2 checks" in caught.value.found


def test_an_error_of_ours_is_a_check_that_fails_with_what_to_do() -> None:
    check = of_error("password", SettingsError("It is locked", expected="an open one", action="open it"))
    assert (check.verdict, check.found, check.action) == (Verdict.FAIL, "It is locked", "open it")
    assert of_error("password", SettingsError("It is locked", expected="an open one")).action == "an open one"
