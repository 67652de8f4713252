"""What a comparison comes to, in one sentence per figure: better, worse, or not shown.

No sentence claims what the seeds cannot show, and none calls a dataset better for being even when it holds less in all:
evenness can be had by lowering the richest family, so that the joint entropy is told in the same sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from scenarios.compare.measures import JOINT_ENTROPY, Contrast, Measure
from scenarios.compare.statistics import EQUAL, PairedTest

SMALLEST_P = 0.001
"""Below it a p-value is not spelled out: its digits would mean nothing with so few seeds."""


def sentences(contrasts: Sequence[Contrast]) -> list[str]:
    """Return one sentence for each figure, in their order; figures of which nothing could be shown share one."""
    joint = next((each.measure for each in contrasts if each.measure.name == JOINT_ENTROPY), None)
    figures = [list(of) for _, of in groupby(contrasts, key=lambda each: id(each.measure))]
    silent: dict[str, list[str]] = {}
    for of_figure in figures:
        if note := _common_note(of_figure):
            silent.setdefault(note, []).append(figure_name(of_figure[0].measure))
    told = [_sentence(of_figure, joint) for of_figure in figures if not _common_note(of_figure)]
    return told + [f"Not shown ({note}): {', '.join(names)}." for note, names in silent.items()]


def figure_name(measure: Measure) -> str:
    """Return how a sentence calls a figure: "mean gap to the richest", "R² of energy, random forest"."""
    of_model = f" of {measure.target}, {measure.model}" if measure.model else ""
    return f"{measure.label}{of_model}".replace("_", " ")


def p_value(p: float | None) -> str:
    """Write a p-value: "= 0.012", or "< 0.001"."""
    if p is None:
        return "not defined"
    return f"< {SMALLEST_P}" if p < SMALLEST_P else f"= {p:.3f}"


def _common_note(of_figure: Sequence[Contrast]) -> str:
    """Return why none of the comparisons of a figure could show anything; empty where one could."""
    notes = [each.test.note for each in of_figure]
    return next((note for note in notes if note != EQUAL), EQUAL) if all(notes) else ""


def _sentence(of_figure: Sequence[Contrast], joint: Measure | None) -> str:
    first = of_figure[0]
    name = figure_name(first.measure)
    counts = sorted({each.test.count for each in of_figure})
    seeds = f"over {counts[0] if len(counts) == 1 else f'{counts[0]} to {counts[-1]}'} seeds"
    parts = [text for verdict in ("better", "bought", "worse") for text in _parts(of_figure, verdict, joint)]
    open_to_doubt = [_not_shown(each) for each in of_figure if each.verdict == "not shown"]
    if open_to_doubt:
        parts.append(f"not shown against {', '.join(open_to_doubt)}")
    return f"{name}: {first.policy} {'; '.join(parts)}; {seeds}."


def _parts(of_figure: Sequence[Contrast], verdict: str, joint: Measure | None) -> Iterator[str]:
    for each in of_figure:
        if each.verdict != verdict:
            continue
        if verdict == "bought" and each.joint is not None and joint is not None:
            yield (
                f"no success against {each.other}: {_amount(each.measure, each.test)}, "
                f"but joint entropy {_amount(joint, each.joint)}"
            )
        else:
            yield f"{_amount(each.measure, each.test, than=each.other)}{_joint_too(each, joint)}"


def _not_shown(each: Contrast) -> str:
    """Write "random (−0.01 to 0.03 nat better)": how much the seeds leave possible, positive where it is better."""
    test, measure = each.test, each.measure
    if test.note or test.low is None or test.high is None:
        return f"{each.other} ({test.note or 'no interval'})"
    good = -1.0 if measure.lower_is_better else 1.0
    low, high = sorted((good * test.low, good * test.high))
    unit, digits = f" {measure.unit}" if measure.unit else "", measure.decimals
    return f"{each.other} ({_fixed(low, digits)} to {_fixed(high, digits)}{unit} better)"


def _joint_too(each: Contrast, joint: Measure | None) -> str:
    """Say of a figure that is better that the joint entropy is lower by the mean, where that is not shown."""
    test = each.joint
    if each.verdict != "better" or test is None or joint is None or not (test.difference or 0.0) < 0.0:
        return ""
    return f", with joint entropy lower by {-(test.difference or 0.0):.{joint.decimals}f} nat, which is not shown"


def _amount(measure: Measure, test: PairedTest, than: str = "") -> str:
    """Write "better than random by 0.12 nat [0.08, 0.16] (Holm p = 0.004)", positive in the direction of the word."""
    if test.difference is None:
        return "undefined"
    good = -1.0 if measure.lower_is_better else 1.0
    gain = good * test.difference
    sign = good if gain >= 0 else -good  # of the word: better or worse
    unit, digits = f" {measure.unit}" if measure.unit else "", measure.decimals
    text = f"{'better' if gain >= 0 else 'worse'}{f' than {than}' if than else ''} by {abs(gain):.{digits}f}{unit}"
    if test.low is not None and test.high is not None:
        low, high = sorted((sign * test.low, sign * test.high))
        text += f" [{_fixed(low, digits)}, {_fixed(high, digits)}]"
    return f"{text} (Holm p {p_value(test.p_holm)})"


def _fixed(value: float, digits: int) -> str:
    """Write a number with a real minus sign, and none before what is zero to these digits."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text.replace("-", "−")
