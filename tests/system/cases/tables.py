"""Small tables and scenarios on them, as text; each case changes the one thing that it is about."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.system.cases.bench import CannotTell, Case

ROWS: Final = 60
FAMILIES: Final = ("cubic", "hexagonal", "monoclinic")

Row = dict[str, Any]


def usual_rows(number: int = ROWS) -> list[Row]:
    """Rows of three families, a feature and a property; the same every time."""
    draw = random.Random(0)
    return [
        {
            "id": f"c-{place}",
            "family": FAMILIES[place % 3],
            "x": round(draw.gauss(0, 1), 6),
            "energy": round(draw.gauss(0, 1), 6),
        }
        for place in range(number)
    ]


def write_csv(path: Path, rows: Sequence[Row], delimiter: str = ",") -> None:
    """Write rows; the columns are those of the first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def scenario_text(
    table: str = "t.csv", *, columns: Mapping[str, Any] | None = None, campaign: Mapping[str, Any] | None = None
) -> str:
    """A scenario on a table; a column that is None is left out."""
    usual = {"id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["x"]}
    return "\n".join(
        [
            'name = "s"',
            *section("pool", {"source": "table", "path": table}),
            *section("pool.columns", {**usual, **(columns or {})}),
            *section("start", {"size": 15}),
            *section("campaign", campaign or {"budget": 1, "policy": "random"}),
        ]
    )


def section(name: str, content: Mapping[str, Any]) -> Iterable[str]:
    """A table of TOML; dictionaries are inline."""
    yield f"[{name}]"
    for key, value in content.items():
        if value is not None:
            yield f"{key} = {toml(value)}"


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def prepared(case: Case, rows: Sequence[Row], **columns: Any) -> None:
    """Write `t.csv` and `s.toml` into the folder of a case."""
    write_csv(case.folder / "t.csv", rows)
    (case.folder / "s.toml").write_text(scenario_text(columns=columns), encoding="utf-8")


def trimmed(case: Case, *arguments: str, keep: str = "50%") -> dict[str, Any]:
    """Trim; what `--json` says, with all that was told beside it under `said`."""
    done = case.must("trim", *(arguments or ("s.toml",)), "--keep", keep, "--seeds", "0", "--json")
    told: dict[str, Any] = json.loads(done.out)
    if "families" not in told or "notes" not in told:
        raise CannotTell(f"trim --json has other keys: {sorted(told)}")
    return told | {"said": done.err + "\n".join(map(str, told["notes"]))}


def sizes(told: Mapping[str, Any]) -> dict[str, int]:
    """How many rows the families of the whole table have."""
    return {name: int(family["rows"]["full"]) for name, family in told["families"].items()}
