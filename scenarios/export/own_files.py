"""What goes along of a run's own files: recording, settings, summary and pictures; nothing that holds a password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.run_files import RECORDING
from protocols.errors import StoreError
from protocols.recording.parts import parts_of
from protocols.recording.reader import read_header
from protocols.settings.fields import without_url_password
from scenarios.export.place import CHUNK_BYTES, Member
from scenarios.sources.run_folder import FIGURE, METRICS_FIGURE, SUMMARY

SCENARIO: Final = "scenario.json"

PARTS: Final = {
    RECORDING: ("Recording", "Every message in and out and every decision, chained by digests", "application/jsonl"),
    SUMMARY: ("Summary", "What the run came to", "application/json"),
    FIGURE: ("Picture of the bias", "The bias trajectory, beside the same budget at random", "image/png"),
    METRICS_FIGURE: ("Picture of the metrics", "The metrics that the policy declares", "image/png"),
    SCENARIO: ("Settings", "The scenario that the run was started with, without its broker", "application/json"),
}
"""File -> its name for people, what it is, and its kind."""


def own_files(folder: Path, *, with_recording: bool = True) -> tuple[list[Member], list[str]]:
    """Return the files of a run that go along, and notes on what does not.

    Args:
        folder: The run folder.
        with_recording: Whether the recording goes along.
    """
    there = [name for name in (SUMMARY, FIGURE, METRICS_FIGURE) if (folder / name).is_file()]
    members, notes = [_file(f"run/{name}", folder / name) for name in there], []
    settings, why_not = _settings(folder)
    if settings is None:
        return members, [why_not]
    clear = without_url_password(settings)
    members.append(Member.of(SCENARIO, (json.dumps(clear, indent=2, ensure_ascii=False) + "\n").encode()))
    if clear != settings:
        notes.append("the recording is left out: its first line holds a URL with a password")
    elif with_recording:
        members.append(_recording(folder / RECORDING))
    return members, notes


def _settings(folder: Path) -> tuple[object | None, str]:
    """Return the settings that a recording names, or why there are none."""
    try:
        found = read_header(folder / RECORDING).scenario
    except StoreError as error:
        return None, f"recording and settings are left out: {error.found}"
    return found, "" if found is not None else "recording and settings are left out: its first line names no scenario"


def _file(path: str, source: Path) -> Member:
    """Return a file as it is now: a run at work replaces it whole."""
    content = source.read_bytes()
    return Member.of(path, content)


def _recording(path: Path) -> Member:
    """Return a recording with all its parts as one file, up to its last whole line: that of a run at work grows."""
    sizes = [(part, part.stat().st_size) for part in parts_of(path)]

    def lines() -> Iterator[bytes]:
        rest = b""
        for part, size in sizes:
            with part.open("rb") as file:
                left = size
                while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                    left -= len(chunk)
                    rest += chunk
                    cut = rest.rfind(b"\n") + 1
                    yield rest[:cut]
                    rest = rest[cut:]

    return Member(f"run/{RECORDING}", lines)
