"""Settings that may name a class of the user's own: where it may come from goes along, and is no setting itself.

Nobody can write it into a file, and no dump of the settings holds it; a copy of the settings keeps it.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from protocols.settings.user_code import INSTALLED, CodeSource


class CodeSettings(BaseModel):
    """Base of such settings; made by a program, they mean what is installed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _code: CodeSource = PrivateAttr(default=INSTALLED)

    @property
    def code(self) -> CodeSource:
        """Where the class may come from."""
        return self._code

    def with_code(self, code: CodeSource, **names: str) -> Self:
        """Return the settings with where the class may come from.

        Args:
            code: That.
            names: The setting that names the class, where it is called otherwise now.
        """
        found = self.model_copy(update=names)
        found._code = code  # noqa: SLF001 - a copy of our own
        return found
