"""Ask and tell: the policy and the bookkeeping of a campaign, for who has a loop of their own.

campaign = Campaign(frame, property="hardness", family="alloy", unit="GPa")
for candidate in campaign.ask():
campaign.tell(candidate, measure(candidate), uncertainty=0.1)
"""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import pandas as pd

from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.state import Attempt
from agent.entropy.bias import BIAS_METRICS
from agent.runtime.transaction import Transaction
from protocols.errors import CampaignHalted, SettingsError, TableError
from protocols.settings.suggestions import did_you_mean
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    Control,
    ControlAction,
    FailureReason,
    Quantity,
    cut,
)
from scenarios.python.desk import RECIPIENT, Desk, now
from scenarios.python.finished import Run
from scenarios.python.frames import id_column_of, labels_of
from scenarios.python.scenario import Scenario
from scenarios.python.shown import as_html
from scenarios.settings.model import Scenario as ScenarioSettings
from scenarios.sources.run_folder import require_campaign_name
from scenarios.world.world import build_world

Label = Hashable
"""What a candidate is called in the data frame: its index, or its cell in the column of ids."""


class Campaign:
    """A campaign that is asked which candidates to measure next, and told what came of it.

    It decides as a live campaign of the same settings does, for the same order of results. With a journal it survives
    the process: made again with the same arguments it goes on where it was.

    Args:
        pool: A row a candidate. Rows with a value of the property are known; the others (NaN) may be asked for.
        property: Column with the property whose entropy is balanced between families.
        family: Column with the family, or several whose combination it is.
        unit: Of the property.
        id: Column with the ids; by default the index, or a column `id` where rows are only counted.
        features: Columns of numbers that the policy knows a candidate by; by default all others.
        composition: Column with formulas, from which features are made.
        policy: Which decides.
        policy_options: Its options.
        budget: Candidates that may be asked for; by default all without a value.
        parallel: How many may be open at once.
        ordering: `in_order`: decisions do not depend on who answers first; `as_completed`: they use every value.
        seed: Of the campaign.
        valid_range: Smallest and largest value that can be true [unit].
        journal: A folder in which everything is kept; None keeps it in memory alone.
        settings: Any other setting by its dotted name, such as `{"campaign.max_attempts": 1}`.

    Attributes:
        name: Of the campaign: that of its folder.

    Raises:
        TableError: When the pool cannot be used.
        SettingsError: When a setting, or what is told, cannot be used.
        StoreError: When the journal is another campaign's, or in use.
    """

    def __init__(
        self,
        pool: pd.DataFrame,
        property: str,  # noqa: A002 - the field's word
        family: str | Sequence[str],
        *,
        unit: str = "",
        id: str | None = None,  # noqa: A002 - the table's word
        features: Sequence[str] | None = None,
        composition: str | None = None,
        policy: str = "gap_gain",
        policy_options: Mapping[str, object] | None = None,
        budget: int | None = None,
        parallel: int = 1,
        ordering: Literal["in_order", "as_completed"] = "in_order",
        seed: int = 0,
        valid_range: tuple[float, float] | None = None,
        journal: str | Path | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        folder = None if journal is None else Path(journal).resolve()
        self.name: Final = "campaign" if folder is None else folder.name
        require_campaign_name(self.name)
        said: dict[str, object] = {
            "campaign.policy": policy,
            "campaign.policy_options": dict(policy_options or {}),
            "campaign.parallel": parallel,
            "campaign.ordering": ordering,
            "campaign.seed": seed,
        }
        said |= {} if valid_range is None else {"campaign.valid_range": list(valid_range)}
        with tempfile.TemporaryDirectory(prefix="entropilot-pool-") as scratch:
            scenario = Scenario.of_table(
                pool, property=property, family=family, unit=unit, id=id, features=features, composition=composition,
                name=self.name, budget=budget, settings=said | dict(settings or {}),
                runs=Path(scratch) if folder is None else folder.parent,
            ).settings  # fmt: skip
            _require_unknown(pool, property)
            _require_one_method(scenario)
            world = build_world(scenario)
        self._label_of = labels_of(pool, id_column_of(pool, id))
        self._lock = threading.RLock()
        self._handed: set[str] = set()
        self._folder = folder
        self._desk = Desk(scenario, world, folder, self.name)
        candidates = world.pool.candidates
        self._id_of = {each.source_id or each.candidate_id: each.candidate_id for each in candidates}
        self._text_of = {which: text for text, which in self._id_of.items()}

    def ask(self, n: int | None = None) -> list[Label]:
        """Return which candidates to measure next: those that were decided on and not handed out yet.

        Args:
            n: At most so many; by default all that may be open.

        Returns:
            Labels of the pool; an empty list when nothing more is to be asked for, or until something is told.

        Raises:
            SettingsError: When more are wanted than may be open at once.
            CampaignHalted: When the campaign has paused itself.
        """
        with self._lock:
            campaign = self._desk.ledger.campaign
            if n is not None and not 1 <= n <= campaign.plan.parallel:
                raise SettingsError(
                    f"{n} candidates are asked for at once, and {campaign.plan.parallel} may be open",
                    expected=f"a number from 1 to {campaign.plan.parallel}",
                    action=f"make the campaign with parallel={max(n, 1)}",
                )
            if campaign.phase is Phase.PAUSED and campaign.paused_itself:
                raise CampaignHalted(
                    f"The campaign has paused itself: {campaign.pause_reason}",
                    expected="a lab that measures",
                    action="make it again with its journal, and it goes on",
                )
            fresh = [each for each in campaign.in_flight.values() if each.attempt_id not in self._handed][:n]
            self._handed |= {each.attempt_id for each in fresh}
            return [self._label(each.candidate_id) for each in fresh]

    def tell(
        self,
        candidate: Label,
        value: float,
        *,
        uncertainty: float | None = None,
        additional: Mapping[str, float] | None = None,
        duration_s: float = 0.0,
    ) -> None:
        """Tell what was measured. A candidate that was not asked for may be told as well: it is known then.

        Args:
            candidate: Its label.
            value: Of the property [its unit].
            uncertainty: Standard uncertainty of the value [its unit].
            additional: Values of the properties that are balanced beside it [their units].
            duration_s: How long it took [s].

        Raises:
            SettingsError: When there is no such candidate, the value cannot be true, or the candidate has one already;
                nothing changes then.
        """
        with self._lock:
            which = self._candidate(candidate)
            quantities = self._quantities(value, uncertainty, additional or {})
            duration = _duration(duration_s)
            attempt = self._attempt_of(which)
            if attempt is None:
                self._add(candidate, which, quantities)
                return
            self._desk.take(CandidateResult(**self._answer(attempt), quantities=quantities, duration_s=duration))

    def tell_failed(self, candidate: Label, reason: str = "", *, permanent: bool = False) -> None:
        """Tell that a candidate that was asked for gave no value; it is asked for again while attempts are left.

        Args:
            candidate: Its label.
            reason: Why, in words.
            permanent: Whether another attempt would fail as well.

        Raises:
            SettingsError: When it was not asked for.
        """
        with self._lock:
            attempt = self._attempt_of(self._candidate(candidate))
            if attempt is None:
                raise SettingsError(f"The candidate {candidate!r} is not asked for", expected="one that `ask` gave")
            kind = FailureReason.UNSUPPORTED if permanent else FailureReason.CALCULATION_FAILED
            self._desk.take(CandidateFailure(**self._answer(attempt), reason=kind, detail=cut(reason)))

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be asked for."""
        return self._desk.ledger.campaign.phase is Phase.FINISHED

    @property
    def why_finished(self) -> str:
        """Why; empty while it goes on."""
        return self._desk.ledger.campaign.finish_reason

    @property
    def open(self) -> list[Label]:
        """What was asked for and not told yet."""
        return [self._label(each.candidate_id) for each in self._desk.ledger.campaign.in_flight.values()]

    @property
    def dataset(self) -> pd.DataFrame:
        """What is known: value and uncertainty by candidate, in the order of the pool."""
        campaign = self._desk.ledger.campaign
        pool = campaign.pool
        known = [int(each) for each in (campaign.statuses == int(CandidateStatus.OBSERVED)).nonzero()[0]]
        rows = [
            {
                "family": pool.families[pool.family_codes[index]],
                "value": float(campaign.values[index]),
                "uncertainty": float(campaign.uncertainties[index, 0]) or math.nan,
            }
            for index in known
        ]
        labels = pd.Index([self._label(pool.candidate_ids[index]) for index in known], name="candidate")
        return pd.DataFrame(rows, index=labels, columns=["family", "value", "uncertainty"])

    @property
    def bias(self) -> pd.Series[float]:
        """The bias of the dataset as it is, by metric."""
        point = self._desk.ledger.point()
        return pd.Series({metric.name: getattr(point, metric.name) for metric in BIAS_METRICS}, dtype="float64")

    @property
    def families(self) -> pd.DataFrame:
        """Size and entropy [nat] by family."""
        point = self._desk.ledger.point()
        frame = pd.DataFrame({"size": point.sizes, "entropy": point.entropies}, index=list(point.families))
        return frame.rename_axis("family").astype({"entropy": "float64"})

    @property
    def run(self) -> Run:
        """The run, as its journal has it: trajectory, decisions, why.

        Raises:
            SettingsError: Of a campaign in memory.
        """
        if self._folder is None:
            raise SettingsError(
                "The campaign is kept in memory alone", expected="one with a journal", action="make it with journal=…"
            )
        return Run(self._folder)

    def close(self) -> None:
        """Close the journal; a campaign in memory needs no end."""
        with self._lock:
            self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        campaign = self._desk.ledger.campaign
        state = self.why_finished or f"{campaign.spent} of {campaign.budget} spent, {len(campaign.in_flight)} open"
        return f"<Campaign {self.name}: {state}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self)) + str(self.families.to_html())

    def _quantities(
        self, value: float, uncertainty: float | None, additional: Mapping[str, float]
    ) -> tuple[Quantity, ...]:
        plan = self._desk.ledger.campaign.plan
        wanted = {each.name: each for each in plan.additional_properties}
        if unlike := wanted.keys() ^ additional.keys():
            raise SettingsError(
                f"additional has {', '.join(additional) or 'nothing'}, which differs in {min(unlike)!r}",
                expected=f"values of {', '.join(wanted)}" if wanted else "none: one property is balanced",
            )
        told = [self._quantity(plan.property_name, value, plan.unit, plan.valid_range, uncertainty)]
        told += [
            self._quantity(name, additional[name], each.unit, each.valid_range, None) for name, each in wanted.items()
        ]
        return tuple(told)

    def _quantity(
        self, name: str, value: float, unit: str, valid_range: tuple[float, float], uncertainty: float | None
    ) -> Quantity:
        low, high = valid_range
        number = _number(name, value)
        deviation = None if uncertainty is None else _number("The uncertainty", uncertainty)
        if not low <= number <= high:  # NaN is not either
            raise SettingsError(
                f"{name} = {number:g} {unit}".rstrip(),
                expected=f"a value from {low:g} to {high:g}",
                action="tell_failed where nothing was measured; or make the campaign with another valid_range",
            )
        if deviation is not None and not (math.isfinite(deviation) and deviation >= 0):
            raise SettingsError(f"The uncertainty is {deviation:g}", expected="a finite number, not below 0")
        return Quantity(name=name, value=number, unit=unit, standard_deviation=deviation)

    def _add(self, candidate: Label, which: str, quantities: tuple[Quantity, ...]) -> None:
        """Tell a value that nobody asked for, as an operator would."""
        taken = self._desk.take(
            Control(
                campaign=self.name, message_id=fresh_id(), sent_at=now(), operator=RECIPIENT,
                action=ControlAction.ADD_OBSERVATION, candidate_id=which, quantity=quantities[0],
                additional=quantities[1:], reason="told without having been asked for",
            )
        )  # fmt: skip
        if why := _why_refused(taken):
            raise SettingsError(f"The value of {candidate!r} is not taken: {why}", expected="one without a value")

    def _answer(self, attempt: Attempt) -> dict[str, Any]:
        return {
            "campaign": self.name,
            "message_id": fresh_id(),
            "sent_at": now(),
            "attempt_id": attempt.attempt_id,
            "candidate_id": attempt.candidate_id,
            "simulator": RECIPIENT,
        }

    def _attempt_of(self, which: str) -> Attempt | None:
        in_flight = self._desk.ledger.campaign.in_flight.values()
        return next((each for each in in_flight if each.candidate_id == which), None)

    def _label(self, which: str) -> Label:
        return self._label_of[self._text_of[which]]

    def _candidate(self, label: Label) -> str:
        text = str(label)
        if text not in self._id_of:
            raise SettingsError(
                f"There is no candidate {label!r} in the pool",
                expected=f"one of its {len(self._id_of):,} labels",
                action=did_you_mean(text, self._id_of) or "use a label that `ask` gave",
            )
        return self._id_of[text]


def _require_unknown(pool: pd.DataFrame, column: str) -> None:
    """Check that something is left to be asked for.

    Raises:
        TableError: When every value is known.
    """
    if pool[column].notna().all():
        raise TableError(
            f"Every row of the pool has a value of {column!r}",
            expected="NaN where the value is to be asked for",
            action="to play with known values, hide them: frame.loc[rows, column] = float('nan')",
        )


def _require_one_method(scenario: ScenarioSettings) -> None:
    """Check that candidates are measured by one method: `ask` gives candidates, and not by what they are measured.

    Raises:
        SettingsError: When the settings name several.
    """
    if scenario.campaign.fidelities:
        raise SettingsError(
            f"The settings name {len(scenario.campaign.fidelities)} methods of measurement",
            expected="one: ask and tell knows candidates only",
            action="leave campaign.fidelities out, or run a scenario with a lab that has these methods",
        )


def _why_refused(taken: Transaction) -> str:
    return next((each.detail for each in taken.control_receipts if each.row is None or each.detail), "")


def _number(name: str, told: Any) -> float:
    """Return what was told as a number.

    Raises:
        SettingsError: When it is none.
    """
    try:
        return float(told)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} = {told!r}", expected="a number") from None


def _duration(told: float) -> float:
    """Return how long something took [s].

    Raises:
        SettingsError: When it cannot have taken so long.
    """
    seconds = _number("duration_s", told)
    if not 0 <= seconds < math.inf:
        raise SettingsError(f"duration_s = {seconds:g}", expected="a finite number of seconds, not below 0")
    return seconds
