"""A tutorial, followed as a reader would: files are saved, commands typed in one shell, Python run in one session.

| block | what is done with it |
|---|---|
| with a file's name (`# lab.toml` in its first line, or `csv table.csv`) | saved |
| `sh` | typed line by line; each must end with 0 |
| `bash` | typed as it stands, all of it in one shell; it must end with 0 |
| `sh beside WORDS` | typed in another terminal; it goes on when it has said these words, until the tutorial ends |
| `console` | the lines behind `$` are typed, and what stands below must be what it prints (`transcript`) |
| `python` | run in one session; it must not fail |
| `output` | what the last Python block must have printed |
| anything else | only shown |

What a command says on standard error counts where it fails. One that is to end with an error says so:
`$ entropilot … # exit code 2`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from scenarios.broker.mosquitto import MOSQUITTO_FOLDERS
from tests.support.commands import clean_environment
from tests.support.documents.markdown import ROOT, Block, Document
from tests.support.documents.transcript import difference
from tests.support.forked.command import Forked, fork
from tests.support.processes import kill_session

PATIENCE_S: Final = 120.0
"""How long a command or a block may take on a loaded machine before the tutorial is said to hang."""

MOST_SHOWN: Final = 8_000
"""How much of what a command printed is told when it is not what a tutorial shows [character]."""

POLL_S: Final = 0.05
"""How often is looked whether a program in another terminal has said what it is to say."""

SIGNALLED: Final = 128
"""What a shell adds to the number of the signal that ended a command."""

_OURS_ALONE: Final = re.compile(r"entropilot [^|&;<>$`*]*")
"""A command of ours without anything of the shell: it is run in a fork (`tests.support.forked`), which is sooner."""

_EXIT_CODE: Final = re.compile(r"\s+# exit code (\d+)$")

SESSION: Final = """
import json, sys
space = {"__name__": "__main__"}
for line in sys.stdin:
    code = json.loads(line)
    exec(compile(code, "<tutorial>", "exec"), space)
    print("\\x00", flush=True)
"""
"""A session of Python: a block a line in, what it prints and a mark out."""


@dataclass(frozen=True, slots=True)
class Command:
    """A line that is typed, and what it must print; None where nothing is shown."""

    line: str
    shown: tuple[str, ...] | None
    code: int


def tutorials() -> list[Document]:
    """Return every tutorial, in the order of the ladder."""
    return [Document(path) for path in sorted((ROOT / "docs" / "tutorials").glob("[0-9]-*.md"))]


def commands_of(block: Block) -> Iterator[Command]:
    """Yield what is typed of a block, lines that end in a backslash joined."""
    lines = re.sub(r"\\\n\s*", "", block.body).splitlines()
    if block.language == "sh":
        yield from (_command(line, None) for line in lines if line.strip() and not line.startswith("#"))
        return
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _command(lines[start][2:], tuple(lines[start + 1 : end]))


def _command(line: str, shown: tuple[str, ...] | None) -> Command:
    said = _EXIT_CODE.search(line)
    return Command(_EXIT_CODE.sub("", line), shown, int(said[1]) if said else 0)


@dataclass
class Reader:
    """Who follows a tutorial in an empty folder.

    Attributes:
        folder: Where the commands are typed.
        instead: Words of the tutorial and what is typed in their place, such as ports that are free.
    """

    folder: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    _started: list[subprocess.Popen[str]] = field(default_factory=list)
    _session: subprocess.Popen[str] | None = None
    _printed: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            kill_session(process.pid)
            process.wait(PATIENCE_S)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def follow(self, document: Document) -> None:
        """Do what a tutorial says, from top to bottom.

        Raises:
            AssertionError: When something does not do what the tutorial says.
        """
        for block in document.blocks():
            self._do(Block(block.info, self._with_own_words(block.body)))

    def _with_own_words(self, body: str) -> str:
        for words, other in self.instead.items():
            body = body.replace(words, other)
        return body

    def _do(self, block: Block) -> None:
        if block.file_name:
            (self.folder / block.file_name).write_text(block.body, encoding="utf-8")
        elif block.info.startswith("sh beside"):
            for command in commands_of(block):
                self._type_beside(command, block.info.removeprefix("sh beside").strip())
        elif block.language == "bash":
            self._type(Command(block.body, None, 0))
        elif block.language in {"sh", "console"}:
            for command in commands_of(block):
                self._type(command)
        elif block.language == "python":
            self._run_python(block.body)
        elif block.language == "output":
            told = difference(block.body.splitlines(), self._printed)
            assert not told, f"{told}; Python printed:\n" + "\n".join(self._printed)

    def _type(self, command: Command) -> None:
        out, err = self.folder / ".out", self.folder / ".err"
        process: subprocess.Popen[str] | Forked
        if _OURS_ALONE.fullmatch(command.line):
            words = shlex.split(command.line)[1:]
            process = fork(words, folder=self.folder, env=environment(), out=out, err=err)
        else:
            with out.open("w", encoding="utf-8") as said, err.open("w", encoding="utf-8") as told:
                process = self._start(["bash", "-c", command.line], said, told)
        try:
            code = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            kill_session(process.pid)
            process.wait(PATIENCE_S)
            raise AssertionError(f"{command.line}: it hangs") from None
        code = code if code >= 0 else SIGNALLED - code  # as a shell tells of a signal
        printed, errors = (each.read_text(encoding="utf-8", errors="replace") for each in (out, err))
        assert code == command.code, f"{command.line}: it ended with {code}:\n{_end_of(printed + errors)}"
        if command.shown is not None:
            printed += errors if code else ""  # of one that ends well it is only how far it is
            missing = difference(command.shown, printed.splitlines())
            assert not missing, f"{command.line}: {missing}; it printed:\n{_end_of(printed)}"

    def _type_beside(self, command: Command, words: str) -> None:
        path = self.folder / f".beside-{len(self._started)}"
        with path.open("w", encoding="utf-8") as said:
            process = self._start(["bash", "-c", f"exec {command.line}"], said)
        deadline = time.monotonic() + PATIENCE_S
        while words not in path.read_text(encoding="utf-8", errors="replace"):
            assert process.poll() is None, f"{command.line}: it ended: {path.read_text()}"
            assert time.monotonic() < deadline, f"{command.line}: it does not say {words!r}: {path.read_text()}"
            time.sleep(POLL_S)

    def _run_python(self, code: str) -> None:
        if self._session is None:
            self._session = self._start([sys.executable, "-u", "-c", SESSION], None)
        assert self._session.stdin is not None
        assert self._session.stdout is not None
        self._session.stdin.write(json.dumps(code) + "\n")
        self._session.stdin.flush()
        self._printed = []
        for line in self._session.stdout:
            if line.startswith("\0"):
                return
            self._printed.append(line.rstrip("\n"))
        raise AssertionError(f"{code}\nended the session:\n" + "\n".join(self._printed))

    def _start(self, command: list[str], out: IO[str] | None, err: IO[str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment(),
            text=True,
            stdin=subprocess.DEVNULL if out else subprocess.PIPE,
            stdout=out or subprocess.PIPE,
            stderr=err or subprocess.STDOUT,
            start_new_session=True,
        )
        self._started.append(process)
        return process


def _end_of(printed: str) -> str:
    return printed[-MOST_SHOWN:]


def environment() -> dict[str, str]:
    """Return the environment of a reader who has installed Entropilot and Mosquitto, on a screen of 80 columns."""
    places = (Path(sys.executable).parent, os.environ["PATH"], *MOSQUITTO_FOLDERS)
    return clean_environment() | {"PATH": os.pathsep.join(map(str, places)), "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
