"""What was believed of effects, in words: a row for each effect, and what the choice was to bring."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from scenarios.why.explanation import EffectsAtDecision
from scenarios.why.phrases import quantity


def effects_table(believed: EffectsAtDecision, unit: str) -> Table:
    """Return every effect with its 90 % interval then, and the half-width that was expected of the choice.

    Args:
        believed: What was believed.
        unit: Of the property.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text("effect"), no_wrap=True, overflow="ellipsis", max_width=24)
    of_unit = f" [{unit}]" if unit else ""
    for heading in (f"believed then{of_unit}", "after the choice"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for each in believed.effects:
        mean = f"{each.mean:.3g}".replace("-", "−")
        table.add_row(Text(each.name), f"{mean} ± {each.half_width:.3g}", f"± {each.expected_half_width:.3g}")
    return table


def what_was_to_come(believed: EffectsAtDecision, unit: str) -> Iterator[str]:
    """Yield what the choice was expected to bring."""
    line = f"effects were known to ± {quantity(believed.mean_half_width, unit)} on the mean"
    if believed.with_in_flight != believed.mean_half_width:
        line += f", ± {quantity(believed.with_in_flight)} with what was in flight"
    line += f"; the choice was to narrow them to ± {quantity(believed.expected)}"
    if believed.expected_with_runner_up is not None:
        line += f", the runner-up in place of the last choice to ± {quantity(believed.expected_with_runner_up)}"
    yield line
    if believed.threshold is not None:
        yield f"sought: above {quantity(believed.threshold, unit)}"
