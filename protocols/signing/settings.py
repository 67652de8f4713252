"""Which keys a part signs with, as it is set."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from protocols.signing.key_file import read_keys
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import Signing


class SigningSettings(BaseModel):
    """Which keys messages are signed with. Of a place, as the broker is: no recording and no pack has them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    keys: str | None = Field(default=None, min_length=1)
    """File of keys, made by `entropilot keys`: the agent's, or the instrument's own. A part with keys signs what it
    sends; a simulator then takes nothing that its agent has not signed. None: nothing is signed."""
    envelope: bool = False
    """Whether signatures go around the payload over MQTT 5 too: for brokers some of whose clients speak MQTT 3.1.1,
    which hear no properties."""

    def signing(self) -> Signing:
        """Return how a part with these settings signs.

        Raises:
            SettingsError: When the file of keys cannot be used.
        """
        return Signing(KeyRing() if self.keys is None else read_keys(Path(self.keys)), self.envelope)
