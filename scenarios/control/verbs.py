"""What a campaign can be asked for, as a person types it; light to import, for shell completion asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADD_CANDIDATE: Final = "add-candidate"
ADD_RESULT: Final = "add-result"

VERBS: Final[Mapping[str, str]] = {
    "pause": "",
    "resume": "",
    "stop": "",
    "exclude": "CANDIDATE",
    "requeue": "CANDIDATE",
    ADD_CANDIDATE: "FILE, or COLUMN=VALUE for each column of a row",
    ADD_RESULT: "CANDIDATE VALUE, and NAME=VALUE for each property that is balanced beside the first; or FILE",
    "retract": "CANDIDATE",
    "amend": "CANDIDATE VALUE",
    "approve": "DECISION",
    "veto": "DECISION",
    "set-budget": "CANDIDATES",
}
"""What a person types -> what follows it."""
