"""Makes a bed of molecules: designs with what was measured or is known of them, and features, in two tables.

    python -m simulators.molecules FOLDER [--bed bed.toml] [--fidelity gfn2] [--processes 2]
    python -m simulators.molecules FOLDER --edits 3 [--bed bed.toml] [--fidelity gfn2] [--processes 2]
    python -m simulators.molecules FOLDER --edits 4 --table qm9.csv --value mu [--smiles smiles] [--bed bed.toml]
    python -m simulators.molecules --check table.csv [--molecules 6] [--fidelity gfn2] [--processes 2]

The first is a bed of substituted benzenes. `--edits` makes one of any small molecules: groups in place of a hydrogen at
every place of all molecules of C, N and O of at most so many heavy atoms; with `--table` the molecules and their values
are those of a table, and nothing is measured.

`bed.toml` says another bed than the one that comes with the package: a table `groups`, of names and SMILES (the group
alone, whose first atom binds; `[H]` for none), and for benzenes a list `positions` (of ortho, meta and para).

    positions = ["meta", "para"]
    [groups]
    H = "[H]"
    SO2Me = "S(=O)(=O)C"

`--check` measures some molecules of a table again, and tells how far their dipole moments are from it; the exit code is
1 when they are too far. Benzenes that cannot be measured keep their rows, with nothing in them, and are named; designs
of edits that cannot be measured are left out, and named.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.errors import EntropilotError, SettingsError
from protocols.molecules.groups import GROUPS
from protocols.molecules.smiles import SmilesError
from simulators.molecules.batch import measure_all
from simulators.molecules.bed_makers import BedMaker
from simulators.molecules.bed_tables import SMILES, Recomputed, agrees, some_of
from simulators.molecules.benzenes import HYDROGEN, POSITIONS, USUAL_GROUPS
from simulators.molecules.molecule_properties import FIDELITIES, GFN2

SOME: Final = 6
"""Molecules that a check measures again."""

MOST: Final = 256
"""Most molecules of a check, and most processes: what a lab takes."""

BED_FILE: Final = "a TOML file with a table groups and a list positions (--help has an example)"
"""What says another bed."""

TOO_FAR: Final = 1
"""Exit code of a check that does not agree."""


class BedFile(BaseModel):
    """What a bed is, as a file says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: Annotated[Mapping[str, str], Field(min_length=1, max_length=100)] | None = None
    positions: Annotated[tuple[str, ...], Field(min_length=1)] | None = None


def main(arguments: Sequence[str]) -> int:
    """Make or check a bed; return the exit code of the command line."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if (asked.table is None) != (asked.value is None) or (asked.table is not None and asked.edits is None):
        parser.error("--table, --value and --edits belong together")
    try:
        if asked.check is not None:
            return _check(asked.check, asked.molecules, asked.fidelity, asked.processes)
        return _make(asked)
    except (EntropilotError, SmilesError) as error:
        sys.stderr.write(f"error: {error}\n")
        return getattr(error, "exit_code", 1)


def _make(asked: argparse.Namespace) -> int:
    maker = BedMaker(asked.folder, _say, _progress)
    maker.require_room()
    told = BedFile() if asked.bed is None else _read(asked.bed)
    lab = {"fidelity": asked.fidelity, "processes": asked.processes}
    if asked.edits is None:
        maker.of_a_ring(told.groups or USUAL_GROUPS, told.positions or tuple(POSITIONS), **lab)
    else:
        if told.positions is not None:
            raise SettingsError("A bed of edits has no positions", expected="groups alone", action="leave them out")
        groups = {name: smiles for name, smiles in (told.groups or GROUPS).items() if smiles != HYDROGEN}
        if asked.table is None:
            maker.of_edits(asked.edits, groups, **lab)
        else:
            maker.of_known(asked.table, (asked.smiles, asked.value), asked.edits, groups)
    sys.stdout.write("".join(f"{path}\n" for path in maker.paths))
    return 0


def _check(table: Path, count: int, fidelity: str, processes: int) -> int:
    told = some_of(table, count)
    outcomes = measure_all(list(told), fidelity=fidelity, processes=processes, progress=partial(_progress, "measured"))
    recomputed = [Recomputed(smiles, told[smiles], outcomes[smiles]) for smiles in told]
    for each in recomputed:
        sys.stdout.write(f"{each.told:8.4f} D in the table, {each.difference:.4f} D from it now: {each.smiles}\n")
    return 0 if agrees(recomputed) else TOO_FAR


def _read(path: Path) -> BedFile:
    try:
        return BedFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error})", expected=BED_FILE) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path} has a {where} that cannot be used: {first['msg']}", expected=BED_FILE) from None


def _progress(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{what} {done:,} of {total:,}" + "\n" * (done == total))


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.molecules", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", type=Path, nargs="?", help="where table.csv and features.csv are written")
    what.add_argument("--check", type=Path, metavar="TABLE", help="measure some molecules of a table again")
    parser.add_argument("--bed", type=Path, help="a file with groups and positions")
    parser.add_argument("--edits", type=_count, metavar="ATOMS", help="edit molecules of at most so many heavy atoms")
    parser.add_argument("--table", type=Path, help="whose molecules are edited, and whose values are taken")
    parser.add_argument("--value", help="column of the table with the values")
    parser.add_argument("--smiles", default=SMILES, help="column of the table with the molecules")
    parser.add_argument("--fidelity", choices=FIDELITIES, default=GFN2, help="the lab's method")
    parser.add_argument("--molecules", type=_count, default=SOME, help="how many to check")
    parser.add_argument("--processes", type=_count, default=2, help="how many molecules at once")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MOST:
        raise argparse.ArgumentTypeError(f"{count}; expected a whole number from 1 to {MOST}")
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
