"""The two tables of an explanation: the families then, and the bias before and after."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from agent.acquisition.bias import BIAS_FIGURES
from agent.why.explanation import Explanation, FamilyThen
from agent.why.phrases import entropy_of, nat, poorest_first, shown_rows


def families_table(told: Explanation) -> Table:
    """Return what was known of the families then, the poorest first.

    Misses are acquisitions in a row without a gain, as far as the policy counts them.
    """
    with_misses = any(family.misses is not None for family in told.then.families)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("family", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("known", "pending", "available", *(["misses"] if with_misses else []), "h [nat]"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    ordered = poorest_first(told.then)
    shown = set(shown_rows(ordered, told.target_family))
    folded_away = len(ordered) - len(shown)
    for at, family in enumerate(ordered):
        if at in shown:
            name = Text(family.name, "bold" if family.name == told.target_family else "")
            misses = [str(family.misses)] if with_misses else []
            available = "?" if family.available is None else f"{family.available:,}"
            numbers = (f"{family.size:,}", str(family.in_flight), available, *misses, nat(family.entropy))
            table.add_row(name, *numbers, _remark(family, told.target_family))
        elif folded_away:
            table.add_row(Text(f"… {folded_away} families between", "dim"))
            folded_away = 0
    return table


def bias_table(told: Explanation) -> Table:
    """Return the entropy of the first choice's family and the bias figures: then, before and after its value."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text("bias [nat]"), no_wrap=True, overflow="ellipsis", max_width=30)
    for heading in ("then", "before its value", "after it", "change"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    outcome, family = told.first.outcome, told.first.candidate.family
    points = (told.then.bias, outcome.before, outcome.after)
    if family is not None:
        values = [entropy_of(point, family) for point in points]
        table.add_row(Text(f"h of {family}", "bold"), *map(nat, values), _change(values, lower_is_better=False))
    for figure in BIAS_FIGURES:
        values = [None if point is None else getattr(point, figure.name) for point in points]
        unit = "" if figure.unit == "nat" else f" [{figure.unit or '1'}]"
        change = _change(values, lower_is_better=figure.lower_is_better)
        table.add_row(Text(f"{figure.label}{unit}"), *map(nat, values), change)
    return table


def _remark(family: FamilyThen, target: str | None) -> Text:
    if family.name == target:
        return Text("target", "bold")
    return Text("left out" if family.left_out else "", "dim")


def _change(values: list[float | None], *, lower_is_better: bool) -> Text:
    """Return what the value changed, green where the bias is less for it."""
    _, before, after = values
    if before is None or after is None:
        return Text("–")
    change = after - before
    text = f"{change:+.3f}".replace("-", "−")
    if float(f"{change:.3f}") == 0:
        return Text("0.000", "dim")
    return Text(text, "green" if (change < 0) == lower_is_better else "red")
