"""What is wrong with a mapping, when it is loaded; and why a message does not fit it, at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocols.errors import MessageError, SettingsError
from protocols.settings.problems import Problem, settings_error
from protocols.wire.codec import UNMAPPED

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing that is wrong with a `[lab]` section.

    Attributes:
        key: The setting, below `lab`.
        found: What was found, as a clause that follows the setting's name.
        expected: What was expected.
        action: What to do.
    """

    key: Key
    found: str
    expected: str = ""
    action: str = ""

    def told(self, where: str = "") -> Problem:
        """Return it as a problem of settings.

        Args:
            where: Place of the setting, in words; empty where there is no file.
        """
        place = f" ({where})" if where else ""
        return Problem(f"{'.'.join(('lab', *self.key))}{place}: {self.found}", self.expected, self.action)


class Unusable(ValueError):
    """A part of a setting that cannot be used, before it is known where it stands.

    Args:
        found: What is wrong with it.
        action: What to do.
    """

    def __init__(self, found: str, action: str = "") -> None:
        self.found = found
        self.action = action
        super().__init__(found)


class MappingError(SettingsError):
    """A `[lab]` section that cannot be used.

    Args:
        problems: All that is wrong.
    """

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        self.problems: Final = tuple(problems)
        error = settings_error([each.told() for each in problems])
        super().__init__(error.found, expected=error.expected, action=error.action)


class UnmappedMessage(MessageError):
    """A message of the lab that does not fit, with the rule that refused it.

    Args:
        rule: The setting, below `lab`.
        found: What is wrong with the message.
    """

    def __init__(self, rule: Key, found: str, *, expected: str = "") -> None:
        super().__init__(UNMAPPED, f"[{'.'.join(('lab', *rule))}] {found}", expected=expected)
