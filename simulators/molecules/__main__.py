"""Makes a bed of substituted benzenes: measures every design, and writes table and features.

    python -m simulators.molecules FOLDER [--bed bed.toml] [--fidelity gfn2] [--processes 2]
    python -m simulators.molecules --check table.csv [--molecules 6] [--fidelity gfn2] [--processes 2]

`bed.toml` says another bed than the one that comes with the package: a table `groups`, of names and SMILES (the group
alone, whose first atom binds; `[H]` for none), and a list `positions` (of ortho, meta and para).

    positions = ["meta", "para"]
    [groups]
    H = "[H]"
    SO2Me = "S(=O)(=O)C"

`--check` measures some molecules of a table again, and tells how far their dipole moments are from it; the exit code is
1 when they are too far. Molecules that cannot be measured keep their rows, with nothing in them, and are named.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.errors import EntropilotError, SettingsError
from protocols.molecules.smiles import SmilesError
from simulators.evaluator import EvaluationFailed
from simulators.molecules.batch import measure_all
from simulators.molecules.bed_tables import (
    FEATURES,
    TABLE,
    Recomputed,
    agrees,
    some_of,
    write_features,
    write_table,
)
from simulators.molecules.benzenes import POSITIONS, USUAL_GROUPS, benzene_designs
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

    groups: Annotated[Mapping[str, str], Field(min_length=1, max_length=100)] = USUAL_GROUPS
    positions: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(POSITIONS)


def main(arguments: Sequence[str]) -> int:
    """Make or check a bed; return the exit code of the command line."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.check is not None:
            return _check(asked.check, asked.molecules, asked.fidelity, asked.processes)
        return _make(asked.folder, asked.bed, asked.fidelity, asked.processes)
    except (EntropilotError, SmilesError) as error:
        sys.stderr.write(f"error: {error}\n")
        return getattr(error, "exit_code", 1)


def _make(folder: Path, bed: Path | None, fidelity: str, processes: int) -> int:
    paths = (folder / TABLE, folder / FEATURES)
    for path in paths:
        if path.exists():
            raise SettingsError(f"{path} is there already", expected="a folder without a bed", action="name another")
    told = BedFile() if bed is None else _read(bed)
    designs = benzene_designs(told.groups, told.positions)
    molecules = sorted({design.smiles for design in designs})
    sys.stderr.write(f"{len(designs)} designs of {len(molecules)} molecules\n")
    outcomes = measure_all(molecules, fidelity=fidelity, processes=processes, progress=_progress)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(paths[0], designs, outcomes)
    write_features(paths[1], molecules)
    for smiles, outcome in outcomes.items():
        if isinstance(outcome, EvaluationFailed):
            sys.stderr.write(f"not measured: {smiles}: {outcome.detail}\n")
    sys.stdout.write("".join(f"{path}\n" for path in paths))
    return 0


def _check(table: Path, count: int, fidelity: str, processes: int) -> int:
    told = some_of(table, count)
    outcomes = measure_all(list(told), fidelity=fidelity, processes=processes, progress=_progress)
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


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\rmeasured {done} of {total}" + "\n" * (done == total))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.molecules", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", type=Path, nargs="?", help="where table.csv and features.csv are written")
    what.add_argument("--check", type=Path, metavar="TABLE", help="measure some molecules of a table again")
    parser.add_argument("--bed", type=Path, help="a file with groups and positions")
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
