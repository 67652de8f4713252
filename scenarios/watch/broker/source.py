"""A campaign of a broker as a source: where it stands, its bias since the page began, and who is there.

What only the agent's journal knows (decisions, the dataset, moments of before) a broker does not tell: such questions
are answered with nothing, or refused with where to ask them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from agent.entropy.bands import Band
from agent.entropy.bias import BIAS_METRICS
from protocols.errors import NotThere
from protocols.wire.messages import CampaignPhase, FamilyBias, Health, MetricsReport, Status
from scenarios.watch.broker.listener import BrokerListener
from scenarios.watch.broker.view import CampaignView, is_there
from scenarios.watch.reading.source import MAX_ROWS, DatasetOrder
from scenarios.watch.state.lab import Health as Presence
from scenarios.watch.state.lab import Instrument
from scenarios.watch.state.moment import Best, DecisionCard, FamilyMoment, Moment
from scenarios.watch.state.points import Column, Points
from scenarios.watch.state.runs import MAX_SPARKLINE, Campaign, MetricShown, Phase, RunCard
from scenarios.watch.state.series import Series, encode
from scenarios.watch.state.tables import DatasetPage, JournalPage, SetAside
from scenarios.watch.state.trust import Trust

KEY_ENDING: Final = "~broker"
"""Ends the keys of campaigns of a broker: no run folder's name has the first character of it."""

PHASES: Final[dict[CampaignPhase, Phase]] = {
    CampaignPhase.RUNNING: "running",
    CampaignPhase.PAUSED: "paused",
    CampaignPhase.STOPPING: "stopping",
    CampaignPhase.FINISHED: "finished",
}


def key_of(campaign: str) -> str:
    """Return the key of a campaign of a broker."""
    return f"{campaign}{KEY_ENDING}"


