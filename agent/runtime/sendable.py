"""What a request carries of a candidate must fit a message: looked at once, before a campaign begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from agent.campaign.state import Campaign
from agent.pool.candidates import Candidate, Pool
from protocols.errors import SettingsError, TableError
from protocols.wire.limits import MAX_DESCRIPTION_BYTES, MAX_ID_LENGTH, MAX_PAYLOAD_BYTES, MAX_SENT_FEATURES
from protocols.wire.messages import Quantity

SETTING: Final = "campaign.send_features"

WIDEST_NUMBER: Final = -1.2345678901234567e-100
"""As long as a number gets in JSON."""

BYTES_OF_AN_ATOM: Final = 80
"""Most that an atom takes: three coordinates of 22 characters, a symbol, and what stands between them."""

BYTES_BESIDE: Final = 8 * 1024
"""What a request takes beside structure and parameters: the longest ids and texts, and the names of 32 properties."""


def require_sendable(pool: Pool, *, features: bool) -> None:
    """Check that a request can carry what is to be set for every candidate, and its features if they are sent.

    Raises:
        TableError: When the parameters of a candidate are too long beside its structure.
        SettingsError: When there are too many features, or one has too long a name.
    """
    most = MAX_PAYLOAD_BYTES - BYTES_BESIDE
    for each in () if pool.in_blocks else pool.candidates:  # which has neither structures nor parameters
        if each.parameters is not None and (size := _bytes_of(each)) > most:
            raise TableError(
                f"Structure and parameters of candidate {each.name!r} take up to {size:,} bytes in a request",
                expected=f"at most {most:,}",
                action="name fewer columns in pool.columns.parameters and pool.columns.labels",
            )
    if features:
        _require_sendable_features(pool.feature_names)


def features_of(campaign: Campaign) -> Callable[[str], tuple[Quantity, ...]]:
    """Return what gives the features of a candidate of a campaign, with all that joins its pool."""

    def of(candidate_id: str) -> tuple[Quantity, ...]:
        pool = campaign.pool
        pairs = zip(pool.feature_names, pool.features[pool.index_of[candidate_id]].tolist(), strict=True)
        return tuple(Quantity(name=name, value=value, unit="") for name, value in pairs)

    return of


def _bytes_of(candidate: Candidate) -> int:
    atoms = 0 if candidate.structure is None else len(candidate.structure.symbols)
    return atoms * BYTES_OF_AN_ATOM + (0 if candidate.parameters is None else candidate.parameters.size_bytes())


def _require_sendable_features(names: tuple[str, ...]) -> None:
    long = next((name for name in names if not 0 < len(name) <= MAX_ID_LENGTH), None)
    if long is not None:
        raise SettingsError(
            f"The name of the feature {long[:MAX_ID_LENGTH]!r}… has {len(long)} characters, and {SETTING} is set",
            expected=f"at most {MAX_ID_LENGTH}, as a request carries",
            action=f"rename the column, or leave {SETTING} out",
        )
    widest = (Quantity(name=name, value=WIDEST_NUMBER, unit="") for name in names)
    size = sum(len(each.model_dump_json(exclude_none=True)) + 1 for each in widest)
    if len(names) > MAX_SENT_FEATURES or size > MAX_DESCRIPTION_BYTES:
        raise SettingsError(
            f"The {len(names):,} features take up to {size:,} bytes in a request, and {SETTING} is set",
            expected=f"at most {MAX_SENT_FEATURES:,} features and {MAX_DESCRIPTION_BYTES:,} bytes",
            action=f"name fewer features, or leave {SETTING} out: the lab can look them up by the candidate's id",
        )
