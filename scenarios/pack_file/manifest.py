"""What a pack may hold, and the checks of it that need no file: names, kinds, sizes, and the manifest.

A pack is a ZIP file with the members

    scenario.json      the settings without the broker; paths of tables are names of members
    recording.jsonl    the recording, where there is one
    tables/NAME        every table that pool and lab read; a pool that is generated has none
    manifest.json      what this module describes: name, kind, size and SHA-256 of every other member

and a seal at its very end (`scenarios.pack_file.reader`). Nothing that a header says is believed: what is read is
counted and digested on the way.
"""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.wire.messages import Identifier
from scenarios.settings.instruments import MAX_SIMULATORS

PACK_VERSION: Final = 2

VERSION_MARK: Final = "entropilot_pack"
"""Member of the manifest that gives the format's version."""

MANIFEST: Final = "manifest.json"
SCENARIO: Final = "scenario.json"
RECORDING: Final = "recording.jsonl"
TABLES: Final = "tables"

MAX_MEMBERS: Final = MAX_SIMULATORS + 5
"""Most members: manifest, scenario, recording, and a table for the pool, the lab and each of its instruments."""

MAX_MEMBER_BYTES: Final = 2**31 - 1
"""Largest member [byte]: the largest that needs no ZIP64, which so many programs read in so many ways."""

MAX_PACK_BYTES: Final = 2**31 - 1
"""Largest pack [byte], for the same reason."""

MAX_UNPACKED_BYTES: Final = 4 * 1024**3
"""Most that all members unpack to [byte]: the largest table that is read (`MAX_TABLE_BYTES`)."""

MAX_JSON_BYTES: Final = 4 * 1024**2
"""Largest manifest or scenario [byte]: settings are not more (`MAX_SETTINGS_BYTES`), written at length."""

MAX_RATIO: Final = 200
"""Largest growth of a member by unpacking: recordings grow 20 times, the worst that deflate can do is 1,032."""

SMALL_BYTES: Final = 64 * 1024**2
"""Below this size [byte] growth harms nobody: a column of zeros may be what it is."""

MAX_SHOWN: Final = 80
"""How much of a foreign name an error shows [character]."""

_MEMBER_NAME: Final = re.compile(
    rf"{re.escape(SCENARIO)}|{re.escape(RECORDING)}|{re.escape(MANIFEST)}|{TABLES}/[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}}"
)

_ENCRYPTED: Final = 0x1 | 0x40
"""Bits of a ZIP member's flags: encrypted, and strongly so."""

Kind = Literal["scenario", "recording", "table"]


class WrongPack(ValueError):
    """Something in a pack is not as it must be.

    Args:
        member: Which member; empty for the file as a whole.
        reason: What is wrong with it.
        expected: What was expected.
        action: What to do about it.
    """

    def __init__(self, member: str, reason: str, *, expected: str = "", action: str = "") -> None:
        self.member: Final = member
        self.reason: Final = reason
        self.expected: Final = expected
        self.action: Final = action
        super().__init__(f"{member}: {reason}" if member else reason)


