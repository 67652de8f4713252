"""Writes a scenario from a table: what it assumed stands beside it, with why, and it loads as it is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from protocols.errors import EntropilotError, StoreError, TableError
from protocols.storage.atomic_file import atomic_write
from protocols.tables.account import Account
from protocols.tables.molecules import RepeatedMoleculeError
from protocols.wire.limits import MAX_ID_LENGTH
from scenarios.display.progress import ProgressCall, no_progress
from scenarios.init.columns import unit_of
from scenarios.init.table_columns import Assumed
from scenarios.sources.result_folder import new_file
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world

START_SHARE: Final = 0.2
"""Part of a table that a campaign begins with, where all its values are known."""

MOST_START: Final = 200
"""Largest start set that is written: a campaign shows more where little is known."""

MOST_BUDGET: Final = 100
"""Largest budget that is written: a first look takes a minute."""

LEAST_KEPT: Final = 0.5
"""Least share of a table's rows that a scenario keeps which leaves out what cannot be used, where that is more than
empty cells: a table of which more is lost was not understood."""

MOST_MOLECULES: Final = 20_000
"""Most molecules that a table which plays its own lab is written with: RDKit reads as many in about six seconds."""

SHOWN: Final = 8
"""Most names in a comment."""

_NO_NAME: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class TableScenario:
    """A scenario that was written.

    Attributes:
        path: The scenario.
        assumed: What the columns were taken for.
        notes: What a person should know of the table, as reading it says.
        account: What of the table was not taken as it stands.
        candidates: Of the pool that it makes.
    """

    path: Path
    assumed: Assumed
    notes: tuple[str, ...]
    account: Account
    candidates: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the columns are taken for, and whether rows of one candidate are averaged."""

    columns: Assumed
    replicates: bool


def write_table_scenario(
    assumed: Assumed, out: Path | None = None, progress: ProgressCall = no_progress
) -> TableScenario:
    """Write a scenario and make its pool, so that it is known to work.

    Args:
        assumed: What the columns are taken for.
        out: Where to; by default beside the table, under its name, numbered where one is there.
        progress: For a progress bar.

    Raises:
        StoreError: When the file is there already, or cannot be written.
        TableError: When the table cannot be used as it is; nothing stays then.
    """
    path = new_file(assumed.path.with_name(f"{_stem(assumed.path)}.toml")) if out is None else out
    if path.exists():
        raise StoreError(f"{path} is there already", expected="a new file", action="choose another --out, or move it")
    told: EntropilotError | None = None
    repeated = False
    for tried in _readings(assumed):
        if repeated and tried.columns.smiles is not None and not tried.replicates:
            continue
        with atomic_write(path) as file:
            file.write(table_scenario_text(tried.columns, path, replicates=tried.replicates).encode())
        try:
            world = build_world(load_scenario(str(path), Overrides(), {}).settings, progress)
        except EntropilotError as error:
            told = error if told is None or tried.columns == assumed else told
            repeated = repeated or isinstance(error, RepeatedMoleculeError)
            continue
        if tried.columns.has_holes == assumed.has_holes or len(world.pool) >= LEAST_KEPT * assumed.rows:
            return TableScenario(path, tried.columns, tuple(map(str, world.warnings)), world.account, len(world.pool))
    path.unlink()
    raise TableError(
        f"The table {assumed.path} cannot be used as it was understood: {told.found if told else ''}",
        expected=told.expected if told else "",
        action="correct the table, or say what its columns are: --property, --family, --id, --features",
    ) from told


def _readings(assumed: Assumed) -> Iterator[_Reading]:
    """Yield the ways to read a table, the one that takes most of it as it stands first."""
    molecules = [assumed]
    if assumed.smiles is not None and assumed.features:  # the lab that a table plays needs no molecules
        many = assumed.is_oracle() and assumed.rows > MOST_MOLECULES
        why = f"smiles = {_quoted(assumed.smiles)} reads them at every start, which takes a minute for 100,000"
        why = why if many else "a molecule stands in several rows, or cannot be read"
        without = replace(assumed, smiles=None, unused={**assumed.unused, assumed.smiles: why})
        molecules = [without] if many else [assumed, without]
    for columns in molecules:
        for leaves_out in dict.fromkeys((assumed.has_holes, True)):
            for replicates in (False,) if assumed.id_is_distinct else (False, True):
                yield _Reading(replace(columns, has_holes=leaves_out), replicates=replicates)


def table_scenario_text(assumed: Assumed, path: Path, *, replicates: bool = False) -> str:
    """Return the scenario.

    Args:
        assumed: What the columns are taken for.
        path: Where it will be.
        replicates: Whether rows of one candidate are averaged.
    """
    return "\n".join((*_head(assumed, path), *_columns(assumed, replicates=replicates), *_campaign(assumed))) + "\n"


