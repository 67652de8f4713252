"""A comparison in the terminal: how large, how sure, and whether it is more than luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.table import Table
from rich.text import Text

from scenarios.compare.comparison import Comparison, fair_control
from scenarios.compare.measures import CONTROL, Contrast, Measure, is_bought, shown
from scenarios.compare.model_measures import ModelScores, family_means
from scenarios.compare.statistics import CONFIDENCE, PairedTest
from scenarios.compare.verdicts import SMALLEST_P
from scenarios.effects.truth import UNSEEN

COLOURS = {"better": "green", "worse": "red", "bought": "yellow", "not shown": ""}
"""Of a verdict; `bought` is better at the cost of joint entropy, and no success."""

BEST, BOUGHT = "*", "†"
"""Marks of the best policy of a figure, and of one that is best with less joint entropy than the control."""


def tables(comparison: Comparison) -> Iterator[Table]:
    """Yield what the campaigns came to and its tests, then for each target the scores of its models, by family too.

    The tests of the models are in the sentences, and in the files.
    """
    figures = comparison.campaign_measures()
    yield _campaign_table(comparison, figures)
    yield from _test_table(comparison, figures)
    for target, measures in groupby(comparison.model_measures(), key=lambda each: each.target):
        of_target = list(measures)
        yield _model_table(comparison, target, of_target)
        yield _family_table(comparison, [each for each in comparison.models if each.target == target])


def conclusions(comparison: Comparison) -> Iterator[Text]:
    """Yield one sentence for each figure, and what makes the comparison fair."""
    for sentence in comparison.sentences():
        yield Text(sentence)
    yield Text(fair_control(comparison), style="dim")


def _campaign_table(comparison: Comparison, measures: Sequence[Measure]) -> Table:
    counts = [count for policy in comparison.policies for count in comparison.acquired(policy)]
    alike = len(set(counts)) == 1
    when = f"before and after {counts[0]} acquisitions" if alike else "before, and where each policy ended"
    told = "metrics" if comparison.has_declared else "bias"
    marks = MARKS if comparison.compares_families else MARKS_OF_ONE_FAMILY
    table = _table(
        f"{comparison.scenario}: {told} {when}, {_mean_of(comparison)}", "\n".join((marks, *_ends(comparison)))
    )
    _add_policies(table, "figure", comparison)
    if not alike:
        table.add_row("acquired", "0", *(_span(comparison.acquired(policy)) for policy in comparison.policies))
    for each in measures:
        table.add_row(Text(each.titled), *_row(each, comparison, measures))
    return table


MARKS = f"{BEST} best of the figure; {BOUGHT} best, but with less joint entropy than {CONTROL}: no success"
MARKS_OF_ONE_FAMILY = f"{BEST} best of the figure"
"""What the marks mean; where families are not compared there is nothing to be bought."""


def _row(each: Measure, comparison: Comparison, measures: Sequence[Measure]) -> Iterator[Text]:
    """Yield the cells of a figure: the start, and each policy, the best one marked."""
    yield Text(shown(each.before, each.decimals), style="dim")
    best = each.best
    for policy in comparison.policies:
        cell = shown(each.after[policy], each.decimals)
        if policy not in best:
            yield Text(cell)
        elif is_bought(each, policy, measures):
            yield Text(f"{BOUGHT}{cell}", style="yellow")
        else:
            yield Text(f"{BEST}{cell}", style="bold green")


def _ends(comparison: Comparison) -> Iterator[str]:
    """Yield what a person must know of the settings, and of campaigns that abandoned candidates or did not finish."""
    yield from comparison.notes
    if comparison.truth_measures():
        yield f"Truth: of the scenario, {UNSEEN}. Honest 90 % intervals hold it in 0.9 of the cases."
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
        f"Scored on {rows} of {comparison.pool_size} candidates, drawn by seed from every family and held out. "
        f"{BEST} best.",
    )
    _add_policies(table, "model and score", comparison)
    for model, of_model in groupby(measures, key=lambda each: each.model):
        table.add_row(Text(model, style="bold"))
        for each in of_model:
            table.add_row(Text(f"  {each.titled}"), *_row(each, comparison, measures))
    return table


def _family_table(comparison: Comparison, models: Sequence[ModelScores]) -> Table:
    """Return R² and MAE within every family, mean over models and seeds."""
    unit = f" [{models[0].unit}]" if models[0].unit else ""
    table = _table(
        f"{comparison.scenario}: {models[0].target} by family, R² | MAE{unit}, mean over "
        f"{len(models)} model{'s' * (len(models) != 1)} and {len(comparison.seeds)} seed"
        f"{'s' * (len(comparison.seeds) != 1)}",
        "Of families with enough test rows; – where a family's test rows have one value.",
    )
    table.add_column("family")
    for name in comparison.policies:
        table.add_column(Text(name), justify="right")
    means = family_means(models, comparison.policies, comparison.common)
    for family in dict.fromkeys(family for of_policy in means.values() for family in of_policy):
        cells = (of_policy.get(family, NO_SCORES) for of_policy in means.values())
        table.add_row(Text(family), *(f"{_number(r2, '.3f')} | {_number(mae, '.3g')}" for r2, mae in cells))
    return table


NO_SCORES = (None, None)
"""Of a family that has no R² and no MAE."""


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _test_table(comparison: Comparison, measures: Sequence[Measure]) -> Iterator[Table]:
    """Yield the tests of these measures: a line for the measure, and below it one for each other policy."""
    tests = comparison.contrasts(measures)
    if not tests:
        return
    count = len(comparison.seeds)
    title = f"{tests[0].policy} against each other policy at the end, paired over {count} seed{'s' * (count != 1)}"
    table = _table(title, _caption(tests))
    table.add_column("figure and other policy")
    for name in ("difference [95 % interval]", "Holm p", "better in", "verdict"):
        table.add_column(Text(name), justify="right", no_wrap=True)
    for _, of_figure in groupby(tests, key=lambda each: id(each.measure)):
        of_measure = list(of_figure)
        measure = of_measure[0].measure
        table.add_row(Text(measure.titled, style="bold"))
        for each in of_measure:
            table.add_row(Text(f"  {each.other}"), *_cells(each))
    yield table


def _cells(each: Contrast) -> Iterator[Text]:
    test = each.test
    yield Text(_difference(test, each.measure.decimals), style=COLOURS[each.verdict])
    yield Text(_p(test.p_holm) + ("*" if test.verdict in {"better", "worse"} else " "))
    yield Text(f"{test.better_in} of {test.count}")
    yield Text(each.verdict, style=COLOURS[each.verdict])


def _difference(test: PairedTest, decimals: int) -> str:
    if test.difference is None:
        return "undefined"
    text = f"{test.difference:+.{decimals}f}"
    if test.low is not None and test.high is not None:
        text += f" [{test.low:+.{decimals}f}, {test.high:+.{decimals}f}]"
    return text.replace("-", "−")


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return f"<{SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def _caption(tests: Sequence[Contrast]) -> str:
    family = max(each.test.family_size for each in tests)
    comparisons = f"the {family} comparisons" if family > 1 else "the one comparison"
    what = f"p of a sign-flip test of the mean difference, Holm-corrected over {comparisons} of each figure; "
    what += f"figures are not corrected for each other. *: Holm p < {1 - CONFIDENCE:.2g}. "
    lines = [f"{what}Intervals are of each comparison alone."]
    if any(each.verdict == "bought" for each in tests):
        lines.append("bought: better, with joint entropy shown to be worse. Evenness that loses information.")
    lines += [f"Not shown ({note})." for note in dict.fromkeys(each.test.note for each in tests) if note]
    return "\n".join(lines)


def _add_policies(table: Table, first: str, comparison: Comparison) -> None:
    table.add_column(first)
    for name in ("(start)", *comparison.policies):
        table.add_column(Text(name), justify="right")


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
