"""An explanation in words, for a terminal of 80 columns and more, with or without colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.campaign.life_cycle import Standing
from agent.entropy.bias import BIAS_FIGURES
from scenarios.why.explanation import AttemptTold, Chosen, Detail, Explanation, FamilyThen, InFlight, Verdict
from scenarios.why.phrases import (
    PREDICTED_MEAN,
    deviations_in_words,
    entropy_of,
    named,
    nat,
    poorest_first,
    prediction_in_words,
    quantity,
    shown_rows,
)

MAX_LISTED: Final = 8
"""Most requests in flight, and choices of one decision, that are told one by one."""

_LABEL_WIDTH: Final = 10

_VERDICT_STYLE: Final = {Verdict.SAME: "bold green", Verdict.DIFFERS: "bold red", Verdict.NOT_ASKED: "yellow"}


def explanation_in_words(told: Explanation) -> RenderableType:
    """Lay an explanation out."""
    head = Text.assemble((told.campaign, "bold"), "  decision ", (str(told.decision), "bold"))
    head.append(f" (0 to {told.decisions - 1}), row {told.row} of the journal")
    parts: list[RenderableType] = [head, ""]
    parts += [_rows([("then", line) for line in _state(told)]), families_table(told)]
    parts += [_rows([("decided", line) for line in _decided(told)]), ""]
    parts += [_rows([("happened", line) for line in _happened(told)])]
    if told.first.outcome.after is not None:
        parts.append(bias_table(told))
    else:
        parts.append("")
    parts.append(_rows([("today", line) for line in _again(told)]))
    return Group(*parts)


def _rows(lines: list[tuple[str, Text]]) -> Table:
    """Lay lines out beside their label, which stands once."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", width=_LABEL_WIDTH, no_wrap=True)
    grid.add_column(overflow="fold")
    before = ""
    for label, line in lines:
        grid.add_row("" if label == before else label, line)
        before = label
    return grid


def _state(told: Explanation) -> Iterator[Text]:
    then = told.then
    asked = then.known - then.known_unasked
    yield Text(
        f"{then.phase}; {then.requested} of {told.budget} requested, {then.spent} with an outcome; "
        f"{then.known:,} values known to the decision ({then.known_unasked:,} at the start, {asked:,} acquired), "
        f"journal up to row {told.based_on}"
    )
    if not then.in_flight:
        yield Text("nothing in flight")
        return
    yield Text(f"{len(then.in_flight)} in flight:")
    for request in then.in_flight[:MAX_LISTED]:
        yield Text(f"  {_in_flight(request)}")
    if len(then.in_flight) > MAX_LISTED:
        yield Text(f"  … and {len(then.in_flight) - MAX_LISTED} more")


def _in_flight(request: InFlight) -> str:
    late = "; it had an outcome, which is left to a later decision because of the order" if request.answered else ""
    return f"{named(request.candidate)}, by decision {request.decision}{late}"


def _decided(told: Explanation) -> Iterator[Text]:
    options = ", ".join(f"{name} = {value!r}" for name, value in told.policy_options.items())
    yield Text.assemble((told.policy, "bold"), f" ({options})" if options else "", f": {told.reason}")
    for chosen in told.chosen[:MAX_LISTED]:
        score = "no score" if chosen.score is None else f"score {quantity(chosen.score)}"
        yield Text.assemble("chose ", (named(chosen.candidate), "bold"), f", {score}")
        if chosen.candidate.structure:
            yield Text(f"  {chosen.candidate.structure}", "dim")
    if len(told.chosen) > MAX_LISTED:
        yield Text(f"… and {len(told.chosen) - MAX_LISTED} more")
    yield Text(_runner_up(told))
    if prediction := prediction_in_words(told):
        yield Text(f"predicted {told.property_name} of {told.first.candidate.candidate_id}: {prediction}")
    for detail in told.details:
        if detail.key != PREDICTED_MEAN:
            yield Text(f"  {_detail(detail)}", "dim")
    yield Text(f"seed {told.seed}, fingerprint {told.fingerprint}", "dim")


def _runner_up(told: Explanation) -> str:
    if told.runner_up is None:
        return "the policy named no runner-up"
    line = f"runner-up {named(told.runner_up)}"
    if told.runner_up_score is not None:
        line += f", score {quantity(told.runner_up_score)}"
    if told.margin is None:
        return line
    if told.margin == 0:
        return f"{line}: equal, and the lower id decides"
    last = told.chosen[-1].score
    share = f" ({told.margin / abs(last):.1%})" if last else ""
    return f"{line}: lost by {quantity(told.margin)}{share}"


def _detail(detail: Detail) -> str:
    return f"{detail.label}: {quantity(detail.value, detail.unit)}"


def _happened(told: Explanation) -> Iterator[Text]:
    several = len(told.chosen) > 1
    for chosen in told.chosen[:MAX_LISTED]:
        if several:
            yield Text(f"{named(chosen.candidate)}:")
        for line in _happened_to(told, chosen):
            yield Text(f"{'  ' if several else ''}{line}")


def _happened_to(told: Explanation, chosen: Chosen) -> Iterator[str]:
    outcome = chosen.outcome
    for attempt in outcome.attempts:
        yield _attempt(attempt)
    if outcome.value is None:
        standing = outcome.standing.name.lower().replace("_", " ")
        open_yet = outcome.standing in {Standing.PENDING, Standing.WAITING}
        yield f"no value{' yet' if open_yet else ''}: {standing}" + (f", {outcome.reason}" if outcome.reason else "")
        return
    by_hand = ", by hand" if not any("observed" in attempt.fate for attempt in outcome.attempts) else ""
    line = f"observed {told.property_name} = {quantity(outcome.value, told.unit)}{by_hand}, row {outcome.row}"
    if chosen is told.first and told.deviations is not None:
        line += f": {deviations_in_words(told.deviations)}"
    yield line
    if outcome.meanwhile:
        yield f"{outcome.meanwhile} other value{'s' * (outcome.meanwhile != 1)} had come since the decision"


def _attempt(attempt: AttemptTold) -> str:
    duration = "" if attempt.duration_s is None else f" in {attempt.duration_s:.3g} s"
    return f"attempt {attempt.number} to {attempt.recipient}: {attempt.fate}{duration}"


def _again(told: Explanation) -> Iterator[Text]:
    again = told.again
    line = Text(again.verdict.value, _VERDICT_STYLE[again.verdict])
    if again.why:
        line.append(f": {again.why}", "default")
    yield line
    if again.verdict is Verdict.DIFFERS and again.scores:
        scores = ", ".join("none" if score is None else quantity(score) for score in again.scores)
        yield Text(f"scores today: {scores}; runner-up {again.runner_up or 'nobody'}")
    for note in again.notes:
        yield Text(f"note: {note}", "dim")


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
