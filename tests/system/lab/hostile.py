"""A calculator that does, to some elements, all that calculators do to a lab. Copper it calculates as it should.

It is a file of a user's own: `hostile.py:make`, which the simulator's side must allow.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ase import Atoms
from ase.calculators.calculator import all_changes
from ase.calculators.lj import LennardJones

PROGRAM = "import time; time.sleep(300)"


class Strange(BaseException):
    """No Exception, and it cannot be told."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no words")


class Wordless(Exception):
    """An Exception that cannot be told."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no words")


def _loop() -> NoReturn:
    """Never come back, and never let another thread of Python run."""
    re.match(r"(a+)+$", "a" * 60 + "b")
    raise AssertionError


def _start_and_loop() -> None:
    subprocess.Popen([sys.executable, "-c", PROGRAM])
    _loop()


def _daemon() -> None:
    """A program that leaves session, group and parent, and does not hear SIGTERM."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
        os._exit(0)
    os.wait()


def _daemon_and_loop() -> None:
    _daemon()
    _loop()


def _daemon_and_crash() -> None:
    _daemon()
    _segfault()


def _copy_and_crash() -> None:
    """Leave a copy behind that holds every open file, the pipe of the answers among them."""
    if os.fork() == 0:
        time.sleep(300)
        os._exit(0)
    _segfault()


def _fork_often() -> None:
    for _ in range(40):
        if os.fork() == 0:
            time.sleep(300)
            os._exit(0)
    _loop()


def _segfault() -> NoReturn:
    ctypes.string_at(0)
    raise AssertionError


def _raise(error: BaseException) -> NoReturn:
    raise error


def _eat() -> NoReturn:
    kept = []
    while True:
        kept.append(bytearray(64 << 20))


def _print() -> None:
    print("SCF cycle " * 10_000, flush=True)
    os.write(1, b"\x00\x00\x00\x00\x00\x00\x00\x05wrong")
    sys.__stdout__.write("and more\n") if sys.__stdout__ else None
    subprocess.run(["echo", "a program prints too"], check=True)


def _read() -> None:
    """Read what there is to read: the frames of the simulator are not for it, nor for a program of its own."""
    assert sys.stdin.read() == ""
    assert subprocess.run(["cat"], capture_output=True, check=True).stdout == b""


_COPIED: list[int] = []


def _both_come_back() -> None:
    """Fork once in this process and its copies: a relaxation comes here often, and forks of forks would never end."""
    if not _COPIED:
        _COPIED.append(os.getpid())
        os.fork()


MISDEEDS: dict[str, Callable[[], Any]] = {
    "H": _loop,
    "He": _start_and_loop,
    "Li": _daemon_and_loop,
    "Be": _daemon_and_crash,
    "B": _copy_and_crash,
    "C": _fork_often,
    "N": _segfault,
    "O": lambda: _raise(ZeroDivisionError("in Gaul")),
    "F": lambda: _raise(Strange()),
    "Ne": lambda: _raise(Wordless()),
    "Na": lambda: _raise(KeyboardInterrupt()),
    "Mg": lambda: sys.exit(0),
    "Al": _eat,
    "Si": lambda: os.closerange(3, 64),
    "P": lambda: os.closerange(0, 64),
    "S": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "Cl": lambda: os._exit(0),
    "K": _print,
    "Ca": _read,
    "Sc": _both_come_back,
}
"""Element -> what is done before it is calculated."""

ANSWERS: dict[str, object] = {
    "Ti": float("nan"),
    "V": float("inf"),
    "Cr": "7 eV",
    "Mn": None,
    "Fe": 1e300,
    "Co": [1.0, 2.0],
}
"""Element -> what is given for its energy."""


class Hostile(LennardJones):  # type: ignore[misc]  # ASE has no types
    """Lennard-Jones, but for what it does before."""

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = None, system_changes: Sequence[str] = all_changes
    ) -> None:
        """Do the misdeed of the first element, then calculate."""
        assert atoms is not None
        symbol = atoms.get_chemical_symbols()[0]
        MISDEEDS.get(symbol, lambda: None)()
        super().calculate(atoms, properties or ["energy"], system_changes)
        with contextlib.suppress(KeyError):
            self.results["energy"] = ANSWERS[symbol]


def make() -> Hostile:
    """Return the calculator, of the length of a metal's bond."""
    return Hostile(epsilon=0.4, sigma=2.35, rc=7.0, smooth=True)
