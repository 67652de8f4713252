"""The folder of proposals: what a language model would like to be done waits there for a person.

One file each, for the eyes of its owner alone, and so many at most. No code stands in it: that is drawn where a person
approves (`approval`), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from protocols.errors import SettingsError, StoreError
from protocols.storage.private_files import make_private_folder, write_secret
from scenarios.mcp_server.proposal import Proposal

FOLDER: Final = ".proposals"
"""Below the folder of runs."""

MAX_WAITING: Final = 20
"""Most proposals that wait for a person: whoever is asked more often approves without reading."""

MAX_KEPT: Final = 500
"""Most proposals that are kept; of those that are decided the oldest goes first."""

MAX_FILE_BYTES: Final = 64 * 1024
"""Largest file that is read [byte]: 64 words and a reason take a fifth."""

SHORTEST_ID: Final = 4
"""Fewest digits by which a proposal is named."""


class ProposalFolder:
    """Keeps proposals.

    Args:
        runs: The folder of runs.
    """

    def __init__(self, runs: Path) -> None:
        self.path: Final = runs / FOLDER

    def add(self, proposal: Proposal, now: datetime) -> None:
        """Keep a new proposal.

        Raises:
            SettingsError: When too many wait.
            StoreError: When it cannot be written.
        """
        known = self.all()
        waiting = [each for each in known if each.state == "waiting" and not each.is_over(now)]
        if len(waiting) >= MAX_WAITING:
            raise SettingsError(
                f"{len(waiting)} proposals wait for a person already",
                expected=f"fewer than {MAX_WAITING}",
                action="ask a person to look at `entropilot proposals`",
            )
        try:
            make_private_folder(self.path)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be made ({error.strerror or error})") from None
        settled = sorted((each for each in known if each not in waiting), key=lambda each: each.made_at)
        self._forget(settled[: max(0, len(known) - MAX_KEPT + 1)])
        self.write(proposal)

    def write(self, proposal: Proposal) -> None:
        """Write a proposal, whole or not at all.

        Raises:
            StoreError: When it cannot be written.
        """
        path = self._file(proposal.id)
        try:
            write_secret(path, proposal.model_dump_json(indent=2).encode())
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written ({error.strerror or error})",
                expected="a folder of runs with space, and the right to write",
            ) from None

    def all(self) -> list[Proposal]:
        """Return the proposals, the oldest first; what is none of ours is not there."""
        found = (self._read(path) for path in sorted(self.path.glob("*.json")))
        return sorted((each for each in found if each is not None), key=lambda each: each.made_at)

    def get(self, named: str) -> Proposal:
        """Return a proposal by its id, or by the beginning of it.

        Raises:
            SettingsError: When there is none, or several begin so.
        """
        found = [each for each in self.all() if each.id.startswith(named)] if len(named) >= SHORTEST_ID else []
        if len(found) == 1:
            return found[0]
        waiting = ", ".join(each.id[:8] for each in self.all() if each.state == "waiting")
        raise SettingsError(
            f"{len(found) or 'No'} proposals are called {named[:40]!r}",
            expected=f"the id of one, or at least {SHORTEST_ID} digits that it begins with",
            action=f"those that wait: {waiting}" if waiting else "none waits",
        )

    def _file(self, which: str) -> Path:
        return self.path / f"{which}.json"

    def _read(self, path: Path) -> Proposal | None:
        try:
            if path.is_symlink() or path.stat().st_size > MAX_FILE_BYTES:
                return None
            proposal = Proposal.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return proposal if path.name == f"{proposal.id}.json" else None

    def _forget(self, proposals: Iterable[Proposal]) -> None:
        for each in proposals:
            self._file(each.id).unlink(missing_ok=True)