def _head(assumed: Assumed, path: Path) -> Iterator[str]:
    name = _NO_NAME.sub("_", _stem(assumed.path).lower()).strip("_")[:MAX_ID_LENGTH] or "table"
    beside = Path(os.path.relpath(assumed.path.resolve(), path.resolve().parent)).as_posix()
    yield f"# A scenario of {assumed.path.name}, written by `entropilot init scenario`. What was assumed says why:"
    yield "# correct it where it is wrong. Then:"
    if assumed.is_oracle():
        yield f"#   entropilot run {path.name}        # the table plays the lab: what would a campaign have asked for?"
        yield f"#   entropilot compare {path.name}    # is it worth it, beside the same budget at random?"
    else:
        yield f"#   entropilot forecast {path.name}        # what can the budget buy?"
        yield f"#   entropilot agent {path.name} --dry-run # the first requests; a lab of your own must answer them"
    yield ""
    yield f"name = {_quoted(name)}"
    yield ""
    yield "[pool]"
    yield 'source = "table"'
    yield f"path = {_quoted(beside)}   # {assumed.rows:,} rows"
    if assumed.composition is not None and assumed.features:
        yield "# composition_statistics = true   # beside the features, what its elements say of each formula"
    yield ""


def _columns(assumed: Assumed, *, replicates: bool) -> Iterator[str]:
    yield "[pool.columns]"
    if assumed.id is None:
        yield '# id = "…"   # no column of distinct names was found: ids are made of each row\'s content'
    else:
        yield f"id = {_quoted(assumed.id)}{_because(assumed, 'id')}"
    yield f"property = {_quoted(assumed.property)}{_because(assumed, 'property')}"
    if assumed.others:
        yield f"# could be the property as well: {_few(assumed.others)}"
    yield f"unit = {_quoted(assumed.unit)}" + (_because(assumed, "unit") if assumed.unit else "   # not told: say it")
    if assumed.family is not None:
        yield f"family = {_quoted(assumed.family)}{_because(assumed, 'family')}"
    else:
        number = assumed.features[0] if assumed.features else "…"
        yield "family = []   # one family of all: no column of few different words was found. With families each is"
        yield f"# covered evenly; of a column of numbers: family = {{ column = {_quoted(number)}, bins = 5 }}"
    named = {"composition": assumed.composition, "smiles": assumed.smiles, "structure": assumed.structure}
    yield from (
        f"{what} = {_quoted(name)}{_because(assumed, what)}" for what, name in named.items() if name is not None
    )
    if assumed.features:
        yield f"features = [{', '.join(map(_quoted, assumed.features))}]   # numbers known of every candidate"
    for reason in dict.fromkeys(assumed.unused.values()):
        yield f"# not used ({reason}): {_few([name for name, why in assumed.unused.items() if why == reason])}"
    yield from _missing(assumed)
    if replicates:
        yield 'on_replicates = "mean"   # several rows are one candidate: their values are averaged'
    yield "# valid_range = [-5.0, 50.0]   # what can be true; rows outside are left out"
    for key, value in assumed.format.model_dump(mode="json", exclude_defaults=True).items():
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}{_because(assumed, key)}"
    if assumed.spellings:
        yield "# Some families may be one in several spellings. Where they are, take away the # before these lines:"
        yield "# [pool.columns.family_names]"
        yield from (f"# {_quoted(one)} = {_quoted(other)}" for one, other in assumed.spellings.items())
    if not assumed.is_oracle() and assumed.features:
        yield "# Columns that your lab sets travel with every request, where they are named here with their units:"
        yield "# [pool.columns.parameters]"
        yield from (f"# {_quoted(name)} = {_quoted(unit_of(name))}" for name in assumed.features[:SHOWN])
    yield ""


def _missing(assumed: Assumed) -> Iterator[str]:
    without = f"{assumed.rows - assumed.known:,} of {assumed.rows:,} rows"
    if not assumed.is_oracle():
        told = '"unknown_or_drop"' if assumed.has_holes else '"unknown"'
        more = "; rows that lack anything else are left out" if assumed.has_holes else ""
        yield f"on_missing = {told}   # {without} are not measured yet{more}"
        yield '# on_missing = "drop"   # with [start] size = 20, say: the rows with a value play the lab of a campaign'
    elif assumed.has_holes:
        yield f'on_missing = "drop"   # rows with an empty cell in a used column are left out; {without} lack the value'


def _campaign(assumed: Assumed) -> Iterator[str]:
    start = 0
    if assumed.is_oracle():
        start = max(1, min(MOST_START, round(START_SHARE * assumed.known)))
        yield "[start]"
        yield f"size = {start}   # rows that the campaign knows at the start, drawn at random; the others are asked for"
        yield f"minimum_per_family = {1 if start >= assumed.families else 0}"
        yield ""
    left = (assumed.known if assumed.is_oracle() else assumed.rows) - (start or assumed.known)
    yield "[campaign]"
    yield f"budget = {max(1, min(MOST_BUDGET, left))}   # candidates that may be requested, of {left:,}"
    yield "parallel = 1   # requests that are open at once"
    yield ""
    if not assumed.is_oracle():
        yield "# The lab: a class of yours (`entropilot init evaluator`), or your instruments (`entropilot init lab`)."
    else:
        yield "[simulator.latency]"
        yield "mean_s = 0.05   # how long the table takes to answer [s]"


def _stem(path: Path) -> str:
    return path.name.partition(".")[0] or "table"


def _because(assumed: Assumed, what: str) -> str:
    return f"   # assumed: {assumed.why[what]}" if what in assumed.why else ""


def _few(names: tuple[str, ...] | list[str]) -> str:
    told = " ".join(", ".join(names[:SHOWN]).split())
    return told if len(names) <= SHOWN else f"{told} and {len(names) - SHOWN} more"


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
