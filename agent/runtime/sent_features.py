"""The features of a candidate as a request carries them, where the campaign sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from protocols.errors import SettingsError
from protocols.wire.limits import MAX_DESCRIPTION_BYTES, MAX_FEATURES, MAX_ID_LENGTH
from protocols.wire.messages import Quantity

SETTING: Final = "campaign.send_features"

WIDEST_NUMBER: Final = -1.2345678901234567e-100
"""As long as a number gets in JSON."""


def require_sendable(pool: Pool) -> None:
    """Check that a request can carry the features of a pool.

    Raises:
        SettingsError: When it cannot: there are too many, or a name is too long.
    """
    names = pool.feature_names
    long = next((name for name in names if not 0 < len(name) <= MAX_ID_LENGTH), None)
    if long is not None:
        raise SettingsError(
            f"The name of the feature {long[:MAX_ID_LENGTH]!r}… has {len(long)} characters, and {SETTING} is set",
            expected=f"at most {MAX_ID_LENGTH}, as a request carries",
            action=f"rename the column, or leave {SETTING} out",
        )
    widest = [Quantity(name=name, value=WIDEST_NUMBER, unit="") for name in names]
    size = sum(len(each.model_dump_json(exclude_none=True)) + 1 for each in widest)
    if len(names) > MAX_FEATURES or size > MAX_DESCRIPTION_BYTES:
        raise SettingsError(
            f"The {len(names):,} features take up to {size:,} bytes in a request, and {SETTING} is set",
            expected=f"at most {MAX_FEATURES:,} features and {MAX_DESCRIPTION_BYTES:,} bytes",
            action=f"name fewer features, or leave {SETTING} out: the lab can look them up by the candidate's id",
        )


def features_of(campaign: Campaign) -> Callable[[str], tuple[Quantity, ...]]:
    """Return what gives the features of a candidate of a campaign, with all that joins its pool."""

    def of(candidate_id: str) -> tuple[Quantity, ...]:
        pool = campaign.pool
        row = pool.features[pool.index_of[candidate_id]].tolist()
        return tuple(
            Quantity(name=name, value=value, unit="") for name, value in zip(pool.feature_names, row, strict=True)
        )

    return of
