"""An explanation in words, for a terminal of 80 columns and more, with or without colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.campaign.life_cycle import OPEN
from scenarios.display.labels import shortened
from scenarios.why.effects_words import effects_table, what_was_to_come
from scenarios.why.explanation import (
    AttemptDescription,
    CandidateDescription,
    ChosenCandidate,
    Detail,
    Explanation,
    FamilyAtDecision,
    InFlight,
    Verdict,
)
from scenarios.why.measured import measured_in_words, with_deviation
from scenarios.why.phrases import (
    PREDICTED_MEAN,
    deviations_in_words,
    entropy_of,
    named,
    nat,
    prediction_in_words,
    quantity,
    shown_rows,
    starved_first,
)

MAX_LISTED: Final = 8
"""Most requests in flight, and choices of one decision, that are told one by one."""

MAX_OPTION: Final = 80
"""Longest value of a policy's option that is told [character]: a line."""
MAX_EDITS: Final = 2
"""Most designs of one candidate that are told: two exchanged sites."""

_LABEL_WIDTH: Final = 10

_VERDICT_STYLE: Final = {Verdict.SAME: "bold green", Verdict.DIFFERS: "bold red", Verdict.NOT_ASKED: "yellow"}


def explanation_in_words(explanation: Explanation) -> RenderableType:
    """Lay an explanation out."""
    head = Text.assemble((explanation.campaign, "bold"), "  decision ", (str(explanation.decision), "bold"))
    head.append(f" (0 to {explanation.decisions - 1}), row {explanation.row} of the journal")
    parts: list[RenderableType] = [head, ""]
    parts += [_rows([("then", line) for line in _state(explanation)]), families_table(explanation)]
    parts += [_rows([("decided", line) for line in _decided(explanation)])]
    parts.append("" if explanation.effects is None else effects_table(explanation.effects, explanation.unit))
    parts += [_rows([("happened", line) for line in _happened(explanation)])]
    if explanation.first.outcome.after is not None:
        parts.append(bias_table(explanation))
    else:
        parts.append("")
    parts.append(_rows([("today", line) for line in _again(explanation)]))
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


def _state(explanation: Explanation) -> Iterator[Text]:
    then = explanation.then
    asked = then.known - then.known_unasked
    yield Text(
        f"{then.phase}; {then.requested} of {explanation.budget} requested, {then.spent} with an outcome; "
        f"{then.known:,} values known to the decision ({then.known_unasked:,} at the start, {asked:,} acquired), "
        f"journal up to row {explanation.based_on}"
    )
    yield from _limits(explanation)
    if not then.in_flight:
        yield Text("nothing in flight")
        return
    yield Text(f"{len(then.in_flight)} in flight:")
    for request in then.in_flight[:MAX_LISTED]:
        yield Text(f"  {_in_flight(request)}")
    if len(then.in_flight) > MAX_LISTED:
        yield Text(f"  … and {len(then.in_flight) - MAX_LISTED} more")


def _limits(explanation: Explanation) -> Iterator[Text]:
    """Say what might not be asked for then, and what was left of the stocks."""
    for reason, count in explanation.then.barred.items():
        yield Text(f"{count} candidate{'s' * (count != 1)} might not be asked for: {reason}")
    for each in explanation.then.supplies:
        yield Text(f"{each.name}: {quantity(each.left, each.unit)} of {quantity(each.available, each.unit)} left")


def _in_flight(request: InFlight) -> str:
    late = "; it had an outcome, which is left to a later decision because of the order" if request.answered else ""
    return f"{named(request.candidate)}, by decision {request.decision}{late}"


def _decided(explanation: Explanation) -> Iterator[Text]:
    options = ", ".join(
        f"{name} = {shortened(repr(value), MAX_OPTION)}" for name, value in explanation.policy_options.items()
    )
    yield Text.assemble((explanation.policy, "bold"), f" ({options})" if options else "", f": {explanation.reason}")
    for chosen in explanation.chosen[:MAX_LISTED]:
        score = "no score" if chosen.score is None else f"score {quantity(chosen.score)}"
        yield Text.assemble("chose ", (named(chosen.candidate), "bold"), f", {score}")
        yield from _described(chosen.candidate)
    if len(explanation.chosen) > MAX_LISTED:
        yield Text(f"… and {len(explanation.chosen) - MAX_LISTED} more")
    yield Text(_runner_up(explanation))
    if explanation.runner_up is not None:
        yield from _described(explanation.runner_up)
    if explanation.effects is not None:
        yield from map(Text, what_was_to_come(explanation.effects, explanation.unit))
    if prediction := prediction_in_words(explanation):
        yield Text(f"predicted {explanation.property_name} of {explanation.first.candidate.name}: {prediction}")
    for detail in explanation.details:
        if detail.key != PREDICTED_MEAN:
            yield Text(f"  {_detail(detail)}", "dim")
    yield Text(f"seed {explanation.seed}, fingerprint {explanation.fingerprint}", "dim")


def _described(candidate: CandidateDescription) -> Iterator[Text]:
    """Say what a candidate is, and what was changed to make it."""
    for told in filter(None, (candidate.structure, candidate.parameters, candidate.origin)):
        yield Text(f"  {told}", "dim")
    made_by = candidate.edits or candidate.designs
    if made_by:
        more = [f"{len(made_by) - MAX_EDITS} more"] if len(made_by) > MAX_EDITS else []
        yield Text(f"  {'; or '.join([*made_by[:MAX_EDITS], *more])}", "dim")


