"""The parts of a pack, checked."""

from __future__ import annotations

from pathlib import Path

from protocols.errors import StoreError
from protocols.recording.reader import check_lines
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.pack_file.manifest import (
    MANIFEST,
    RECORDING,
    PackMember,
    WrongPack,
)
from scenarios.pack_file.reader import BROKEN_SEAL, Pack, open_pack
from scenarios.verify.part import CheckedPart


def pack_parts(path: Path, progress: ProgressCall = no_progress) -> tuple[CheckedPart, ...]:
    """Check a pack, and return what was found: the manifest, every member, the recording's chain, the whole file."""
    try:
        with open_pack(path, progress) as pack:
            members = pack.manifest.members
            parts = [
                CheckedPart(MANIFEST, len(members), note="members, as listed"),
                *(_part(pack, each) for each in members),
            ]
            if pack.manifest.has_recording and not any(part.problem for part in parts):
                with pack.recording() as file:
                    check = check_lines(Path(RECORDING), file)
                note = "; ".join(filter(None, ("messages, chained", check.note)))
                problem = check.problem
                if not problem and check.pool_digest not in {"", pack.manifest.pool_digest}:
                    problem = f"it is of another pool than the {MANIFEST} speaks of"
                parts.append(CheckedPart(f"chain of {RECORDING}", check.messages, problem, note))
            seal = CheckedPart(
                "whole file", path.stat().st_size, "" if pack.is_sealed else BROKEN_SEAL, "bytes, sealed"
            )
            return (*parts, seal)
    except StoreError as error:
        return (CheckedPart(path.name, 0, error.found.removeprefix(f"{path}: "), action=error.action),)


def _part(pack: Pack, member: PackMember) -> CheckedPart:
    try:
        pack.require_member(member)
    except WrongPack as wrong:
        return CheckedPart(member.name, 0, wrong.reason)
    return CheckedPart(member.name, member.bytes, note="bytes, SHA-256 as in the manifest")
