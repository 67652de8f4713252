"""A wall clock that a test sets forward and back while real processes run; the monotonic clock stays."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("wall_clock.c")

FAKETIME_PLACES: Final = ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")


class WallClock:
    """Shifts the wall clock of the processes that are started with `env`.

    Args:
        folder: For the library and its file.

    Raises:
        FileNotFoundError: When there is no C compiler.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise FileNotFoundError("no C compiler")
        library = folder / "wall_clock.so"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
        self._file = folder / "wall_clock.shift"
        self._file.write_bytes(struct.pack("d", 0.0))
        self.env: Mapping[str, str] = {"LD_PRELOAD": str(library), "WALL_CLOCK_SHIFT": str(self._file)}

    def jump(self, seconds: float) -> None:
        """Set the clock so far from the true time [s]; 0 sets it right."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("d", seconds))


class FakeTime:
    """The same by libfaketime, whose code is not ours.

    Args:
        folder: For its file.

    Raises:
        FileNotFoundError: When it is not installed.
    """

    def __init__(self, folder: Path) -> None:
        found = [each for place in FAKETIME_PLACES for each in Path(place).glob("**/libfaketimeMT.so.1")]
        if not found:
            raise FileNotFoundError("libfaketime is not installed")
        self._file = folder / "faketime"
        self._file.write_text("+0")
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
        }

    def jump(self, seconds: float) -> None:
        """Set the clock so far from the true time [s]."""
        self._file.write_text(f"{seconds:+.0f}")
