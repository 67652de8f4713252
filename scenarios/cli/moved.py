"""Options that were modes of another command once: refused with what they are called now."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from typer.core import TyperCommand

from protocols.errors import SettingsError
from scenarios.display.console import reported_errors

OF_WHAT_IF: Final = ("--policy", "--budget", "--seed", "--set", "--fill", "--out")
OF_PLAY: Final = ("--live", "--broker", "--speed", "--all", "--until-idle")


def require_not_moved(command: str, arguments: list[str], moved: Mapping[str, str]) -> None:
    """Refuse an option that another command has now.

    Args:
        command: That was called.
        arguments: What follows it.
        moved: Option -> the command that has it now.

    Raises:
        SettingsError: For the first such option.
    """
    for argument in arguments:
        option = argument.partition("=")[0]
        if option == "--":
            return
        if (now := moved.get(option)) is not None:
            raise SettingsError(
                f"`entropilot {command} {option}` is called `entropilot {now}` now",
                expected=f"a command with options of its own: {command} has no {option}",
                action=f"see `entropilot {now} --help`",
            )


class _Command(TyperCommand):
    """A command some of whose options have become commands."""

    moved: ClassVar[Mapping[str, str]]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what follows the command, unless an option in it has moved."""
        if not ctx.resilient_parsing:  # a shell completes
            with reported_errors(debug=False):
                require_not_moved(self.name or "", args, self.moved)
        return super().parse_args(ctx, args)


class ReplayCommand(_Command):
    """`replay`, which also asked what if, and played live."""

    moved = MappingProxyType(dict.fromkeys(OF_WHAT_IF, "what-if") | dict.fromkeys(OF_PLAY, "play"))


class AgentCommand(_Command):
    """`agent`, which also stood in the shadow of a lab."""

    moved = MappingProxyType({"--shadow": "shadow"})