class BrokerSource:
    """Reads a campaign off what a listener has heard; implements `scenarios.watch.reading.source.Source`.

    Args:
        listener: Listens to the broker; it outlives this.
        campaign: Name of the campaign.
    """

    def __init__(self, listener: BrokerListener, campaign: str) -> None:
        self._listener = listener
        self._campaign = campaign

    @property
    def key(self) -> str:
        """Names the run in addresses."""
        return key_of(self._campaign)

    def card(self) -> RunCard:
        """Return the run for a list of runs."""
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            state, last, first = view.state, view.last_report, next(iter(view.reports.values()), None)
            gaps = [each.mean_gap for each in view.reports.values()]
            return RunCard(
                key=self.key,
                name=view.name,
                source="broker",
                phase=_phase(view),
                reason="" if state is None else state.reason,
                property="" if last is None else last.property,
                unit="" if last is None else last.unit,
                observation=None if last is None else last.observation,
                budget=None if state is None else state.budget,
                spent=None if state is None else state.spent,
                budget_unit="candidates" if state is None else state.budget_unit,
                in_flight=None if state is None else state.in_flight,
                starved_family=None if last is None else last.starved_family,
                entropy_range=None if last is None else last.entropy_range,
                entropy_range_start=_at_start(first, "entropy_range"),
                mean_gap=None if last is None else last.mean_gap,
                mean_gap_start=_at_start(first, "mean_gap"),
                last_event_at=None if view.last_at is None else view.last_at.isoformat(),
                problem="",
                sparkline=tuple(_thinned(gaps, MAX_SPARKLINE)),
            )

    def campaign(self) -> Campaign:
        """Return what is known of the campaign."""
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            last, state = view.last_report, view.state
            families = () if last is None else tuple(each.family for each in last.families)
            return Campaign(
                key=self.key,
                name=view.name,
                source="broker",
                uid="" if view.agent is None else view.agent.instance or "",
                label="" if last is None else last.property,
                property="" if last is None else last.property,
                unit="" if last is None else last.unit,
                policy="",
                seed=0,
                scenario="",
                families=families,
                compares_families=len(families) > 1,
                metrics=_metrics_of(last),
                started_at=None,
                pool_size=None,
                budget_unit="candidates" if state is None else state.budget_unit,
                has_time_travel=False,
                journal_digest=next((each.digest for each in (state, last) if each and each.digest), "") or "",
            )

    def moment(self, observation: int | None = None) -> Moment:
        """Return the campaign as it stands, or as one of the points says that came since the page began.

        Raises:
            StoreError: When no such point came.
        """
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            last, state = view.last_report, view.state
            report = last if observation is None else view.reports.get(observation)
            if report is None and observation is not None:
                raise NotThere(
                    f"Observation {observation} of {self._campaign} did not come while this page listens",
                    expected=f"one of {next(iter(view.reports))} to {last.observation}" if last else "one that came",
                    action="open the run's folder where its agent works: the past stands in its journal",
                )
            is_latest = report is last
            return Moment(
                key=self.key,
                observation=None if report is None else report.observation,
                last_observation=None if last is None else last.observation,
                sequence=view.version if is_latest or report is None else view.row_of(report),
                last_sequence=view.version,
                at=None if report is None else report.sent_at.isoformat(),
                is_latest=is_latest,
                phase=_phase(view),
                reason=state.reason if state is not None and is_latest else "",
                since=state.since.isoformat() if state is not None and state.since and is_latest else None,
                spent=0 if state is None else state.spent,
                budget=0 if state is None else state.budget,
                abandoned=0 if state is None else state.abandoned,
                families=() if report is None else _families(report, view.reports.get(report.observation - 1)),
                metrics=_figures(report),
                starved_family=None if report is None else report.starved_family,
                in_flight_count=state.in_flight if state is not None and is_latest else None,
                best=() if report is None else tuple(_best(view, report.observation)),
                awaiting_approval=() if state is None or not is_latest else state.awaiting_approval,
            )

    def series(self, first: int = 0, last: int | None = None, columns: int | None = None) -> bytes:  # noqa: ARG002
        """Return the points that came since the page began; they are too few to be reduced."""
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            chosen = [
                each for number, each in view.reports.items() if number >= first and (last is None or number <= last)
            ]
            named = _columns(view.last_report)
            values = np.array([_row(view, each, bands=True) for each in chosen], dtype=np.float64)
            values = values.reshape(len(chosen), len(_columns(view.last_report, bands=True)))
            named = _columns(view.last_report, bands=True)
            begin = chosen[0].observation if chosen else 0
            end = chosen[-1].observation if chosen else 0
        return encode(Series(begin, end, len(view.reports), named, values))

    def bands(self) -> Mapping[int, Mapping[str, Band | None]]:
        """Return the bands that came with the points."""
        with self._listener.view() as known:
            return {
                number: {each.family: _band(each) for each in report.families}
                for number, report in known.campaigns[self._campaign].reports.items()
            }

    def points_after(self, sequence: int, most: int = MAX_ROWS) -> Points:
        """Return the points that came after a row of the journal."""
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            newer = [each for each in view.reports.values() if view.row_of(each) > sequence]
            rows = [_row(view, each) for each in newer[:most]]
            told = view.row_of(newer[min(most, len(newer)) - 1]) if newer else max(sequence, view.version)
            return Points(
                columns=_columns(view.last_report),
                rows=tuple(tuple(None if value != value else value for value in row) for row in rows),  # noqa: PLR0124
                sequence=told,
                more=len(newer) > most,
            )

    def decision(self, number: int) -> DecisionCard:
        """Refuse: only the journal knows decisions.

        Raises:
            StoreError: Always.
        """
        raise NotThere(
            f"A broker does not tell of decision {number}",
            expected="the run's folder, whose journal knows it",
            action="start `entropilot watch` where the agent works",
        )

    def decisions(self, offset: int = 0, limit: int = MAX_ROWS) -> list[DecisionCard]:  # noqa: ARG002
        """Return none."""
        return []

    def instruments(self) -> list[Instrument]:
        """Return the instruments that say that they are there, or were."""
        now = datetime.now(UTC)
        with self._listener.view() as known:
            view = known.campaigns[self._campaign]
            said = {**known.for_every_campaign, **view.instruments}
            return [_instrument(view, name, said.get(name), now) for name in sorted({*said, *view.capabilities})]

    def dataset(
        self,
        *,
        at: int | None = None,  # noqa: ARG002
        offset: int = 0,
        limit: int = MAX_ROWS,  # noqa: ARG002
        family: str | None = None,  # noqa: ARG002
        text: str = "",  # noqa: ARG002
        order: DatasetOrder = "sequence",  # noqa: ARG002
    ) -> DatasetPage:
        """Return none of it."""
        return DatasetPage(total=0, offset=offset, rows=())

    def set_aside(self) -> list[SetAside]:
        """Return none."""
        return []

    def journal(
        self,
        *,
        after: int = 0,  # noqa: ARG002
        limit: int = 100,  # noqa: ARG002
        kind: str | None = None,  # noqa: ARG002
        candidate: str | None = None,  # noqa: ARG002
        operator: str | None = None,  # noqa: ARG002
        tail: bool = False,  # noqa: ARG002
    ) -> JournalPage:
        """Return none of it."""
        return JournalPage(total=0, rows=(), next=None)

    def trust(self) -> Trust:
        """Return that nothing was checked: the journal is not here."""
        return Trust()

    def version(self) -> int:
        """Return the number of the journal's last row, as was told.

        Raises:
            BrokerError: While the broker is away.
        """
        self._listener.require_up()
        with self._listener.view() as known:
            return known.campaigns[self._campaign].version

    def close(self) -> None:
        """Hold nothing: the listener is the shelf's."""


