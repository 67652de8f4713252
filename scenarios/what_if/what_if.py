"""What would have happened: the same start, another policy or other settings, the recorded results as the oracle.

A candidate that was never measured has no answer: it is counted as unknown and abandoned, never guessed; unless a table
or the scenario's simulator is asked to fill in. What the operator excluded is excluded from the beginning. The
campaign is played without its lab, so failures, deadlines and the order of arrival are not played again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from agent.acquisition.built_in import BUILT_IN
from agent.campaign.plan import CampaignPlan, CampaignPlanSettings
from agent.campaign.state import Attempt
from agent.pool.candidates import Candidate
from agent.runtime.messages import MessageBuilder
from agent.settings import CampaignSettings
from protocols.errors import SettingsError
from protocols.tables.table import read_table
from protocols.wire.codec import decode_payload
from protocols.wire.messages import CandidateRequest
from scenarios.display.progress import ProgressCall
from scenarios.replay.recorded_campaign import RecordedCampaign
from scenarios.replay.replay import asking, follow_to_the_end
from scenarios.run.offline import Answer, Measured, OfflineRun, play_answered
from scenarios.run.trajectory import Trajectory
from scenarios.settings.model import Scenario
from scenarios.settings.stored import arithmetic_of
from scenarios.sources.identify import identify
from scenarios.sources.kinds import TablePath
from scenarios.sources.recording_source import Source
from scenarios.sources.scenario import runs_folder
from scenarios.world.structures import structure_reader
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.oracle_table import NoAnswer
from simulators.registry import make_evaluator, make_instrument

FILL_SIMULATOR: Final = "simulator"
"""Value of `--fill` that asks the scenario's own simulator."""

THE_LAB: Final = "the lab itself"
"""Stands for the policy of a recording that a shadow heard."""

OF_A_POLICY: Final = frozenset({"policy", "policy_options", "seed"})
"""Settings that a lab which chooses for itself has not."""

NEVER_GIVE_UP: Final = 100_000
"""Candidates abandoned in a row before the campaign pauses: what is unknown says nothing of a lab."""

PLAYING: Final = "playing the other campaign"

Fill = Answer
"""Returns the values of a candidate by its pool index, where the recording has none."""


