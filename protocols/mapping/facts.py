"""What a mapping must know of the campaign: names and units of what is asked for and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from protocols.wire.messages import CandidateRequest, Message, ResultReceipt

FEATURE: Final = "feature"
"""Root of the candidate's features, by their names in the pool."""

PARAMETER: Final = "parameter"
"""Root of the request's parameters, by their names: each with `value` and `unit`."""

LAB_NAME: Final = "instrument"
"""Root of the instrument's name in the lab."""

LAYERED: Final = frozenset({FEATURE, PARAMETER})
"""Roots below which a name of the campaign follows."""


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """The campaign that a mapping is for.

    Attributes:
        campaign: Its name.
        units: Property that is wanted -> its unit.
        parameters: Parameter that a request carries -> its unit.
        features: Names of the pool's features; None where they are not known yet.
        parallel: Most attempts in flight.
        request_timeout_s: Time that an attempt has to answer [s].
    """

    campaign: str
    units: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    features: Sequence[str] | None = None
    parallel: int = 1
    request_timeout_s: float = 120.0

    @property
    def names_in_request(self) -> dict[str, Sequence[str] | None]:
        """What expressions over a request may look for: names at the root, and below."""
        known: dict[str, Sequence[str] | None] = _fields_of(CandidateRequest)
        return known | {FEATURE: self.features, PARAMETER: tuple(self.parameters), LAB_NAME: ()}

    @property
    def names_in_receipt(self) -> dict[str, Sequence[str] | None]:
        """The same over a receipt."""
        return _fields_of(ResultReceipt) | {LAB_NAME: ()}


@dataclass(frozen=True, slots=True)
class AskedAttempt:
    """An attempt as far as an answer may name it.

    Attributes:
        attempt_id: Its id.
        candidate_id: The candidate's.
        instrument: Our id of who was asked.
        in_flight: Whether it is awaited.
        answered_by: Message ids of its results, and of its failure, that are in the journal.
    """

    attempt_id: str
    candidate_id: str
    instrument: str
    in_flight: bool
    answered_by: tuple[str, ...] = ()


class Attempts(Protocol):
    """What is known of what was asked; the campaign's journal is its memory."""

    def find(self, attempt_id: str) -> AskedAttempt | None:
        """Return an attempt by its id."""
        ...

    def of_candidate(self, candidate_id: str) -> Sequence[AskedAttempt]:
        """Return the attempts at a candidate, oldest first."""
        ...

    def of_instrument(self, instrument: str) -> Sequence[AskedAttempt]:
        """Return the latest attempts that an instrument was asked for, oldest first; all in flight are among them."""
        ...

    def candidate_named(self, source_id: str) -> str | None:
        """Return the candidate that a table calls so."""
        ...

    def request_of(self, attempt_id: str) -> Mapping[str, Any]:
        """Return the document of its request, for what is to be echoed."""
        ...


def request_document(request: CandidateRequest, lab_name: str, features: Mapping[str, float]) -> dict[str, Any]:
    """Return what expressions over a request look into.

    Args:
        request: Our request.
        lab_name: Name of the instrument in the lab.
        features: The candidate's, by name.
    """
    document = request.model_dump(mode="json", exclude_none=True)
    parameters = {each["name"]: each for each in document.get("parameters", ())}
    return {**document, FEATURE: dict(features), PARAMETER: parameters, LAB_NAME: lab_name}


def receipt_document(receipt: ResultReceipt, lab_name: str) -> dict[str, Any]:
    """Return what expressions over a receipt look into."""
    return {**receipt.model_dump(mode="json", exclude_none=True), LAB_NAME: lab_name}


def _fields_of(message: type[Message]) -> dict[str, Sequence[str] | None]:
    return dict.fromkeys(message.model_fields)
