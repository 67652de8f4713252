"""What a check finds, and what all of them come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocols.errors import EntropilotError


class Verdict(StrEnum):
    """What a check came to."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    """It works, and may hurt; or it could not be shown."""
    FAIL = "fail"
    """A campaign would not work."""


SEVERITY: Final = (Verdict.PASS, Verdict.WARN, Verdict.FAIL)
"""From the best to the worst."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is about; the same in every version, for scripts.
        verdict: What it came to.
        found: What was found.
        action: What to do about it; empty where there is nothing to do.
        subject: What of it: a topic, a folder, an address; empty where there is only one.
    """

    name: str
    verdict: Verdict
    found: str
    action: str = ""
    subject: str = ""


class DoctorFoundFault(EntropilotError):
    """Something is wrong that a campaign needs."""

    exit_code = 11


def passed(name: str, found: str, *, subject: str = "") -> Check:
    """Return a check of something that is right."""
    return Check(name, Verdict.PASS, found, subject=subject)


def warned(name: str, found: str, action: str, *, subject: str = "") -> Check:
    """Return a check of something that may hurt, or could not be shown."""
    return Check(name, Verdict.WARN, found, action, subject)


def failed(name: str, found: str, action: str, *, subject: str = "") -> Check:
    """Return a check of something that is wrong."""
    return Check(name, Verdict.FAIL, found, action, subject)


def of_error(name: str, error: EntropilotError, *, subject: str = "") -> Check:
    """Return a check that an error says."""
    return failed(name, error.found, error.action or error.expected, subject=subject)


def worst(checks: Iterable[Check]) -> Verdict:
    """Return the worst verdict; of no check that it is right."""
    return max((each.verdict for each in checks), key=SEVERITY.index, default=Verdict.PASS)


def require_sound(checks: Iterable[Check], *, strict: bool) -> None:
    """Raise where something is wrong.

    Args:
        checks: What was found.
        strict: Whether what only warns counts as wrong.

    Raises:
        DoctorFoundFault: With the first that is wrong.
    """
    counted = {Verdict.FAIL, Verdict.WARN} if strict else {Verdict.FAIL}
    bad = sorted((each for each in checks if each.verdict in counted), key=lambda each: -SEVERITY.index(each.verdict))
    if bad:
        first, number = bad[0], len(bad)
        what = f"{first.name} {first.subject}".rstrip()
        raise DoctorFoundFault(
            f"{number} check{'s' * (number > 1)} found something wrong; first {what}: {first.found}",
            expected="all that a campaign needs",
            action=first.action,
        )