class AnsweredBy(StrEnum):
    """Who knew the value of a candidate."""

    RECORDING = "the recording"
    FILL = "filled in"
    NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A campaign as it was recorded, and as it would have gone.

    Attributes:
        campaign: Its name.
        recorded_policy: Then.
        policy: Now.
        changed: Settings that differ: name, then, now.
        recorded: Its trajectory.
        recorded_asked_at: Candidates with an outcome at each of its points.
        other: The other campaign.
        answered_by: Who answered for each candidate of the other campaign, in the order of the answers.
        shared: Candidates that both asked for.
        recorded_asked: Candidates that the recorded campaign asked for.
        note: What a person should know of the recording's file.
    """

    campaign: str
    recorded_policy: str
    policy: str
    changed: tuple[tuple[str, str, str], ...]
    recorded: Trajectory
    recorded_asked_at: tuple[int, ...]
    other: OfflineRun
    answered_by: tuple[AnsweredBy, ...]
    shared: int
    recorded_asked: int
    note: str = ""

    @property
    def known(self) -> int:
        """Candidates of the other campaign that the recording answered for."""
        return self.answered_by.count(AnsweredBy.RECORDING)

    @property
    def filled(self) -> int:
        """Those that were filled in."""
        return self.answered_by.count(AnsweredBy.FILL)

    @property
    def unknown(self) -> int:
        """Those that nobody could answer for."""
        return self.answered_by.count(AnsweredBy.NOBODY)

    @property
    def asked(self) -> int:
        """Candidates that the other campaign asked for."""
        return len(self.answered_by)

    @property
    def coverage(self) -> float:
        """Share of them that the recording answered for."""
        return self.known / self.asked if self.asked else 1.0


def what_if(
    source: Source, scenario: Scenario, fill: str | None, progress: ProgressCall, *, campaign: str | None = None
) -> WhatIf:
    """Play a recorded campaign with other settings.

    Args:
        source: The recording and its world.
        scenario: The recording's scenario with other settings of the campaign.
        fill: A table's path, `FILL_SIMULATOR`, or None.
        progress: For a progress bar.
        campaign: Which one, where the recording holds several.

    Raises:
        StoreError: When the recording is damaged, or cannot be followed.
        SettingsError: When the settings change what the recording stands on.
        TableError: When the table that is to fill in cannot be used.
    """
    recorded = RecordedCampaign()
    followed, note = follow_to_the_end(source, recorded.note, progress, campaign=campaign)
    plan, pool = followed.plan, source.world.pool
    then, now = _as_recorded(plan, source.scenario.campaign), scenario.campaign
    _require_same_ground(then, now)
    start = {pool.index_of[name]: recorded.measured(name, values) for name, values in recorded.start.items()}
    filler = None if fill is None else make_fill(fill, scenario, plan)
    answered_by: dict[str, AnsweredBy] = {}

    def answer(candidate: Candidate) -> Sequence[float] | Measured | None:
        name = candidate.candidate_id
        known = recorded.answers.get(name)
        if known is not None and len(known) == 1 + len(now.additional_properties):
            answered_by[name] = AnsweredBy.RECORDING
            return recorded.measured(name, known)
        found = None if filler is None else filler(candidate)
        answered_by[name] = AnsweredBy.NOBODY if found is None else AnsweredBy.FILL
        return found

    # A policy of the user's own is not run for the metrics that it declares.
    settings = now.keeping_metrics_of(then) if then.policy in BUILT_IN else now
    settings = settings.model_copy(update={"give_up_after": NEVER_GIVE_UP})
    with arithmetic_of(source.header), asking(pool, settings) as ask:
        other = play_answered(
            pool,
            answer,
            start,
            settings,
            ask,
            joined=recorded.joined,
            excluded=recorded.excluded,
            on_decision=lambda number: progress(PLAYING, number * now.batch, now.budget),
        )
    return WhatIf(
        plan.campaign,
        THE_LAB if source.of_a_lab else then.policy,
        now.policy,
        tuple(each for each in _changed(then, now) if not (source.of_a_lab and each[0] in OF_A_POLICY)),
        Trajectory(
            plan.label, plan.unit, tuple(recorded.points), spent=tuple(recorded.spent) if plan.fidelities else ()
        ),
        tuple(recorded.asked_at),
        other,
        tuple(answered_by.values()),
        len(answered_by.keys() & set(recorded.asked)),
        len(recorded.asked),
        note,
    )


def make_fill(fill: str, scenario: Scenario, plan: CampaignPlan) -> Fill:
    """Return who answers where the recording does not.

    Args:
        fill: A table's path, or `FILL_SIMULATOR`.
        scenario: For the table's columns, or the simulator.
        plan: What is measured.

    Raises:
        SettingsError: When a table is named and the scenario says nothing of columns.
        TableError: When the table cannot be used.
    """
    if fill == FILL_SIMULATOR:
        return _simulated(scenario, plan)
    columns = scenario.pool.columns
    if columns is None:
        raise SettingsError(
            "The scenario's pool is no table, so nothing says what the columns of another one mean",
            expected="--fill simulator",
        )
    path = identify(fill, runs_folder(), TablePath).path
    table = read_table(path, columns.model_copy(update={"on_missing": "unknown"}), structure_reader(path.name))
    measured = [table.values_of(table.candidate_ids, name) for name in plan.property_names]
    known = {
        name: values
        for name, *values in zip(table.candidate_ids, *(column.tolist() for column in measured), strict=True)
        if all(map(math.isfinite, values))
    }
    return lambda candidate: known.get(candidate.candidate_id)


def _simulated(scenario: Scenario, plan: CampaignPlan) -> Fill:
    """Let the first instrument answer with its errors, freshly calibrated; what it cannot evaluate stays unknown."""
    instrument = scenario.instruments[0]
    evaluator, errors = make_evaluator(instrument), make_instrument(instrument)
    deadline_s = scenario.campaign.evaluation_deadline_s
    messages = MessageBuilder(plan, evaluation_deadline_s=deadline_s, clock=lambda: datetime.now(UTC))

    def evaluate(candidate: Candidate) -> Measured | None:
        name = candidate.candidate_id
        attempt = Attempt("what-if", name, 0, 1, instrument.id)
        request = decode_payload(messages.request(attempt, candidate).payload)
        if not isinstance(request, CandidateRequest):
            return None
        try:
            quantities = errors.measure(Measurement.of(evaluator.evaluate(request)), request).quantities
        except (EvaluationFailed, NoAnswer):
            return None
        measured = {quantity.name: quantity for quantity in quantities}
        if not measured.keys() >= set(plan.property_names):
            return None
        wanted = [measured[each] for each in plan.property_names]
        return Measured([each.value for each in wanted], [each.standard_deviation or 0.0 for each in wanted])

    return evaluate


def _as_recorded(plan: CampaignPlan, given: CampaignSettings) -> CampaignSettings:
    """Return the settings of a recorded campaign; `--scenario` may have given those of another one."""
    told = {name: getattr(plan, name) for name in CampaignPlanSettings.model_fields if name != "resolution"}
    additional = {each.name: each.unit for each in plan.additional_properties}
    if additional != {name: each.unit for name, each in given.additional_properties.items()}:
        told["additional_properties"] = additional  # to be refused: what was recorded says no more of them
    return given.model_copy(update={**told, "property": plan.property_name})


def _require_same_ground(then: CampaignSettings, now: CampaignSettings) -> None:
    for name in ("property", "unit", "additional_properties"):
        if getattr(then, name) != getattr(now, name):
            raise SettingsError(
                f"campaign.{name} is {getattr(then, name)!r} in the recording and {getattr(now, name)!r} now",
                expected="the same: the recorded results know nothing else",
                action="change other settings of the campaign (policy, policy_options, seed, budget, parallel, batch)",
            )


def _changed(then: CampaignSettings, now: CampaignSettings) -> Iterator[tuple[str, str, str]]:
    for name in CampaignSettings.model_fields:
        one, other = getattr(then, name), getattr(now, name)
        if one != other:
            yield name, str(one), str(other)
