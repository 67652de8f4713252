"""What a campaign says of effects at its end, and against the truth where the scenario knows it.

A policy never sees the truth: it is what the world of a scenario was made with, and stands beside what the campaign
believes so that people can see how far off that is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from agent.acquisition.registry import make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.event_descriptions import is_observation, observations_of
from agent.campaign.events import Event
from agent.campaign.plan import CampaignPlan
from agent.metrics import Effect, EffectMeter
from agent.pool.candidates import Pool
from protocols.settings.user_code import CodeSource
from protocols.storage.atomic_file import atomic_write
from scenarios.display.figure_style import DPI, FAINT, OKABE_ITO, WIDTH_IN, save_figure, style_axes, write_title
from scenarios.display.labels import INK, shortened

COLUMNS: Final = ("effect", "mean", "low", "high", "truth")
"""Of the file: what is believed, the ends of its 90 % interval, and what is true; empty where nobody knows."""

ROW_IN: Final = 0.3
"""Height of an effect in the picture [inch]."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What is believed of the effects.

    Attributes:
        effects: At the end.
        unit: Of the property.
        truth: Of each, by name; empty where it is not known.
        errors: Root mean square error over the effects after every observation, from 0 on [unit]; empty without truth.
    """

    effects: tuple[Effect, ...]
    unit: str
    truth: Mapping[str, float]
    errors: tuple[float, ...]

    def in_words(self) -> list[str]:
        """Return a line for each effect."""
        return [f"{each.name}: {_interval(each)} {self.unit}".rstrip() + self._truth_of(each) for each in self.effects]

    def _truth_of(self, effect: Effect) -> str:
        if effect.name not in self.truth:
            return ""
        inside = abs(self.truth[effect.name] - effect.mean) <= effect.half_width
        return f" (truth {_number(self.truth[effect.name])}{'' if inside else ', outside'})"


def effects_of(
    events: Iterable[Event], plan: CampaignPlan, pool: Pool, truth: Mapping[str, float], code: CodeSource
) -> Effects | None:
    """Return what a campaign says of effects; None where its policy is not after any.

    Args:
        events: Its journal.
        plan: What it was started with.
        pool: The candidates.
        truth: Of the effects by name; empty where nobody knows it.
        code: Where a policy of the user's own may come from.
    """
    if not plan.metrics:
        return None
    name, options = plan.metered_by
    meter = make_meter(name, options, pool_arrays(pool), plan.property_names, code, seed=plan.seed)
    if not isinstance(meter, EffectMeter):
        return None
    errors = []
    for event in events:
        for each in observations_of(event, plan.property_names[1:]):
            meter.add(pool.index_of[each.candidate_id], each.value, *each.additional)
        if truth and is_observation(event):
            errors.append(_error(meter.effects(), truth))
    return Effects(meter.effects(), plan.unit, truth, tuple(errors))


def write_effects(path: Path, effects: Effects) -> None:
    """Write the effects as CSV.

    Raises:
        StoreError: When the file cannot be written.
    """
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in effects.effects:
            ends = (each.mean - each.half_width, each.mean + each.half_width)
            writer.writerow((each.name, each.mean, *ends, effects.truth.get(each.name, "")))
        text.detach()  # flushes, and leaves the file open to be synced and put in place


def draw_effects(path: Path, effects: Effects, *, title: str) -> None:
    """Draw every effect with its interval, and the truth beside it.

    Args:
        path: PNG file to write, 1800 pixels wide.
        effects: What is believed.
        title: What the picture shows.

    Raises:
        StoreError: When the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = sorted(effects.effects, key=lambda each: each.mean)
    height = 1.35 + ROW_IN * len(rows)
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.18, 0.55 / height, 0.76, 1 - 1.35 / height))
    held = [each for each in rows if each.name in effects.truth]
    inside = sum(abs(effects.truth[each.name] - each.mean) <= each.half_width for each in held)
    subtitle = "What is believed, with 90 % intervals"
    subtitle += f"; crosses: the truth, which no policy sees: {inside} of {len(held)} inside" if held else ""
    write_title(figure, title, subtitle)
    for place, each in enumerate(rows):
        axes.plot(
            [each.mean - each.half_width, each.mean + each.half_width],
            [place, place],
            color=OKABE_ITO[0],
            linewidth=2.4,
            alpha=0.55,
            solid_capstyle="butt",
        )
        axes.plot(each.mean, place, "o", color=OKABE_ITO[0], markersize=5)
        if each.name in effects.truth:
            axes.plot(effects.truth[each.name], place, "x", color=OKABE_ITO[1], markersize=6.5, markeredgewidth=1.8)
    style_axes(axes)
    axes.axvline(0.0, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), [shortened(each.name) for each in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    unit = f" [{effects.unit}]" if effects.unit else ""
    axes.set_xlabel(f"Effect{unit}", fontsize=9, color=INK, parse_math=False)
    save_figure(figure, path)


def _error(effects: Sequence[Effect], truth: Mapping[str, float]) -> float:
    return float(np.sqrt(np.mean([(each.mean - truth[each.name]) ** 2 for each in effects if each.name in truth])))


def _interval(effect: Effect) -> str:
    return f"{_number(effect.mean)} ± {effect.half_width:.3g}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
