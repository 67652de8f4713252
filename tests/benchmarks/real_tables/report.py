"""Results as Markdown: every figure of a table, and what a default policy must reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tests.benchmarks.real_tables.results import Figure, Result, difference, mean_of, spread

AGAINST: Final = ("etal", "random")
"""Whom a policy is held against in the tables; the files have the others too."""

MOST_REGRET_NAT: Final = 0.05
"""Most that the mean gap may have risen since its best [nat]."""

MOST_R2_LOST: Final = 0.02
"""Most that the mean R² of the models may be below random's."""


def figures_table(result: Result) -> str:
    """Every figure of one table: start, each policy's end, and the judged one's differences."""
    others = [other for other in AGAINST if other in result.policies and other != result.judged]
    head = ["figure", "start", *result.policies, *(f"{result.judged} − {other}" for other in others)]
    rows = [markdown_row(head), markdown_row(["---"] * len(head))]
    for figure in result.figures:
        values = [spread(figure.final[policy]) for policy in result.policies]
        tests = [difference(result.test(figure, other)) for other in others]
        start = result.start(figure.name) if not figure.model else []
        rows.append(markdown_row([figure.label, spread(start) if start else "", *values, *tests]))
    return "\n".join(rows)


def reached_table(results: Sequence[Result]) -> str:
    """For every table whether the judged policy reaches what a default must."""
    head = ["table", "setting", *(title for title, _ in reached(results[0]))] if results else []
    rows = [markdown_row(head), markdown_row(["---"] * len(head))]
    rows += [markdown_row([each.table, each.setting.words, *(text for _, text in reached(each))]) for each in results]
    return "\n".join(rows)


def reached(result: Result) -> Iterator[tuple[str, str]]:
    """Yield what must be reached, and whether it is."""
    by_name = {figure.name: figure for figure in result.figures if not figure.model}
    for name, label in (("entropy_range", "range"), ("mean_gap", "mean gap")):
        for other in AGAINST:
            yield f"{label} below {other}", _verdict_of(result, by_name[name], other, wanted=("better",))
    if "joint_entropy" in by_name:
        figure = by_name["joint_entropy"]
        yield "joint entropy not below random", _verdict_of(result, figure, "random", wanted=("better", "not shown"))
    regret = mean_of(by_name["mean_gap_regret"].final[result.judged])
    yield f"regret below {MOST_REGRET_NAT}", _yes(regret is not None and regret < MOST_REGRET_NAT, regret)
    yield from _models_reached(result)


def _models_reached(result: Result) -> Iterator[tuple[str, str]]:
    models = [f for f in result.figures if f.name == "r2" and f.model != "mean of the models"]
    verdicts = [_verdict(result, figure, "random") for figure in models]
    worse, better = verdicts.count("worse"), verdicts.count("better")
    yield (
        "models not below random, above on most",
        (f"{'no' if worse else 'yes'}: better {better}, not shown {len(verdicts) - better - worse}, worse {worse}"),
    )
    gains = [_gain(result, figure) for figure in models]
    mean = sum(gains) / len(gains) if gains else 0.0
    yield f"mean R² at most {MOST_R2_LOST} below random", _yes(mean >= -MOST_R2_LOST, mean)


def _gain(result: Result, figure: Figure) -> float:
    test = result.test(figure, "random")
    return 0.0 if test is None or test["difference"] is None else float(test["difference"])


def _verdict(result: Result, figure: Figure, other: str) -> str:
    test = result.test(figure, other)
    return "–" if test is None else str(test["verdict"])


def _verdict_of(result: Result, figure: Figure, other: str, *, wanted: Sequence[str]) -> str:
    verdict = _verdict(result, figure, other)
    return verdict if verdict == "–" else f"{'yes' if verdict in wanted else 'no'}: {verdict}"


def _yes(reached_it: bool, value: float | None) -> str:
    shown = "–" if value is None else f"{value:+.3f}".replace("-", "−")
    return f"{'yes' if reached_it else 'no'}: {shown}"


def markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
