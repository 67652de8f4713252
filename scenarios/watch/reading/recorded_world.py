"""What the recording of a run says of its scenario, as far as its first line tells."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from protocols.errors import EntropilotError
from protocols.recording.reader import read_header


class RecordedWorld:
    """The first line of a recording, read when it is asked for.

    Args:
        recording: The file, which need not be there.
    """

    def __init__(self, recording: Path) -> None:
        self._recording = recording

    @property
    def scenario(self) -> str:
        """Name of the scenario; empty where it is not known."""
        return str(self._settings.get("name", ""))

    @property
    def pool_size(self) -> int | None:
        """How many candidates the campaign began with; None where it is not known."""
        found = self._settings.get("pool", {}).get("size") if isinstance(self._settings.get("pool"), dict) else None
        return found if isinstance(found, int) else None

    @cached_property
    def _settings(self) -> dict[str, Any]:
        try:
            header = read_header(self._recording)
        except (EntropilotError, OSError, ValueError):
            return {}
        return dict(header.scenario or {})
