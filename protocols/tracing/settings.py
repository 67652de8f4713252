"""Where traces go; by default nowhere."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

ENDPOINT_PATTERN: Final = r"^$|^https?://[^\s@]+$"
"""Without a password: that stands in OTEL_EXPORTER_OTLP_HEADERS."""


class TracingSettings(BaseModel):
    """Where traces go: one of each attempt, by OTLP over HTTP (extra `otel`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    endpoint: Annotated[str, Field(max_length=2_048, pattern=ENDPOINT_PATTERN)] = ""
    """A collector's address, such as http://127.0.0.1:4318/v1/traces; empty: nothing is traced. Passwords and tokens
    stand in OTEL_EXPORTER_OTLP_HEADERS."""
    max_queue: Annotated[int, Field(ge=1, le=100_000)] = 2_048
    """Spans that may wait for the collector; further ones are dropped, and counted in the log."""


OFF: Final = TracingSettings()
"""Nothing is traced."""
