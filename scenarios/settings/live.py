"""Where a real lab may be driven: settings of a person and a place, which no recording and no pack keeps."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_BROKERS: Final = 100
"""Most brokers that are allowed: more than a lab has."""

MAX_PORT: Final = 65_535
"""Largest number of a port."""

_PLACE: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})")


class LiveSettings(BaseModel):
    """Where `--live` may drive a real lab."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    brokers: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_BROKERS)] = ()
    """Brokers, as host:port, at which a real lab may be driven, with --live; at all others only simulated ones are."""

    @field_validator("brokers")
    @classmethod
    def _places(cls, brokers: tuple[str, ...]) -> tuple[str, ...]:
        for place in brokers:
            found = _PLACE.fullmatch(place)
            if found is None or not 0 < int(found["port"]) <= MAX_PORT:
                message = f"{place!r} is no place of a broker; expected host:port, such as mqtt.example.org:8883"
                raise ValueError(message)
        return tuple(map(str.lower, brokers))

    def allows(self, host: str, port: int) -> bool:
        """Tell whether a real lab may be driven at a broker."""
        return place_of(host, port) in self.brokers


def place_of(host: str, port: int) -> str:
    """Return a broker's place as the settings name it."""
    return f"{f'[{host}]' if ':' in host else host}:{port}".lower()
