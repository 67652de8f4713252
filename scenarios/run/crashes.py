"""A campaign that outlives crashes: a run kills itself, agent, instruments and broker, and is resumed.

`[crashes]` says at how many results. The kill is a real one (SIGKILL, right after the commit of that result), so
nothing is closed, said or flushed; what comes after is `entropilot run --resume`, as a person or systemd would do it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final

from protocols.concurrency.child import SAFE_PATH
from protocols.concurrency.signals import ending_signals
from protocols.errors import CampaignHalted, SettingsError
from scenarios.display.console import tell
from scenarios.display.terminal import INTERRUPTED

SINGLE_PROCESS: Final = "--single-process"
"""Hidden flag of the process that may kill itself."""


def crash_at(numbers: Sequence[int], accepted: int) -> Callable[[int], None]:
    """Return what is told after every commit how many results there are, and kills the process at some of them.

    Args:
        numbers: At which.
        accepted: How many there were when this process began: what it does not reach itself is past.
    """
    ahead = [number for number in numbers if number > accepted]

    def on_progress(results: int) -> None:
        if ahead and results >= ahead[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_progress


def supervise_with_kills(arguments: Sequence[str], *, campaign: str, kills: int) -> int:
    """Run the command again and again until it ends by itself or is asked to; return its exit code.

    Args:
        arguments: The command line without the program.
        campaign: The campaign, named so that every life means the same one.
        kills: How often it may be killed.

    Raises:
        SettingsError: Where processes cannot be killed so.
        CampaignHalted: When something else kills it.
    """
    if not hasattr(signal, "SIGKILL"):
        raise SettingsError("[crashes] needs SIGKILL, which this system does not have", action="leave it out")
    place = arguments.index("run") + 1
    command = [
        sys.executable,
        SAFE_PATH,
        "-m",
        "entropilot",
        *arguments[:place],
        SINGLE_PROCESS,
        "--campaign",
        campaign,
    ]
    rest = list(arguments[place:])
    with _asked_to_end() as life:
        for killed in range(kills + 1):
            code = life.lived([*command, *rest])
            if life.asked and code < 0:  # it had no time to say so itself
                advice = f"resume it with --resume --campaign {campaign}"
                tell(f"The campaign is not finished; {advice}")
                return INTERRUPTED
            if code != -signal.SIGKILL:
                return code
            if killed < kills:
                tell(f"killed ({killed + 1} of {kills}); resuming it", "yellow")
            rest += [] if "--resume" in rest else ["--resume"]
    raise CampaignHalted(
        "The run was killed more often than [crashes] says",
        expected=f"at most {kills} times",
        action=f"look whether memory ran out, then run again with --resume --campaign {campaign}",
    )


def end_with_parent() -> None:
    """Let this process end in order when the one that started it is gone: its end of our standard input closes."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(sys.stdin.fileno(), 1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


@dataclass(slots=True)
class _RunProcess:
    """The process that lives now, and whether somebody wants it to end."""

    process: subprocess.Popen[bytes] | None = None
    asked: bool = False

    def lived(self, command: Sequence[str]) -> int:
        # In a group of its own: what the terminal sends reaches us alone, and the process once, by `ask`.
        with subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0) as self.process:
            if self.asked:  # while it was started
                self.process.terminate()
            return self.process.wait()

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Pass on that it is to end."""
        self.asked = True
        if self.process is not None:
            self.process.terminate()


@contextmanager
def _asked_to_end() -> Iterator[_RunProcess]:
    life = _RunProcess()
    before = {number: signal.signal(number, life.ask) for number in ending_signals()}
    try:
        yield life
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
