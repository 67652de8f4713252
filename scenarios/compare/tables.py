"""A comparison in the terminal: how large, how sure, and whether it is more than luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.table import Table
from rich.text import Text

from scenarios.compare.best import best_table
from scenarios.compare.comparison import Comparison
from scenarios.compare.measures import Contrast, Measure, baseline_of, shown
from scenarios.compare.statistics import CONFIDENCE, PairedTest

SMALLEST_P = 0.001
"""Below it a p-value is not spelled out: its digits would mean nothing with so few seeds."""

COLOURS = {"better": "green", "worse": "red", "not shown": ""}


def tables(comparison: Comparison) -> Iterator[Table]:
    """Yield the bias and its tests, then for each target the scores of its models and their tests."""
    bias = comparison.bias_measures()
    yield _bias_table(comparison, bias)
    yield best_table(comparison.runs)
    yield from _test_table(comparison, bias, "at the end")
    for target, measures in groupby(comparison.model_measures(), key=lambda each: each.target):
        of_target = list(measures)
        yield _model_table(comparison, target, of_target)
        yield from _test_table(comparison, of_target, f"after {_span(comparison.common)} acquisitions")


def _bias_table(comparison: Comparison, measures: Sequence[Measure]) -> Table:
    counts = [count for policy in comparison.policies for count in comparison.acquired(policy)]
    alike = len(set(counts)) == 1
    when = f"before and after {counts[0]} acquisitions" if alike else "before, and where each policy ended"
    table = _table(f"{comparison.scenario}: bias {when}, {_mean_of(comparison)}", "\n".join(_ends(comparison)))
    table.add_column("policy")
    if not alike:
        table.add_column("acquired", justify="right")
    for each in measures:
        table.add_column(Text(each.titled), justify="right")
    before = (shown(each.before, each.decimals) for each in measures)
    table.add_row("(start)", *(() if alike else ("0",)), *before, style="dim")
    for policy in comparison.policies:
        count = () if alike else (_span(comparison.acquired(policy)),)
        table.add_row(Text(policy), *count, *(shown(each.after[policy], each.decimals) for each in measures))
    return table


def _ends(comparison: Comparison) -> Iterator[str]:
    """Yield what a person must know of the settings, and of campaigns that abandoned candidates or did not finish."""
    yield from comparison.notes
    for policy, ends in comparison.ends.items():
        abandoned = [end.abandoned for end in ends]
        if any(abandoned):
            yield f"{policy} abandoned {_span(abandoned)} candidates, whose results were refused."
        paused = [end for end in ends if not end.is_finished]
        if paused:
            yield f"{policy} did not finish with {len(paused)} of {len(ends)} seeds ({paused[0].reason})."


def _model_table(comparison: Comparison, target: str, measures: Sequence[Measure]) -> Table:
    rows, count = _span(comparison.held_out), _span(comparison.common)
    table = _table(
        f"{comparison.scenario}: models of {target} before and after {count} acquisitions, {_mean_of(comparison)}",
        f"Scored on {rows} of {comparison.pool_size} candidates, drawn by seed from every family and held out.",
    )
    table.add_column("model and score")
    for name in ("(start)", *comparison.policies):
        table.add_column(Text(name), justify="right")
    for model, of_model in groupby(measures, key=lambda each: each.model):
        table.add_row(Text(model, style="bold"))
        for each in of_model:
            values = (each.before, *(each.after[policy] for policy in comparison.policies))
            table.add_row(Text(f"  {each.titled}"), *(shown(given, each.decimals) for given in values))
    return table


def _test_table(comparison: Comparison, measures: Sequence[Measure], when: str) -> Iterator[Table]:
    """Yield the tests of these measures: a line for the measure, and below it one for each policy."""
    baseline = baseline_of(comparison.policies)
    if baseline is None:
        return
    count = len(comparison.seeds)
    tests = comparison.contrasts(measures)
    title = f"Difference to {baseline} {when}, paired over {count} seed{'s' * (count != 1)}"
    table = _table(title, _caption(tests))
    table.add_column("figure and policy")
    for name in ("mean [95 % interval]", "p of t", "Wilcoxon", "better"):
        table.add_column(Text(name), justify="right", no_wrap=True)
    for measure, of_measure in groupby(tests, key=lambda each: each.measure):
        table.add_row(Text(f"{measure.model} {measure.label}".strip(), style="bold"))
        for each in of_measure:
            table.add_row(Text(f"  {each.policy}"), *_cells(each))
    yield table


def _cells(each: Contrast) -> Iterator[Text]:
    test = each.test
    yield Text(_difference(test, each.measure.decimals), style=COLOURS[test.verdict])
    yield Text(_p(test.p_t))
    yield Text(_p(test.p_wilcoxon))
    yield Text(f"{test.better_in} of {test.count}")


def _difference(test: PairedTest, decimals: int) -> str:
    if test.difference is None:
        return "undefined"
    text = f"{test.difference:+.{decimals}f}"
    if test.half_width is not None:
        low, high = test.difference - test.half_width, test.difference + test.half_width
        text += f" [{low:+.{decimals}f}, {high:+.{decimals}f}]"
    return text.replace("-", "−")


def _p(value: float | None) -> str:
    """Write a p-value, with a star where it counts as shown."""
    if value is None:
        return "–  "
    star = "*" if value < 1 - CONFIDENCE else " "
    return (f"<{SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}") + f" {star}"


def _caption(tests: Sequence[Contrast]) -> str:
    lines = [f"–: {note}." for note in dict.fromkeys(each.test.note for each in tests) if note]
    made = [each.test.p_t for each in tests if each.test.p_t is not None]
    if made:
        star = f"*: p < {1 - CONFIDENCE:.2g}; " if min(made) < 1 - CONFIDENCE else ""
        lines.append(f"{star}p-values of {len(made)} t tests, none adjusted for the others.")
    return "\n".join(lines)


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _mean_of(comparison: Comparison) -> str:
    count = len(comparison.seeds)
    return "one seed" if count == 1 else f"mean ± half of its 95 % interval over {count} seeds"


def _table(title: str, caption: str = "") -> Table:
    return Table(
        title=Text(title, style="bold"),
        caption=Text(caption, style="dim") if caption else None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
