"""What commands there are: in which group of `--help`, in which module, and what they do, in a line each.

The list is all that `entropilot --help` and a mistyped name need, so no module of a command is imported for them. A
test holds each line to the first paragraph of the command's own docstring.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import typer

PACKAGE: Final = "scenarios.cli"
"""Where the modules are; each has its commands on a `typer.Typer` named `app`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A command, as it is listed.

    Attributes:
        name: By which it is called.
        module: Of `PACKAGE`, that has it.
        about: What it does: the first paragraph of its docstring.
    """

    name: str
    module: str
    about: str


GROUPS: Final[Mapping[str, tuple[Listed, ...]]] = {
    "Begin": (
        Listed(
            "init",
            "init",
            "Write something of your own to start from, with comments; it works as it is.",
        ),
    ),
    "Run": (
        Listed("run", "run", "Run a scenario: broker, simulator and agent, all through MQTT on this machine."),
        Listed("agent", "run", "Run the agent alone, against a broker and a lab (or simulators) elsewhere."),
    ),
    "Look": (
        Listed(
            "list",
            "look",
            "Show the scenarios and recordings that come with Entropilot and what they are for, and the runs here.",
        ),
        Listed("report", "look", "Show a run again, from what it wrote: the summary, and where its files are."),
        Listed(
            "why",
            "look",
            "Explain one decision of a run, in words and as a figure, and ask whether it would be made again.",
        ),
        Listed(
            "diff",
            "look",
            "Tell two runs or recordings apart: settings, the first event and the first decision that differ, in "
            "words.",
        ),
        Listed(
            "watch",
            "watch",
            "Show runs as they go, in a browser: families, decisions, instruments, any moment of the past; and give "
            "orders.",
        ),
    ),
    "Replay": (
        Listed(
            "replay",
            "replay",
            "Judge a recording again: the same messages into the same rules, every decision made again and compared.",
        ),
        Listed(
            "what-if",
            "replay",
            "Tell what would have happened with another policy or other settings, from the same start.",
        ),
        Listed(
            "play",
            "replay",
            "Play the recorded lab on a real broker: a live agent asks, and the recording answers as the lab did.",
        ),
    ),
    "Study": (
        Listed(
            "compare",
            "study",
            "Compare policies on a scenario over seeds, from the same starts, without broker or lab.",
        ),
        Listed(
            "forecast",
            "study",
            "Tell what a budget can buy, before anything is spent: from the start set and the features alone.",
        ),
        Listed(
            "global-graph",
            "study",
            "Find the causal graph of all rows of a scenario whose values are known: what causal_reference is told.",
        ),
        Listed("pool", "study", "Make the pool of a scenario, say what is in it, and write it as a table."),
        Listed("trim", "tables", "Trim a table to a given size with the least bias and the least loss of entropy."),
        Listed(
            "graph",
            "tables",
            "Find the causal graph of a table's columns, with the probability of every edge, and draw it.",
        ),
    ),
    "Operate": (
        Listed(
            "control",
            "operate",
            "Ask something of a campaign that is at work, wait for what its agent says to it, and print that.",
        ),
        Listed(
            "status",
            "operate",
            "Show where every campaign of a broker stands, and who of its agent and instruments is there.",
        ),
        Listed(
            "alerts",
            "alerts",
            "Watch runs and tell a program or a webhook when one needs a person: each occurrence once, until it is "
            "taken.",
        ),
        Listed(
            "mcp",
            "assistants",
            "Let a language model read campaigns, and propose orders that a person gives or not (Model Context Protocol).",
        ),
        Listed(
            "proposals",
            "assistants",
            "Show the orders that language models propose; give one (approve) or not (reject).",
        ),
    ),
    "Lab": (
        Listed(
            "simulator", "lab", "Run a simulator alone: it evaluates what an agent asks for, until it is ended."
        ),
        Listed(
            "broker",
            "lab",
            "Run a broker alone, until it is ended: with names and passwords that the other commands find by "
            "themselves.",
        ),
        Listed(
            "shadow",
            "lab",
            "Stand beside a lab's campaign: decide and log what the policy would choose, publish nothing, compare.",
        ),
        Listed(
            "record",
            "lab",
            "Record any campaign on any broker, beside its agent and its lab: every message, publishing nothing.",
        ),
        Listed(
            "lab",
            "mapping",
            "Try how a lab's own messages are translated: one that it says, or one that it would get. Nothing is sent.",
        ),
        Listed("keys", "keys", "Make keys to sign messages with: a file for the agent, and one for each instrument "
               "and operator."),
        Listed(
            "doctor",
            "doctor",
            "Look whether a campaign would work here: this machine, the broker, its limits, and each right that is "
            "needed.",
        ),
    ),
    "Maintain": (
        Listed(
            "verify",
            "maintain",
            "Check a run: its journal against itself, its recording and the simulators' memories, and all that "
            "follows.",
        ),
        Listed(
            "pack",
            "maintain",
            "Pack scenario, tables and recording into one file that run, replay and verify take on any machine.",
        ),
        Listed(
            "export",
            "maintain",
            "Give a run out to other programs: dataset, trajectory, decisions and journal, with units, licence and "
            "provenance.",
        ),
        Listed(
            "backup",
            "maintain",
            "Back a campaign up while it works: journal and recording as they stood at one commit, sealed.",
        ),
        Listed(
            "restore",
            "maintain",
            "Make a run folder of a backup, checked byte for byte; `--resume`, `replay` and `verify` go on from there.",
        ),
        Listed("schema", "maintain", "Write the protocol's JSON Schemas and its AsyncAPI document."),
    ),
}  # fmt: skip
"""Title in `--help` -> its commands, in order."""


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name; what makes one is imported when it is first asked for.

    Args:
        groups: As of `GROUPS`.
    """

    def __init__(self, groups: Mapping[str, tuple[Listed, ...]] = GROUPS) -> None:
        self._listed = {each.name: (title, each) for title, commands in groups.items() for each in commands}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command.

        Raises:
            KeyError: When there is none of this name.
        """
        if name not in self._made:
            title, listed = self._listed[name]
            module = importlib.import_module(f"{PACKAGE}.{listed.module}")
            module.app.rich_markup_mode = None  # help stands as it is written
            made: Any = typer.main.get_group(module.app).commands[name]
            made.rich_help_panel = title
            self._made[name] = made
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._listed[name]
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)
