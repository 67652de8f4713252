"""How the parts of a campaign reach a broker that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a broker.

    Attributes:
        url: Its address, with the user name where there is one for all parts.
        settings: Settings of `[broker]` for each part by the name of its account; "" for parts that are not named.
        password: What belongs to the user name; never on a command line.
    """

    url: str
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    password: str = ""

    def flags(self, part: str, version: str) -> tuple[str, ...]:
        """The flags of a command.

        Args:
            part: Whose account it takes.
            version: Of MQTT.
        """
        own = {**self.settings.get(part, self.settings.get("", {})), "version": version}
        return ("--broker", self.url, *(word for key, value in own.items() for word in ("--set", _set(key, value))))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command."""
        return {"ENTROPILOT_BROKER__PASSWORD": self.password} if self.password else {}


def _set(key: str, value: str) -> str:
    return f'broker.{key}="{value}"'