def _runner_up(explanation: Explanation) -> str:
    if explanation.runner_up is None:
        return "the policy named no runner-up"
    line = f"runner-up {named(explanation.runner_up)}"
    if explanation.runner_up_score is not None:
        line += f", score {quantity(explanation.runner_up_score)}"
    if explanation.margin is None:
        return line
    if explanation.margin == 0:
        return f"{line}: equal, and the lower id decides"
    last = explanation.chosen[-1].score
    share = f" ({explanation.margin / abs(last):.1%})" if last else ""
    return f"{line}: lost by {quantity(explanation.margin)}{share}"


def _detail(detail: Detail) -> str:
    return f"{detail.label}: {quantity(detail.value, detail.unit)}"


def _happened(explanation: Explanation) -> Iterator[Text]:
    several = len(explanation.chosen) > 1
    for chosen in explanation.chosen[:MAX_LISTED]:
        if several:
            yield Text(f"{named(chosen.candidate)}:")
        for line in _happened_to(explanation, chosen):
            yield Text(f"{'  ' if several else ''}{line}")


def _happened_to(explanation: Explanation, chosen: ChosenCandidate) -> Iterator[str]:
    outcome = chosen.outcome
    for attempt in outcome.attempts:
        yield _attempt(attempt)
    if outcome.value is None:
        status = outcome.status.name.lower().replace("_", " ")
        open_yet = outcome.status in OPEN
        yield f"no value{' yet' if open_yet else ''}: {status}" + (f", {outcome.reason}" if outcome.reason else "")
        return
    manually = ", manually" if not any("observed" in attempt.disposition for attempt in outcome.attempts) else ""
    value = with_deviation(outcome.value, outcome.standard_deviation, explanation.unit)
    line = f"observed {explanation.property_name} = {value}{manually}, row {outcome.row}"
    if chosen is explanation.first and explanation.deviations is not None:
        line += f": {deviations_in_words(explanation.deviations)}"
    yield line
    yield from measured_in_words(outcome.details, explanation.property_name)
    if outcome.meanwhile:
        yield f"{outcome.meanwhile} other value{'s' * (outcome.meanwhile != 1)} had come since the decision"


def _attempt(attempt: AttemptDescription) -> str:
    duration = "" if attempt.duration_s is None else f" ({attempt.duration_s:.3g} s)"
    takes = ", ".join(f"{quantity(amount)} of {name}" for name, amount in attempt.takes.items())
    taken = f", took {takes}" if takes else ""
    return f"attempt {attempt.number} to {attempt.recipient}{duration}{taken}: {attempt.disposition}"


def _again(explanation: Explanation) -> Iterator[Text]:
    again = explanation.again
    line = Text(again.verdict.value, _VERDICT_STYLE[again.verdict])
    if again.why:
        line.append(f": {again.why}", "default")
    yield line
    if again.verdict is Verdict.DIFFERS and again.scores:
        scores = ", ".join("none" if score is None else quantity(score) for score in again.scores)
        yield Text(f"scores today: {scores}; runner-up {again.runner_up or 'nobody'}")
    for note in again.notes:
        yield Text(f"note: {note}", "dim")


def families_table(explanation: Explanation) -> Table:
    """Return what was known of the families then, the poorest first.

    Acquisitions in a row without a gain are counted as far as the policy counts them.
    """
    with_no_gain = any(family.no_gain_count is not None for family in explanation.then.families)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("family", overflow="ellipsis", no_wrap=True, max_width=24)
    for heading in ("known", "pending", "available", *(["no gain"] if with_no_gain else []), "h [nat]"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    ordered = starved_first(explanation.then)
    shown = set(shown_rows(ordered, explanation.target_family))
    folded_away = len(ordered) - len(shown)
    for at, family in enumerate(ordered):
        if at in shown:
            name = Text(family.name, "bold" if family.name == explanation.target_family else "")
            no_gain_count = [str(family.no_gain_count)] if with_no_gain else []
            available = "?" if family.available is None else f"{family.available:,}"
            numbers = (f"{family.size:,}", str(family.in_flight), available, *no_gain_count, nat(family.entropy))
            table.add_row(name, *numbers, _remark(family, explanation.target_family))
        elif folded_away:
            table.add_row(Text(f"… {folded_away} families between", "dim"))
            folded_away = 0
    return table


def bias_table(explanation: Explanation) -> Table:
    """Return the entropy of the first choice's family and the bias figures: then, before and after its value."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    outcome, family = explanation.first.outcome, explanation.first.candidate.family
    points = (explanation.then.bias, outcome.before, outcome.after)
    shown = next((point for point in reversed(points) if point is not None), explanation.then.bias)
    heading = "bias [nat]" if shown.compares_families else "metric"
    table.add_column(Text(heading), no_wrap=True, overflow="ellipsis", max_width=30)
    for moment in ("then", "before its value", "after it", "change"):
        table.add_column(Text(moment), justify="right", no_wrap=True)
    if family is not None and shown.compares_families:
        values = [entropy_of(point, family) for point in points]
        table.add_row(Text(f"h of {family}", "bold"), *map(nat, values), _change(values, lower_is_better=False))
    for metric, _ in shown.figures:
        values = [None if point is None else point.value(metric.name) for point in points]
        unit = "" if metric.unit == "nat" else f" [{metric.unit or '1'}]"
        change = _change(values, lower_is_better=metric.lower_is_better)
        table.add_row(Text(f"{metric.label}{unit}"), *map(nat, values), change)
    return table


def _remark(family: FamilyAtDecision, target: str | None) -> Text:
    if family.name == target:
        return Text("target", "bold")
    return Text("excluded" if family.excluded else "", "dim")


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