class PackMember(BaseModel):
    """One member, as the manifest knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(max_length=128)
    kind: Kind
    bytes: Annotated[int, Field(ge=0, le=MAX_MEMBER_BYTES)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a pack says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    entropilot_pack: Literal[2] = PACK_VERSION
    entropilot: str = Field(max_length=64)
    """Version of Entropilot that made it."""
    name: Identifier
    """Of the campaign, or of the scenario where there is no recording."""
    about: str = Field("", max_length=500)
    """What the scenario is for."""
    pool_digest: str = Field(pattern=r"^[0-9a-f]{16,64}$")
    """Of the pool that the scenario makes."""
    members: Annotated[tuple[PackMember, ...], Field(max_length=MAX_MEMBERS)]

    @property
    def has_recording(self) -> bool:
        """Whether there is a recording to replay."""
        return any(member.name == RECORDING for member in self.members)


def kind_of(name: str) -> Kind:
    """Return what a member of this name is."""
    return "scenario" if name == SCENARIO else "recording" if name == RECORDING else "table"


def require_members(infos: Sequence[zipfile.ZipInfo], pack_bytes: int) -> None:
    """Check what the archive says of its members, before any of them is read.

    Args:
        infos: Its directory.
        pack_bytes: Size of the whole file.

    Raises:
        WrongPack: For the first that could do harm, or is no member of a pack.
    """
    if len(infos) > MAX_MEMBERS:
        raise WrongPack("", f"it has {len(infos)} members", expected=f"at most {MAX_MEMBERS}")
    seen: set[str] = set()
    for info in infos:
        name = info.orig_filename
        shown = repr(name)[1:-1][:MAX_SHOWN]
        if reason := _name_problem(name) or _kind_problem(info) or _size_problem(info):
            raise WrongPack(shown, reason, expected=f"{MANIFEST}, {SCENARIO}, {RECORDING} and {TABLES}/NAME, as files")
        if name.casefold() in seen:
            raise WrongPack(shown, "there are two of this name")
        seen.add(name.casefold())
    total = sum(info.file_size for info in infos)
    if total > MAX_UNPACKED_BYTES:
        raise WrongPack("", f"it unpacks to {total:,} bytes", expected=f"at most {MAX_UNPACKED_BYTES:,}")
    if sum(info.compress_size for info in infos) > pack_bytes:  # else a lie about it hides how much a member grows
        raise WrongPack("", "its members overlap", expected="every member in bytes of its own")
    if MANIFEST not in {info.filename for info in infos}:
        raise WrongPack(MANIFEST, "it is missing", expected="a pack as `entropilot pack` makes it")


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest.

    Raises:
        WrongPack: When it is none, or one of another version.
    """
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        raise WrongPack(MANIFEST, "it is not JSON") from None
    version = tree.get(VERSION_MARK) if isinstance(tree, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise WrongPack(MANIFEST, "it is not the manifest of a pack")
    if version > PACK_VERSION:
        raise WrongPack(
            MANIFEST,
            f"it is of version {version}",
            expected=f"a version up to {PACK_VERSION}, which this Entropilot reads",
            action="use a newer Entropilot",
        )
    if version < PACK_VERSION:
        raise WrongPack(
            MANIFEST,
            f"it is of version {version}, which Entropilot 0.1 wrote",
            expected=f"version {PACK_VERSION}: the names of settings and events changed with 0.2.0",
            action="make it again with `entropilot pack`, or use Entropilot 0.1.0",
        )
    try:
        return Manifest.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WrongPack(MANIFEST, f"{where}: {first['msg']}") from None


def parse_settings(content: bytes) -> dict[str, Any]:
    """Return the settings of the scenario; whether they are right is said where they are used.

    Raises:
        WrongPack: When they are none.
    """
    try:
        settings = json.loads(content)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise WrongPack(SCENARIO, "it holds no settings", expected="a JSON object")
    return settings


def require_within(settings: Mapping[str, Any], manifest: Manifest) -> None:
    """Check that a packed scenario reads nothing but the pack's own tables, and calls no broker.

    Raises:
        WrongPack: For the first table that is none of the pack's.
    """
    own = {member.name for member in manifest.members if member.kind == "table"}
    for key, path in _table_paths(settings):
        if path not in own:
            raise WrongPack(SCENARIO, f"{key} is {str(path)[:MAX_SHOWN]!r}, which is not in the pack")
    if "broker" in settings:
        raise WrongPack(SCENARIO, "it names a broker", expected="settings without one: whoever runs it has their own")


def require_listed(infos: Iterable[zipfile.ZipInfo], manifest: Manifest) -> None:
    """Check that the archive holds what the manifest lists: no member less, none more, none of another size.

    Raises:
        WrongPack: For the first that differs.
    """
    sizes = {info.filename: info.file_size for info in infos if info.filename != MANIFEST}
    listed: set[str] = set()
    for member in manifest.members:
        if member.name in listed:
            raise WrongPack(member.name, "the manifest lists it twice")
        listed.add(member.name)
        if member.name not in sizes:
            raise WrongPack(member.name[:MAX_SHOWN], "the manifest lists it, and it is missing")
        if member.kind != kind_of(member.name):
            raise WrongPack(member.name, f"the manifest calls it a {member.kind}")
        if sizes[member.name] != member.bytes:
            raise WrongPack(member.name, f"it has {sizes[member.name]:,} bytes, and {member.bytes:,} in the manifest")
    if more := sorted(sizes.keys() - listed):
        raise WrongPack(more[0], "the manifest does not list it")
    if SCENARIO not in listed:
        raise WrongPack(SCENARIO, "it is missing")


def _table_paths(settings: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield key and value of every path to a table; what is of another kind than it should be has none."""

    def below(tree: object, name: str) -> dict[str, object]:
        found = tree.get(name) if isinstance(tree, dict) else None
        return found if isinstance(found, dict) else {}

    instruments = below(settings, "simulators")
    tables = {
        "pool": below(settings, "pool"),
        "simulator.table": below(below(settings, "simulator"), "table"),
        **{f"simulators.{name}.table": below(each, "table") for name, each in instruments.items()},
    }
    for key, table in tables.items():
        if table.get("path") is not None:
            yield f"{key}.path", table["path"]


def _name_problem(name: str) -> str:
    if name.startswith("/"):
        return "its name is an absolute path"
    if "\\" in name or ":" in name:
        return "its name has a backslash or a drive"
    if ".." in name.split("/"):
        return "its path leaves the folder"
    return "" if _MEMBER_NAME.fullmatch(name) else "a pack has no such member"


def _kind_problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        return "it is a link" if kind == stat.S_IFLNK else "it is a folder, a pipe or a device"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"it is compressed in another way than deflate ({info.compress_type})"
    return ""


def _size_problem(info: zipfile.ZipInfo) -> str:
    most = MAX_JSON_BYTES if info.filename in {MANIFEST, SCENARIO} else MAX_MEMBER_BYTES
    if info.file_size > most:
        return f"it unpacks to {info.file_size:,} bytes, more than {most:,}"
    if info.file_size > max(SMALL_BYTES, MAX_RATIO * info.compress_size):
        return f"it would grow {info.file_size // max(1, info.compress_size):,} times, more than {MAX_RATIO} times"
    return ""
