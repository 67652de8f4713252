"""What the doctor says of a broker, as scripts read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.link.credentials import Account, Role
from scenarios.broker.mosquitto import password_file
from tests.support.commands import Finished, Workbench

PASSWORD = "cretword"
FAULT_FOUND = 11
LEVELS = "entropilot/v1/lab"
"""Where the topics of the campaign of `lab.toml` begin."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one examination.

    Attributes:
        ended: The command.
        checks: What was found, in order.
    """

    ended: Finished
    checks: tuple[dict[str, Any], ...]

    def of(self, name: str) -> tuple[dict[str, Any], ...]:
        """The checks of a name."""
        return tuple(each for each in self.checks if each["name"] == name)

    def one(self, name: str, subject: str | None = None) -> dict[str, Any]:
        """The only check of a name, and of a subject where one is given."""
        (found,) = [each for each in self.of(name) if subject in {None, each["subject"]}]
        return found

    def verdicts(self, name: str) -> set[str]:
        """What the checks of a name came to."""
        return {each["verdict"] for each in self.of(name)}

    @property
    def fails(self) -> list[str]:
        """The names of what fails."""
        return [each["name"] for each in self.checks if each["verdict"] == "fail"]


def examined(bench: Workbench, *arguments: str, env: Mapping[str, str] | None = None) -> Told:
    """Let the doctor look, and read what it says."""
    ended = bench.entropilot("doctor", *arguments, "--json", env=env or {})
    assert ended.code in {0, FAULT_FOUND}, ended.err
    content = json.loads(ended.out)
    told = Told(ended, tuple(content["checks"]))
    assert PASSWORD not in ended.out + ended.err
    assert (content["verdict"] == "fail") is (ended.code == FAULT_FOUND) is bool(told.fails), content
    assert all(each["action"] for each in told.checks if each["verdict"] != "pass"), "each says what to do"
    return told


def as_user(name: str) -> dict[str, str]:
    """The environment of who is let in as somebody."""
    return {"ENTROPILOT_BROKER__USERNAME": name, "ENTROPILOT_BROKER__PASSWORD": PASSWORD}


def lets_in(folder: Path, rights: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The lines of a Mosquitto with an access list.

    Args:
        folder: Where its files go.
        rights: What each user may do, as Mosquitto reads it after `topic`.
    """
    users, access = folder / "users", folder / "access"
    users.write_text(password_file([Account(name, Role.ALL, PASSWORD) for name in rights]))
    told = (f"user {name}\n" + "".join(f"topic {each}\n" for each in may) for name, may in rights.items())
    access.write_text("\n".join(told))
    for file in (users, access):
        file.chmod(0o600)
    return ("allow_anonymous false", f"password_file {users}", f"acl_file {access}")
