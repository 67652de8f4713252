"""The settings of alerts: on what, and to whom."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

MAX_DESTINATIONS: Final = 8
"""Most that are told of one alert."""

KINDS: Final = (
    "paused_itself", "finished", "agent_gone", "instrument_silent", "quarantine_rate", "bias_above_best", "unreadable",
)  # fmt: skip
"""Kinds of alerts, as they are told."""

Seconds = Annotated[float, Field(gt=0, le=30 * 86_400)]


class AlertRules(BaseModel):
    """On what there is an alert. What is left out is not looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    paused_itself: bool = True
    """A campaign paused without an operator."""
    finished: bool = False
    """A campaign is over."""
    agent_gone_s: Seconds | None = 60.0
    """The agent of a campaign that is not over has been gone for so long [s]."""
    instrument_silent_s: Seconds | None = None
    """An instrument that was asked for something has said nothing for so long [s]."""
    quarantined_per_minute: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """More messages than so many were put aside within a minute."""
    bias_above_best: Annotated[float, Field(gt=0, le=100)] | None = None
    """The mean gap is larger than the smallest so far by more than so much [nat]."""
    unreadable: bool = True
    """A run cannot be read: its database is damaged or away."""


class Destination(BaseModel):
    """Whom an alert is told: a program, or an address on the web."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    """Names it in the log."""
    command: Annotated[tuple[Annotated[str, Field(max_length=4_096)], ...], Field(max_length=64)] = ()
    """A program and its arguments, started without a shell; it gets the alert as JSON on standard input, and what is
    in it as variables ENTROPILOT_ALERT_…; exit code 0 says that it was told."""
    webhook: SecretStr | None = None
    """An address that the alert is sent to as JSON, by POST; an answer of 200 to 299 says that it was told."""
    token_file: str = ""
    """With a webhook: a file of yours alone, whose content is sent as `Authorization: Bearer`."""
    on: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    """Only these kinds of alerts; empty: all."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == (self.webhook is not None):
            message = f"the destination {self.name!r} needs a command or a webhook, and not both"
            raise ValueError(message)
        if self.webhook is not None and not self.webhook.get_secret_value().startswith(("http://", "https://")):
            message = f"the webhook of {self.name!r} is no address: it begins with https:// or http://"
            raise ValueError(message)
        if self.token_file and self.webhook is None:
            message = f"token_file of {self.name!r} goes with a webhook"
            raise ValueError(message)
        unknown = sorted(set(self.on) - set(KINDS))
        if unknown:
            message = f"on of {self.name!r} names {unknown[0]!r}; the kinds are {', '.join(KINDS)}"
            raise ValueError(message)
        return self


class AlertSettings(BaseModel):
    """On what there is an alert, whom it is told, and how often is looked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    every_s: Annotated[float, Field(ge=0.1, le=3_600)] = 10.0
    """How often the runs are looked at [s]."""
    on: AlertRules = AlertRules()
    """On what."""
    to: Annotated[tuple[Destination, ...], Field(max_length=MAX_DESTINATIONS)] = ()
    """Whom; nobody: alerts are only logged."""

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        names = [each.name for each in self.to]
        if len(set(names)) < len(names):
            message = f"two destinations have one name: {', '.join(names)}"
            raise ValueError(message)
        return self


class AlertFile(BaseModel):
    """The file of `entropilot alerts`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    alerts: AlertSettings
    """All of it."""
