"""On which file system a folder lies, as Linux tells it, and whether a database keeps its promises there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NETWORK: Final = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.davfs", "fuse.glusterfs", "fuse.gvfsd-fuse",
    "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
    "orangefs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
"""File systems that several machines may share: SQLite's WAL needs memory that all its readers share, which they do not
have (sqlite.org/wal.html), and their locks are often not what they seem."""

IN_MEMORY: Final = frozenset({"ramfs", "tmpfs"})
"""File systems that are gone with the machine's power."""

ESCAPES: Final = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
"""How /proc/self/mountinfo writes characters that would end its fields."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system where it is mounted."""

    point: str
    kind: str
    source: str


def mounts_in(mountinfo: str) -> list[Mount]:
    """Return what /proc/self/mountinfo tells (proc(5)); lines that are built otherwise are passed over."""
    found = []
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if separator and len(fields) > 4 and len(rest) > 1:  # noqa: PLR2004 - the mount point is the fifth field
            found.append(Mount(_unescaped(fields[4]), rest[0], _unescaped(rest[1])))
    return found


def mount_of(path: str, mounts: list[Mount]) -> Mount | None:
    """Return the file system on which an absolute path lies: of the mounts above it the nearest, of equals the last."""
    found = None
    for each in mounts:
        inside = path == each.point or path.startswith(each.point.rstrip("/") + "/")
        if inside and (found is None or len(each.point) >= len(found.point)):
            found = each
    return found


def _unescaped(text: str) -> str:
    for written, meant in ESCAPES.items():
        text = text.replace(written, meant)
    return text
