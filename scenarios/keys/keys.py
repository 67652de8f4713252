"""Makes keys: the agent's file holds them all, and each instrument and operator has a file with its own.

A key that is there stays, so that a new instrument changes nothing for the others; `renew` replaces one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from protocols.errors import SettingsError, StoreError
from protocols.link.credentials import require_ids
from protocols.signing.key_file import KEYS_SUFFIX, MAX_OPERATORS, new_key, read_keys, write_keys
from protocols.signing.key_ring import KeyRing
from protocols.storage.private_files import OWNER_ONLY_FOLDER
from protocols.wire.limits import MAX_SIGNATURES
from protocols.wire.topics import AGENT_CLIENT


@dataclass(frozen=True, slots=True)
class PartKeys:
    """The file of one part.

    Attributes:
        part: Whose: the agent, an instrument or an operator.
        path: The file.
        role: What it is.
        is_new: Whether its key was made just now.
    """

    part: str
    path: Path
    role: str
    is_new: bool


def make_keys(
    folder: Path, *, instruments: Iterable[str] = (), operators: Iterable[str] = (), renew: Iterable[str] = ()
) -> tuple[PartKeys, ...]:
    """Make the keys that lack, and a file for each part; return all files.

    Args:
        folder: Where they are; made if it is not there.
        instruments: Ids of instruments that are to have one.
        operators: Ids of operators.
        renew: Whose key is replaced by another one; `agent` for the agent's own.

    Raises:
        SettingsError: When an id cannot be one, or is an instrument's and an operator's; when the agent's file is none.
        StoreError: When they cannot be written.
    """
    path = folder / f"{AGENT_CLIENT}{KEYS_SUFFIX}"
    known = read_keys(path) if path.exists() else KeyRing()
    anew = frozenset(renew)
    lab = dict.fromkeys((*known.instruments, *instruments))
    people = dict.fromkeys((*known.operators, *operators))
    _require_names(lab, people, anew)

    def kept(name: str, key: bytes | None) -> bytes:
        return new_key() if key is None or name in anew else key

    ring = KeyRing(
        kept(AGENT_CLIENT, known.agent),
        {name: kept(name, known.instruments.get(name)) for name in lab},
        {name: kept(name, known.operators.get(name)) for name in people},
    )
    _make_folder(folder)
    write_keys(path, ring)
    made = [PartKeys(AGENT_CLIENT, path, "agent", AGENT_CLIENT in anew or known.agent is None)]
    for role, names, before in (("instrument", lab, known.instruments), ("operator", people, known.operators)):
        for name in names:
            own = folder / f"{name}{KEYS_SUFFIX}"
            write_keys(own, ring.part_of(name))
            made.append(PartKeys(name, own, role, name in anew or name not in before))
    return tuple(made)


def _require_names(lab: Collection[str], people: Collection[str], anew: Collection[str]) -> None:
    require_ids(lab, people)
    if not lab and not people:
        raise SettingsError(
            "There is nobody to make a key for", expected="--instrument ID or --operator ID", action="name at least one"
        )
    if unknown := [name for name in anew if name not in {AGENT_CLIENT, *lab, *people}]:
        raise SettingsError(
            f"There is no key of {unknown[0]!r} to renew",
            expected=f"one of {', '.join((AGENT_CLIENT, *lab, *people))}",
            action="correct --renew",
        )
    if len(lab) > MAX_SIGNATURES or len(people) > MAX_OPERATORS:
        raise SettingsError(
            f"{len(lab)} instruments and {len(people)} operators are too many",
            expected=f"at most {MAX_SIGNATURES} and {MAX_OPERATORS:,}",
            action="give labs that work apart folders of their own",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be made ({error.strerror})", expected="a folder of your own", action="choose another one"
        ) from None
