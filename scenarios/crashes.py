"""A campaign that outlives crashes: a run kills itself, agent, instruments and broker, and is taken up again.

`[crashes]` says at how many results. The kill is a real one (SIGKILL, right after the commit of that result), so
nothing is closed, said or flushed; what comes after is `entropilot run --resume`, as a person or systemd would do it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Final, Self

import typer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.errors import SettingsError

MAX_CRASHES: Final = 100
"""Most crashes of one run: each costs a start of Python, and of the broker."""

ONE_LIFE: Final = "--one-life"
"""Hidden flag of the process that may kill itself."""

Count = Annotated[int, Field(ge=1)]


class CrashSettings(BaseModel):
    """When a run is killed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[tuple[Count, ...], Field(max_length=MAX_CRASHES)] = Field(
        (), description="numbers of results, ascending; the whole run is killed when it has accepted so many"
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(late <= early for early, late in zip(self.at, self.at[1:], strict=False)):
            message = f"at = {list(self.at)} does not ascend"
            raise ValueError(message)
        return self


def crash_at(numbers: Sequence[int], accepted: int) -> Callable[[int], None]:
    """Return what is told after every commit how many results there are, and kills the process at some of them.

    Args:
        numbers: At which.
        accepted: How many there were when this process began: what it does not reach itself is past.
    """
    ahead = [number for number in numbers if number > accepted]

    def told(results: int) -> None:
        if ahead and results >= ahead[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return told


def live_and_be_killed(arguments: Sequence[str], *, campaign: str, kills: int) -> int:
    """Run the command again and again until it ends by itself; return its exit code.

    Args:
        arguments: The command line without the program.
        campaign: The campaign, named so that every life means the same one.
        kills: How often it may be killed.

    Raises:
        SettingsError: Where processes cannot be killed so.
    """
    if not hasattr(signal, "SIGKILL"):
        raise SettingsError("[crashes] needs SIGKILL, which this system does not have", action="leave it out")
    command = [sys.executable, "-m", "scenarios", *arguments, ONE_LIFE]
    if "--campaign" not in arguments:
        command += ["--campaign", campaign]
    for life in range(kills + 1):
        again = ["--resume"] if life and "--resume" not in command else []
        code = _one_life([*command, *again])
        if code != -signal.SIGKILL:
            return code
        typer.secho(f"killed ({life + 1} of {kills}); taking it up again", err=True, fg=typer.colors.YELLOW)
    return code


def end_with_parent() -> None:
    """Let this process end in order when the one that started it is gone: its end of our standard input closes."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(sys.stdin.fileno(), 1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _one_life(command: Sequence[str]) -> int:
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:  # the terminal has told the child as well
                    continue
        finally:
            signal.signal(signal.SIGTERM, before)
