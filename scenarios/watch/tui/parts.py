"""The parts of the terminal's view as text. Pure; names of strangers are shown without what could steer a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from scenarios.display.labels import figure_text, titled
from scenarios.display.text_chart import text_chart
from scenarios.run.live.families import STARVED, bar
from scenarios.run.live.words import clean, nat
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.state.moment import DecidedCandidate, DecisionCard, Moment
from scenarios.watch.state.runs import Campaign
from scenarios.watch.state.tables import JournalEntry
from scenarios.watch.tui.reading import Shown

CLOCK: Final = slice(11, 19)
"""Hour, minute and second in a time of RFC 3339."""

BASE_CELLS: Final = 17
"""Width of what a family always has beside its name: mark, size, entropy, and what is between them [cell]."""

FURTHER: Final = (("±", 5), ("spread", 8), ("last", 7))
"""What it has besides where there is room, and its width [cell]."""

NAME_CELLS: Final = (8, 24)
"""Least and greatest width of a family's name [cell]."""

PHASE_STYLES: Final = {"running": "green", "paused": "bold yellow", "interrupted": "bold red", "unreadable": "bold red"}

NOT_TOLD: Final = "A broker does not tell what was decided: `entropilot watch` does where the agent works."
"""Of a campaign that is seen over a broker."""

STATUS_WORDS: Final = {
    "sent": "sent, no answer yet",
    "accepted": "carried out",
    "duplicate": "had been carried out before",
    "refused": "refused",
    "no_answer": "no answer: it may be carried out or not",
    "not_sent": "not sent",
}
STATUS_STYLES: Final = {"sent": "cyan", "accepted": "green", "duplicate": "green"}


def strip_text(shown: Shown) -> Text:
    """Return the two lines on top: what runs, how far it is, and whether this is now or the past."""
    campaign, moment = shown.campaign, shown.moment
    text = Text.assemble(
        (clean(campaign.name), "bold"), f"  {clean(campaign.policy)}  ",
        (moment.phase, PHASE_STYLES.get(moment.phase, "")),
        f"  {moment.spent:,}/{moment.budget:,} {campaign.budget_unit}",
    )  # fmt: skip
    if moment.abandoned:
        text.append(f"  {moment.abandoned} abandoned", "yellow")
    if not moment.is_latest:
        text.append(f"  the past, {(moment.at or '')[CLOCK]}", "reverse")
    text.append("\n")
    said = [moment.reason] if moment.reason else []
    said += [f"waiting for {each}" for each in moment.waiting_for]
    if moment.awaiting_approval:
        said.append(f"approval of decision {', '.join(map(str, moment.awaiting_approval))} is awaited: a or v")
    return text.append(clean("; ".join(said)) or f"as of {(moment.at or '–')[CLOCK]} UTC", "yellow" if said else "dim")


def families_part(campaign: Campaign, moment: Moment, width: int) -> Table:
    """Return the families in their order; names are whole where that leaves room for size and entropy.

    Half-widths of the bands, bars and last changes stand beside these while there is room for them.
    """
    longest = max((len(clean(each.family)) for each in moment.families), default=0)
    name = min(max(longest, NAME_CELLS[0]), NAME_CELLS[1], max(width - BASE_CELLS, NAME_CELLS[0]))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("family", no_wrap=True, overflow="ellipsis", width=name)
    table.add_column("", width=1)
    table.add_column("size", justify="right", no_wrap=True, width=5)
    table.add_column(Text("h [nat]"), justify="right", no_wrap=True, width=7)
    room, further = width - BASE_CELLS - name, []
    for heading, cells in FURTHER:
        if (room := room - cells - 1) < 0:
            break
        further.append(heading)
        table.add_column(heading, justify="left" if heading == "spread" else "right", no_wrap=True, width=cells)
    richest = max((each.entropy for each in moment.families if each.entropy is not None), default=None)
    for each in moment.families:
        style = "bold yellow" if each.family == moment.starved_family else ""
        figures = {
            "±": Text("" if each.low is None or each.high is None else f"{(each.high - each.low) / 2:.2f}"),
            "spread": Text(bar(each.entropy, richest)[::2], "blue"),
            "last": Text("" if each.change is None else f"{each.change:+.3f}".replace("-", "−")),
        }
        table.add_row(
            Text(clean(each.family), style), Text(STARVED if style else "", style), f"{each.size:,}",
            nat(each.entropy), *(figures[heading] for heading in further),
        )  # fmt: skip
    if not campaign.compares_families:
        table.add_row(Text("not compared by this policy", "dim"))
    return table


def figures_text(campaign: Campaign, moment: Moment) -> Text:
    """Return the figures of the bias, or what the policy declares, a line each."""
    best = {each.metric: each for each in moment.best}
    text = Text()
    for metric in campaign.metrics:
        value = moment.metrics.get(metric.name)
        text.append(f"{metric.short} ", "dim").append(f"{figure_text(value, metric.unit)} {metric.unit}".rstrip())
        if (found := best.get(metric.name)) is not None and found.value != value:
            text.append(f"  best {figure_text(found.value, metric.unit)} at {found.observation}", "dim")
        text.append("\n")
    return text


