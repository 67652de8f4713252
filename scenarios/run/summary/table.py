"""A summary as a table at the end of a run, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from agent.entropy.bands import Band
from agent.entropy.best import best_in_words, price_of_evenness, worse_than_start
from scenarios.display.labels import figure_text, shortened, with_unit
from scenarios.effects.truth import UNSEEN
from scenarios.run.reach_words import reach_in_words, what_is_hardly_known, who_falls_short
from scenarios.run.summary.model import MOMENTS, RunSummary
from scenarios.run.summary.points import starved_first

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

MAX_ROWS: Final = 11
"""Most families in the table: with its frame it stays on a screen of 24 lines."""

RICHEST_SHOWN: Final = 3
"""Of too many families, how many of the richest are shown; the rest of the rows go to the poorest."""

ERROR_SHORT: Final = "error against truth"
HELD_SHORT: Final = "intervals holding it"
"""Where there is little room."""


def summary_table(summary: RunSummary) -> RenderableType:
    """Lay a summary out for a terminal of 80 columns, with or without colours.

    An entropy has half the width of its band beside it; of every figure, the best of the columns is bold with a star.
    """
    from rich.console import Group
    from rich.text import Text

    title = Text.assemble((summary.campaign, "bold"), f"  policy {summary.policy}, seed {summary.seed}")
    if summary.scenario:
        title.append(f", scenario {summary.scenario}")
    costs = "" if summary.budget_unit == "candidates" else f" {summary.budget_unit}"
    counts = (
        f"spent {summary.spent} of {summary.budget}{costs} {_in_time(summary)}; "
        f"{summary.observations} observations, {summary.abandoned} abandoned, {summary.excluded} excluded, "
        f"{summary.retries} retries, {summary.duplicates} duplicates, {summary.quarantined} quarantined"
    )
    caption = f"entropy of {with_unit(summary.property, summary.unit)} in nat ± 90 % band; * best"
    if not summary.after.compares_families:
        caption = "metrics that the policy declares; * best"
    if summary.against_truth:
        caption += f"; truth: {UNSEEN}"
    caption += "; what it means: report --meanings"
    reason = Text(f"stopped because {summary.stopped_because}" if summary.stopped_because else "it goes on")
    short_of = [Text(line, "bold red") for line in summary.shortfall]
    harm = worse_than_start(summary.before, summary.after)
    warning = [Text(harm, "bold red")] if harm else []
    best = best_in_words(summary.best)
    price = "" if summary.random is None else price_of_evenness(summary.after, summary.random, "at random")
    reach = reach_in_words(summary.ceilings, summary.further)
    lines = [Text(each) for each in (f"best: {best}" if best else "", summary.found, price, reach) if each]
    lines += [Text(f"{'effects' if not place else '       '} {line}") for place, line in enumerate(summary.effects)]
    lines += [Text(f"{'shares ' if not place else '       '} {line}") for place, line in enumerate(summary.shares)]
    lines += [Text(summary.account)] if summary.account else []
    lines += [Text(summary.brought)] if summary.brought else []
    lines += [Text(line) for line in summary.findings]
    told = (*_contradictions(summary), *who_falls_short(summary.ceilings), *what_is_hardly_known(summary.skills))
    short = [Text(line, "yellow") for line in told]
    return Group(
        *warning, title, reason, *short_of, Text(counts), "", _bias_table(summary), *lines, *short, Text(caption, "dim")
    )


def _contradictions(summary: RunSummary) -> Iterator[str]:
    """Say which results contradict the first one of their attempt: a lab is confused, or somebody speaks for it."""
    if count := summary.contradictions:
        yield f"{count} result{'s' * (count != 1)} contradicted what the journal holds, which stays:"
        yield from (f"  {line}" for line in summary.contradicted)
        if (more := summary.contradictions - len(summary.contradicted)) > 0:
            yield f"  … and {more} more"


def _in_time(summary: RunSummary) -> str:
    """Say how long it took; of a campaign that was resumed, only of the part that this process ran."""
    rate = "" if summary.per_second is None else f", {summary.per_second:.3g} results/s"
    took = f"in {summary.wall_time_s:.1f} s{rate}"
    accepted = summary.observations - sum(summary.before.sizes)
    if summary.accepted_here is None or summary.accepted_here == accepted:
        return took
    return f"(since it was resumed: {summary.accepted_here} results {took})"


def _bias_table(summary: RunSummary) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = [summary.before, summary.after, *([summary.random] if summary.random else [])]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    compares = summary.after.compares_families
    table.add_column("family" if compares else "", overflow="ellipsis", no_wrap=True, max_width=28)
    for heading in ("size" if compares else "", "before", "after", "at random")[: 1 + len(columns)]:
        table.add_column(heading, justify="right", no_wrap=True)
    lookups = [dict(zip(each.families, zip(each.sizes, each.entropies, strict=True), strict=True)) for each in columns]
    bands = [
        dict(zip(point.families, known or (None,) * len(point.families), strict=True))
        for point, known in zip(columns, (summary.bands_before, summary.bands_after, ()), strict=False)
    ]
    shown, folded = _fold(starved_first(summary.before)) if compares else ([], 0)
    for position in shown:
        name = summary.before.families[position]
        (size, _), (grown, _) = lookups[0][name], lookups[1].get(name, (0, None))
        pairs = zip(lookups, bands, strict=True)
        entropies = [_with_band(each.get(name, (0, None))[1], known.get(name)) for each, known in pairs]
        table.add_row(Text(name), f"{size} → {grown}", *entropies)
        if folded and position == shown[-RICHEST_SHOWN - 1]:
            table.add_row(Text(f"… {folded} families between", "dim"))
    if compares:
        table.add_section()
    for metric, _ in summary.after.figures:
        values = [each.value(metric.name) for each in columns]
        table.add_row(
            Text(metric.short, "bold"), "", *_starred(values, min if metric.lower_is_better else max, metric.unit)
        )
    for row in _truth_rows(summary):
        table.add_row(*row)
    if compares:
        starved = (Text(shortened(each.starved_family or "–")) for each in columns)
        table.add_row(Text("starved family", "bold"), "", *starved)
    return table


def _truth_rows(summary: RunSummary) -> Iterator[tuple[Text, ...]]:
    """Yield how far off the effects were believed to be, in the columns of the table."""
    from rich.text import Text

    moments = MOMENTS if summary.random else MOMENTS[:2]
    against = [summary.against_truth.get(moment) for moment in moments]
    if not any(against):
        return
    errors = [None if each is None else each.error for each in against]
    held = ("–" if each is None else f"{each.held:.0%}" for each in against)
    yield Text(ERROR_SHORT, "bold"), Text(""), *_starred(errors, min, summary.unit)
    yield Text(HELD_SHORT, "bold"), Text(""), *map(Text, held)


def _fold(order: list[int]) -> tuple[list[int], int]:
    """The positions to show, and how many are left out before the richest of them."""
    if len(order) <= MAX_ROWS:
        return order, 0
    starved = MAX_ROWS - RICHEST_SHOWN - 1  # one row says how many are folded
    return order[:starved] + order[-RICHEST_SHOWN:], len(order) - starved - RICHEST_SHOWN


def _starred(values: list[float | None], best_of: Callable[[Iterable[float]], float], unit: str) -> list[Text]:
    from rich.text import Text

    known = {value for value in values if value is not None}
    best = best_of(known) if len(known) > 1 else None  # where all are alike, none is better
    told = [figure_text(value, unit) for value in values]
    return [
        Text(f"*{text}", "bold green") if value is not None and value == best else Text(text)
        for value, text in zip(values, told, strict=True)
    ]


def _with_band(entropy: float | None, band: Band | None) -> str:
    told = figure_text(entropy, "nat")
    return told if band is None else f"{told} ± {(band[1] - band[0]) / 2:.3f}"
