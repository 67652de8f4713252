"""What a backup says of itself: whose it is, where journal and recording end, and the digest of every file.

The seal is the SHA-256 of all that, so that neither a file nor what is said of it can change without a sign. It proves
nothing against whoever can write all of it: keep the seal, or the journal's digest, elsewhere for that.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from protocols.wire.messages import Identifier

MANIFEST: Final = "backup.json"
"""File of a backup that says what the others are."""

MAX_MANIFEST_BYTES: Final = 1 << 20
"""Largest such file [byte]: some thousand names of files."""

MAX_FILES: Final = 2_000
"""Most files of a backup: parts of a recording, memories of instruments, tables and pictures."""

NAME_PATTERN: Final = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$"
"""Names of its files: none leads out of the folder, and none is hidden."""

DIGEST_PATTERN: Final = r"^[0-9a-f]{64}$"


class SavedFile(BaseModel):
    """A file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    size: Annotated[int, Field(ge=0)]
    """[byte]"""
    sha256: Annotated[str, Field(pattern=DIGEST_PATTERN)]


class Manifest(BaseModel):
    """What a backup is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entropilot_backup: Literal[1] = 1
    """Version of this format."""
    entropilot: str
    """Version that made it."""
    campaign: Identifier
    """Whose it is."""
    uid: Annotated[str, Field(max_length=64)]
    """Names that campaign for ever."""
    made_at: AwareDatetime
    """When."""
    row: Annotated[int, Field(ge=0)]
    """Number of the journal's last row."""
    digest: Annotated[str, Field(pattern=DIGEST_PATTERN)]
    """Of that row, which stands for all rows."""
    recording_row: Annotated[int, Field(ge=0)] | None
    """Number of the last row of the recording; null where there is none."""
    from_server: bool = False
    """Whether the journal was on a database's server; here it is a file in any case."""
    files: Annotated[tuple[SavedFile, ...], Field(max_length=MAX_FILES)]
    """By name, in order."""
    seal: Annotated[str, Field(pattern=DIGEST_PATTERN)] = "0" * 64
    """SHA-256 of all of this but itself, as JSON in one line, sorted by name, without blanks."""

    def sealed(self) -> Self:
        """Return it with its seal."""
        return self.model_copy(update={"seal": self.right_seal})

    @property
    def right_seal(self) -> str:
        """What the seal must be."""
        told = self.model_dump(mode="json", exclude={"seal"})
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Of all its files [byte]."""
        return sum(each.size for each in self.files)

    def as_json(self) -> bytes:
        """Return what the file holds."""
        return self.model_dump_json(indent=2).encode() + b"\n"