def _phase(view: CampaignView) -> Phase:
    """Return where a campaign is; one that is not over and whose agent is away is interrupted."""
    if view.state is None:
        return "preparing"
    phase = PHASES[view.state.phase]
    return "interrupted" if phase != "finished" and is_there(view.agent) is False else phase


def _at_start(first: MetricsReport | None, name: str) -> float | None:
    """Return a figure of the start set; None where that was before the page began."""
    if first is None or first.observation > 0:
        return None
    value: float | None = getattr(first, name)
    return value


def _metrics_of(report: MetricsReport | None) -> tuple[MetricShown, ...]:
    declared = () if report is None else report.declared
    own = [
        MetricShown(
            name=each.name, label=each.name, short=each.name, unit=each.unit, lower_is_better=each.lower_is_better
        )
        for each in declared
    ]
    bias = [
        MetricShown(
            name=each.name, label=each.label, short=each.short, unit=each.unit, lower_is_better=each.lower_is_better
        )
        for each in BIAS_METRICS
    ]
    return (*own, *bias)


def _figures(report: MetricsReport | None) -> dict[str, float | None]:
    if report is None:
        return {}
    declared: dict[str, float | None] = {each.name: each.value for each in report.declared}
    return declared | {each.name: getattr(report, each.name) for each in BIAS_METRICS}


def _best(view: CampaignView, observation: int) -> Iterator[Best]:
    """Yield the best of each figure that was heard up to an observation."""
    heard = [each for number, each in view.reports.items() if number <= observation]
    for metric in BIAS_METRICS:
        known = [(value, each.observation) for each in heard if (value := getattr(each, metric.name)) is not None]
        if known:
            value, at = min(known, key=lambda one: (one[0] if metric.lower_is_better else -one[0], one[1]))
            yield Best(metric=metric.name, value=value, observation=at)


def _families(report: MetricsReport, before: MetricsReport | None) -> tuple[FamilyMoment, ...]:
    was = {} if before is None else {each.family: each for each in before.families}
    return tuple(
        FamilyMoment(
            family=each.family,
            size=each.size,
            entropy=each.entropy,
            low=each.entropy_low,
            high=each.entropy_high,
            change=_change(was[each.family].entropy, each.entropy)
            if each.family in was and was[each.family].size != each.size
            else None,
        )
        for each in report.families
    )


def _band(bias: FamilyBias) -> Band | None:
    low, high = bias.entropy_low, bias.entropy_high
    return None if low is None or high is None else (low, high)


def _change(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else now - before


def _columns(report: MetricsReport | None, *, bands: bool = False) -> tuple[Column, ...]:
    families = () if report is None else report.families
    whats = ("entropy", "low", "high", "size") if bands else ("entropy", "size")
    return (
        Column(name="observation"),
        Column(name="sequence"),
        *(Column(metric=each.name) for each in _metrics_of(report)),
        *(Column(family=each.family, what=what) for each in families for what in whats),
    )


def _row(view: CampaignView, report: MetricsReport, *, bands: bool = False) -> list[float]:
    """Return a point in the order of the columns; NaN where a figure is not defined."""
    latest = view.last_report or report
    by_name, figures = {each.family: each for each in report.families}, _figures(report)
    row: list[float | None] = [report.observation, view.row_of(report)]
    row += [figures.get(each.name) for each in _metrics_of(latest)]
    for each in latest.families:
        bias = by_name.get(each.family)
        ends = [bias.entropy_low, bias.entropy_high] if bias else [None, None]
        row += [bias.entropy if bias else None, *(ends if bands else ()), bias.size if bias else None]
    return [np.nan if value is None else float(value) for value in row]


def _thinned(values: Sequence[float | None], most: int) -> list[float | None]:
    if len(values) <= most:
        return list(values)
    return [values[place] for place in np.linspace(0, len(values) - 1, most).round().astype(int)]


def _instrument(view: CampaignView, name: str, status: Status | None, now: datetime) -> Instrument:
    can, heard = view.capabilities.get(name), view.heard_at.get(name)
    healths: dict[Health, Presence] = {Health.ONLINE: "there", Health.OFFLINE: "away"}
    return Instrument(
        id=name,
        health="unknown" if status is None else healths[status.health],
        since=None if status is None else status.sent_at.isoformat(),
        last_heard=None if heard is None else heard.isoformat(),
        silent_s=None if heard is None else max((now - heard).total_seconds(), 0.0),
        slots=None if can is None else can.slots,
    )
