"""The accounts of a broker that is started alone: made, kept and handed out in files for their owner alone.

Unless a file is named, they are made for each start, and gone with it: what a stranger who listened on our port while
the broker was away was told is worth nothing at its next start. In a file that is named they last, for parts on other
machines hold copies of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from protocols.link.credentials import (
    Account,
    Role,
    accounts_for,
    credentials_place,
    read_credentials,
    require_ids,
    write_credentials,
)


@contextlib.contextmanager
def kept_accounts(
    named: Path | None, instruments: Sequence[str], operators: Sequence[str], host: str, port: int
) -> Iterator[tuple[tuple[Account, ...], Path]]:
    """Write the accounts of a broker; yield them, and where they are.

    Args:
        named: File in which they last: those that it has stay as they are, and further parts are added.
        instruments: For whom they are, beside the agent and an observer; with no operators either, one is for all.
        operators: The same.
        host: Where the broker listens.
        port: The same.

    Raises:
        SettingsError: When a file is not ours to write, or not what it must be; when an id cannot be one.
    """
    path = credentials_place(host, port) if named is None else named
    kept = {each.name: each for each in read_credentials(path)} if named is not None and named.exists() else {}
    lab, people = (
        [each.name for each in kept.values() if each.role is role] for role in (Role.INSTRUMENT, Role.OPERATOR)
    )
    require_ids([*lab, *instruments], [*people, *operators])
    made = accounts_for(instruments, operators) if instruments or operators or not kept else ()
    accounts = tuple(({each.name: each for each in made} | kept).values())
    try:
        write_credentials(path, accounts)
        if len(accounts) > 1:
            for each in accounts:
                write_credentials(part_file(path, each.name), [each])
        yield accounts, path
    finally:
        if named is None:
            _remove(path, accounts)


def part_file(path: Path, name: str) -> Path:
    """Return where the account of one part is alone, to be handed out: beside the file of all."""
    return path.with_suffix("") / f"{name}.json"


def _remove(path: Path, accounts: Sequence[Account]) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        for each in accounts:
            part_file(path, each.name).unlink(missing_ok=True)
        path.with_suffix("").rmdir()
