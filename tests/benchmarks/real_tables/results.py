"""What a comparison left behind, read back: the figures of each policy, and the verdicts of the judged one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.entropy.bias import BIAS_METRICS
from tests.benchmarks.real_tables.settings import Setting

ABOUT = "about.json"
"""What the results in a folder are of."""

LABELS = {
    **{metric.name: (metric.label, metric.unit, metric.lower_is_better) for metric in BIAS_METRICS},
    "mean_gap_area": ("mean gap on the way", "nat", True),
    "mean_gap_regret": ("mean gap since its best", "nat", True),
    "r2": ("R²", "", False),
    "mae": ("MAE", "", True),
    "worst_family_r2": ("R² of the worst family", "", False),
    "worst_family_mae": ("MAE of the worst family", "", True),
}
"""Figure -> label, unit (of errors that of the target), and whether lower is better."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a result: what identifies it, and the values at the end by policy."""

    target: str
    model: str
    name: str
    final: dict[str, list[float | None]]

    @property
    def label(self) -> str:
        label, unit, lower = LABELS[self.name]
        of = f", {self.model.replace('_', ' ')} of {self.target.replace('_', ' ')}" if self.model else ""
        return f"{label}{f' [{unit}]' if unit else ''}{of} {'↓' if lower else '↑'}"


@dataclass(frozen=True, slots=True)
class Result:
    """One table under one setting."""

    folder: Path
    about: dict[str, Any]
    document: dict[str, Any]

    @property
    def table(self) -> str:
        return str(self.about["table"])

    @property
    def setting(self) -> Setting:
        return Setting(self.about["start"], self.about["noise"], self.about["parallel"])

    @property
    def judged(self) -> str:
        return str(self.document["judged"])

    @property
    def policies(self) -> list[str]:
        return list(self.document["final"])

    @property
    def figures(self) -> list[Figure]:
        """Every judged figure: of the bias, of its course, of the models."""
        final, course = self.document["final"], self.document["course"]
        bias = [Figure("", "", n, {p: final[p][n] for p in final}) for n in final[self.judged]]
        on_the_way = [
            Figure("", "", n, {p: course[p][n] for p in course}) for n in ("mean_gap_area", "mean_gap_regret")
        ]
        models = [Figure(e["target"], e["model"], e["score"], e["final"]) for e in self.document.get("downstream", ())]
        return [*bias, *on_the_way, *models]

    def test(self, figure: Figure, other: str) -> dict[str, Any] | None:
        """The judged policy against another one; None where there is no such comparison."""
        key = (figure.target, figure.model, figure.name, other)
        found = (t for t in self.document["tests"] if (t["target"], t["model"], t["measure"], t["other"]) == key)
        return next(found, None)

    def start(self, name: str) -> list[float | None]:
        return list(self.document["start"].get(name, ()))


def load_results(out: Path) -> list[Result]:
    """Read every result below a folder, by setting and table."""
    found = [
        Result(path.parent, json.loads(path.read_text()), json.loads((path.parent / "comparison.json").read_text()))
        for path in sorted(out.glob(f"*/*/{ABOUT}"))
        if (path.parent / "comparison.json").exists()
    ]
    seeds = {each.setting: len(each.document["seeds"]) for each in found}

    def order(each: Result) -> tuple[int, float, str, int, str]:
        """The setting of most seeds is the main one; noise and random starts come after the others."""
        setting = each.setting
        return (-seeds[setting], setting.noise, setting.start, -setting.parallel, each.table)

    return sorted(found, key=order)


def mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def spread(values: list[float | None], digits: int = 3) -> str:
    """Mean ± standard deviation over seeds."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(known) or len(known) < len(values):
        return "–"
    deviation = f" ± {known.std(ddof=1):.{digits}f}" if len(known) > 1 else ""
    return f"{known.mean():.{digits}f}{deviation}".replace("-", "−")


def difference(test: dict[str, Any] | None, digits: int = 3) -> str:
    """A comparison in a cell: "−0.123 [−0.200, −0.050], p 0.012, better"."""
    if test is None or test["difference"] is None:
        return "–"
    text = f"{test['difference']:+.{digits}f}"
    if test["low"] is not None:
        text += f" [{test['low']:+.{digits}f}, {test['high']:+.{digits}f}]"
    p = "" if test["p_holm"] is None else f", p {test['p_holm']:.3f}"
    verdict = test["verdict"]
    word = f"**{verdict}**" if verdict in {"better", "worse"} else {"bought": "**no success**"}.get(verdict, verdict)
    return f"{text}{p}, {word}".replace("-", "−")
