"""What a surrogate raises; light to import, for whoever fits none."""

from __future__ import annotations

from protocols.errors import EntropilotError


class SurrogateError(EntropilotError):
    """The surrogate cannot be fitted to these rows."""

    exit_code = 7