def decision_text(decision: DecisionCard | None, *, is_told: bool = True) -> Text:
    """Return the last decision: what was chosen, why, the runner-up, and what came of it.

    Args:
        decision: None where there is none.
        is_told: Whether the source tells of decisions.
    """
    if not is_told:
        return Text(NOT_TOLD, "dim")
    if decision is None:
        return Text("nothing decided yet", "dim")
    approval = "" if decision.approval == "none" else f"  {decision.approval}"
    text = Text.assemble((f"decision {decision.decision}", "bold"), (approval, "yellow"), "\n")
    for each in decision.candidates:
        text.append(f"{clean(each.name)}", "bold").append(f"  {clean(each.family or '')}  {clean(each.status)}\n")
        text.append(_predicted(each))
    text.append(clean(decision.reason) + "\n")
    if decision.runner_up is not None:
        margin = "" if decision.margin is None else f", by {decision.margin:.3g}"
        text.append(f"runner-up {clean(decision.runner_up_name or decision.runner_up)}{margin}\n", "dim")
    return text


def in_flight_text(moment: Moment) -> Text:
    """Return what is awaited, oldest first."""
    if not moment.in_flight and moment.in_flight_count is None:
        return Text("")
    if not moment.in_flight:
        return Text(f"{moment.in_flight_count} in flight" if moment.in_flight_count else "nothing in flight", "dim")
    text = Text.assemble((f"{len(moment.in_flight)} in flight\n", "bold"))
    for each in moment.in_flight:
        text.append(f"{clean(each.name)}  {clean(each.family or '')}")
        text.append(f"  attempt {each.number}" if each.number > 1 else "", "yellow")
        text.append(f"  {clean(each.recipient)}  since {(each.asked_at or '–')[CLOCK]}\n", "dim")
    return text


def counts_text(moment: Moment) -> Text:
    """Return how many messages came to what; nothing of the past, of which that is not known."""
    told = {name: value for name, value in moment.counts.model_dump().items() if value is not None}
    return Text("  ".join(f"{value:,} {name}" for name, value in told.items()), "dim")


def journal_text(rows: Sequence[JournalEntry]) -> Text:
    """Return rows of the journal, the latest on top."""
    text = Text()
    for row in reversed(rows):
        text.append(f"#{row.sequence} {(row.at or '')[CLOCK]} ", "dim").append(clean(row.words))
        text.append(f"  by {clean(row.operator)}" if row.operator else "", "cyan").append("\n")
    return text


def chart_text(shown: Shown, width: int, height: int) -> Text:
    """Return how the leading figure went, with the moment marked where it is past; empty where there is no room."""
    known = [(at, value) for at, value in shown.course if value is not None]
    if shown.course_of is None or len(known) < 2:  # noqa: PLR2004 - a course needs two points
        return Text()
    now = shown.moment.observation
    mark = -1
    if now is not None and not shown.moment.is_latest:
        mark = min(range(len(known)), key=lambda index: abs(known[index][0] - now))
    lines = text_chart([float(at) for at, _ in known], [value for _, value in known], width, height - 1, mark=mark)
    if not lines:
        return Text()
    heading = f"{titled(shown.course_of.label, shown.course_of.unit)} by observation"
    return Text("\n".join([clean(heading), *lines]), no_wrap=True)


def slider_text(moment: Moment, width: int) -> Text:
    """Return where the moment stands in the run, and how to go elsewhere."""
    at, last = moment.observation or 0, moment.last_observation or 0
    before, after = f"◀ {at:,} of {last:,} ", (" live ▶" if moment.is_latest else " End: back to live ▶")
    cells = max(width - len(before) - len(after) - 1, 3)
    place = round(at / last * (cells - 1)) if last else cells - 1
    track = "─" * place + "●" + "─" * (cells - 1 - place)
    return Text.assemble((before, "bold"), (track, "" if moment.is_latest else "yellow"), (after, "dim"), no_wrap=True)


def order_text(answer: ControlAnswer) -> Text:
    """Return an order as it stands: sent, carried out with its journal row, or refused with the reason."""
    words = STATUS_WORDS[answer.status]
    row = "" if answer.row is None else f", journal row {answer.row}"
    detail = f": {clean(answer.detail)}" if answer.detail else ""
    style = STATUS_STYLES.get(answer.status, "bold red")
    when = (answer.sent_at or "")[CLOCK]
    return Text.assemble((f"{when} ", "dim"), f"{clean(answer.words)}  ", (f"{words}{row}{detail}", style))


def _predicted(each: DecidedCandidate) -> str:
    parts = []
    if each.predicted is not None:
        deviation = "" if each.predicted_sd is None else f" ± {each.predicted_sd:.3g}"
        parts.append(f"predicted {each.predicted:.4g}{deviation}")
    if each.measured is not None:
        parts.append(f"measured {each.measured:.4g}")
    return f"{', '.join(parts)}\n".replace("-", "−") if parts else ""
