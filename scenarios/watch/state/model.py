"""What every model of the state is made of."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Shown(BaseModel):
    """Something that is shown: frozen, and without a field that this version does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def finite(value: Any) -> Any:
    """Return a number as it is, and None in the place of one that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def in_utc(value: Any) -> Any:
    """Return a time as RFC 3339 in UTC to the millisecond; what is no time stays as it is, and "" is none."""
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Number = Annotated[float | None, BeforeValidator(finite)]
"""A number; null where it is not defined, or not finite."""

Time = Annotated[str | None, BeforeValidator(in_utc)]
"""A time as RFC 3339 in UTC; null where none is known."""

Seed = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]
"""A seed; as text in JSON, for it has more digits than a number of JavaScript."""
