"""Runs a Python program with `powercut.c` under it, and returns the recording of what it did to a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("powercut.c")
REPOSITORY: Final = Path(__file__).resolve().parents[3]
RUN_TIMEOUT_S: Final = 300.0
"""A recorded campaign takes some seconds."""


def missing_tool() -> str:
    """Return what is missing on this machine to record anything, or nothing."""
    if not sys.platform.startswith("linux"):
        return "the recorder needs Linux"
    return "" if shutil.which("cc") else "the recorder needs a C compiler"


def build_recorder(folder: Path) -> Path:
    """Compile the library."""
    library = folder / "powercut.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True)
    return library


def record(library: Path, root: Path, recording: Path, *arguments: str) -> int:
    """Run `python ARGUMENTS` and append to the recording; return its exit status.

    Args:
        library: Of `build_recorder`.
        root: The folder whose files are recorded; it exists.
        recording: Continued when it exists, as a machine goes on that was not switched off.
        arguments: Of Python. The program finds in `POWERCUT_MARKS` where to write what the world has seen.
    """
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "POWERCUT_ROOT": str(root.resolve()),
        "POWERCUT_LOG": str(recording),
        "POWERCUT_MARKS": str(recording.resolve().with_suffix(".marks")),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, timeout=RUN_TIMEOUT_S, check=False).returncode
