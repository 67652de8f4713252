"""What a person sees of a shadow: a line while it listens, a table at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.entropy.best import worse_than_start
from scenarios.display.console import status_line
from scenarios.display.labels import shortened
from scenarios.shadow.comparison import ShadowSummary
from scenarios.shadow.outcome import agreement_sentence

if TYPE_CHECKING:
    from scenarios.shadow.listener import ShadowProgress, ShadowRequest

MAX_FAMILIES_SHOWN: Final = 12
"""Most families in the table: those that were chosen most."""

MAX_LAST_LENGTH: Final = 60
"""Longest text about the last choice [character]."""


@contextmanager
def watched(request: ShadowRequest, *, quiet: bool) -> Iterator[Callable[[ShadowProgress], None]]:
    """Show how things are, in one line, as long as a person watches."""
    where, url = f"in the shadow of {request.campaign}", request.scenario.broker.redacted_url
    with status_line(f"connecting to {url} (Ctrl-C ends it)", quiet=quiet) as show:

        def on_progress(now: ShadowProgress) -> None:
            link = ("" if now.connected else f"connecting to {url} ", "bold red")
            place = f"{where} at {url}" if now.connected else where
            counts = (
                f"{place}: {now.chosen:,} choices of the lab, {now.same:,} the same; "
                f"{now.in_flight} in flight, {now.results:,} results  "
            )
            if now.forming:
                counts += f"{now.forming} of a decision to be filled, {now.held:,} messages wait for it  "
            show(Text.assemble(link, counts, (now.last[:MAX_LAST_LENGTH], "dim")))

        yield on_progress


def shadow_table(summary: ShadowSummary) -> RenderableType:
    """Lay a summary out for a terminal of 80 columns."""
    title = Text.assemble((summary.campaign, "bold"), f"  {summary.policy} in its shadow, seed {summary.seed}")
    if summary.scenario:
        title.append(f", scenario {summary.scenario}")
    quarantined = sum(by for name, by in summary.counts.items() if name.startswith("quarantined"))
    heard = f"{summary.decisions:,} decisions of the lab, {summary.results:,} results, {quarantined:,} quarantined"
    harm = worse_than_start(summary.before, summary.after)
    return Group(
        *([Text(f"the lab's dataset is {harm}", style="bold red")] if harm else []),
        title,
        Text(f"ended because {summary.stopped_because}"),
        Text(heard),
        Text(agreement_sentence(summary), style="bold"),
        *(Text(f"note: {each}", style="yellow") for each in notes(summary)),
        "",
        _choices(summary),
        "",
        _bias(summary),
        *([Text(f"best: {summary.best}")] if summary.best else []),
        "",
        _families(summary),
    )


def notes(summary: ShadowSummary) -> Iterator[str]:
    """Yield what a person should know before reading anything into the figures."""
    if summary.first_lab_number:
        yield (
            f"the first decision heard was the lab's number {summary.first_lab_number}: "
            "what it measured before is not known here"
        )
    if summary.most_in_flight > summary.parallel:
        yield (
            f"the lab had {summary.most_in_flight} in flight, campaign.parallel is {summary.parallel}: give the lab's "
            'number, or campaign.ordering="as_completed" for a lab that chooses by whatever has come in'
        )
    if summary.gaps:
        yield f"the broker had kept nothing for us ({summary.gaps}×): what was said meanwhile is missing here"
    if summary.not_asked:
        yield f"the policy was not asked about {summary.not_asked:,} decisions yet; --resume asks it"


def _choices(summary: ShadowSummary) -> RenderableType:
    """Return what the choices brought, and who chose for the poorest family."""
    brought = _grid(("candidates chosen", "distinct", "measured", "gain [nat]"))
    for name, each in (
        ("by both at once", summary.both),
        ("by the lab alone", summary.lab_alone),
        ("by the shadow alone", summary.shadow_alone),
    ):
        gain = "–" if each.entropy_gain is None else f"{each.entropy_gain:+.4f}"
        brought.add_row(name, f"{each.chosen:,}", f"{each.measured:,}", gain)
    caption = "gain: mean change of the entropy of its family, when the lab measured it"
    poorest = _grid(("in the family that was poorest then", "", ""))
    for name, part, whole in (
        ("chosen by the lab", summary.lab_in_poorest, summary.chosen),
        ("chosen by the shadow", summary.shadow_in_poorest, summary.shadow_chosen),
    ):
        poorest.add_row(name, f"{part:,} of {whole:,}", f"{part / whole:.0%}" if whole else "–")
    return Group(brought, Text(caption, "dim"), "", poorest)


def _bias(summary: ShadowSummary) -> Table:
    table = _grid(("bias of the lab's dataset", "before", "after"))
    for metric, before in summary.before.figures:
        ends = (before, summary.after.value(metric.name))
        unit = f" [{metric.unit}]" if metric.unit else ""
        table.add_row(f"{metric.short}{unit}", *("–" if each is None else f"{each:.3f}" for each in ends))
    table.add_row(
        "starved family", *(Text(shortened(each.starved_family or "–")) for each in (summary.before, summary.after))
    )
    return table


def _families(summary: ShadowSummary) -> Table:
    table = _grid(("family", "size", "lab chose", "shadow chose"))
    before = dict(zip(summary.before.families, summary.before.sizes, strict=True))
    after = dict(zip(summary.after.families, summary.after.sizes, strict=True))
    by_choices = sorted(summary.families, key=lambda each: -(each.lab + each.shadow))
    for each in by_choices[:MAX_FAMILIES_SHOWN]:
        size = f"{before[each.family]} → {after[each.family]}"
        table.add_row(Text(shortened(each.family)), size, f"{each.lab:,}", f"{each.shadow:,}")
    if len(by_choices) > MAX_FAMILIES_SHOWN:
        table.add_row(Text(f"… and {len(by_choices) - MAX_FAMILIES_SHOWN} further families", "dim"))
    return table


def _grid(headings: tuple[str, ...]) -> Table:
    """Return a table whose first column is text and whose others are figures."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in headings[1:]:
        table.add_column(justify="right")
    table.add_row(*(Text(each, "bold") for each in headings))
    return table
