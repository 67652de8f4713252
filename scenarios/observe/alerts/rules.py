"""What of the figures of a run calls for an alert. Pure: one look at one run, and nothing is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scenarios.observe.alerts.settings import AlertRules
from scenarios.observe.figures import RunFigures

ENDS_AT: Final = 0.5
"""An alert on bias ends only when the mean gap has come back half of the way: one that trembles is one alert."""

AT_WORK: Final = frozenset({"running", "paused", "stopping"})
"""Phases in which an instrument may be expected to say something."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that calls for an alert as long as it holds.

    Attributes:
        kind: One of `scenarios.observe.alerts.settings.KINDS`.
        words: What it is, for people.
        subject: What of the run it is about, such as an instrument; empty: the run.
        after_s: How long it must hold before it is told [s].
    """

    kind: str
    words: str
    subject: str = ""
    after_s: float = 0.0


def conditions_of(
    run: RunFigures, rules: AlertRules, per_minute: float | None = None, *, held: frozenset[str] = frozenset()
) -> Iterator[Condition]:
    """Yield what calls for an alert now.

    Args:
        run: The figures.
        rules: On what there are alerts.
        per_minute: Messages that were put aside within the last minute; None where that is not known yet.
        held: Kinds that held at the look before, of the run itself: some end later than they begin.
    """
    if rules.unreadable and run.problem:
        yield Condition("unreadable", run.problem)
    if rules.paused_itself and run.phase == "paused" and run.is_paused_by_itself:
        yield Condition("paused_itself", run.reason or "the campaign paused without an operator")
    if rules.finished and run.phase == "finished":
        yield Condition("finished", run.reason or "the campaign is over")
    if rules.agent_gone_s is not None and run.phase == "interrupted":
        words = f"the agent is gone, with {run.in_flight or 0} requests in flight; --resume resumes the campaign"
        yield Condition("agent_gone", words, after_s=rules.agent_gone_s)
    yield from _silent(run, rules.instrument_silent_s)
    if rules.quarantined_per_minute is not None and (per_minute or 0) > rules.quarantined_per_minute:
        yield Condition("quarantine_rate", f"{per_minute:.0f} messages were put aside within a minute")
    yield from _biased(run, rules.bias_above_best, is_held="bias_above_best" in held)


def _silent(run: RunFigures, silent_s: float | None) -> Iterator[Condition]:
    if silent_s is None or run.phase not in AT_WORK:
        return
    for each in run.instruments:
        # One that was idle is silent only since it was asked, and one that never spoke since then too.
        waited = [seconds for seconds in (each.silent_s, each.oldest_s) if seconds is not None]
        if each.in_flight and waited and min(waited) > silent_s:
            words = f"{each.id} has said nothing for {min(waited):.0f} s and holds {each.in_flight} requests"
            yield Condition("instrument_silent", words, each.id)


def _biased(run: RunFigures, above: float | None, *, is_held: bool) -> Iterator[Condition]:
    if above is None or run.mean_gap is None or run.best_mean_gap is None:
        return
    worse = run.mean_gap - run.best_mean_gap
    if worse > (above * ENDS_AT if is_held else above):
        words = f"the mean gap is {run.mean_gap:.4f} nat, and was {run.best_mean_gap:.4f} at its best"
        yield Condition("bias_above_best", words)
