"""The golden recordings: each scenario of the library as it ran once, with arithmetic that every x86-64 machine has.

python -m tests.support.goldens [NAME …]    record them again (say in DECISIONS.md why a decision changed)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from protocols.recording.seal import compress_recording
from scenarios.settings.library import LIBRARY, RECORDED, library_scenarios

GOLDENS: Final = LIBRARY / "recordings"

PINNED: Final = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
"""Kernels of 2013, which every later x86-64 processor has too. Those for wider vectors sum in another order; a fit then
ends elsewhere in its last bits, and one choice in a hundred is another."""


def pinned_environment() -> dict[str, str]:
    """Return this process's environment, with the arithmetic pinned for children of ours and theirs."""
    return os.environ | PINNED


def record(name: str) -> Path:
    """Run a scenario of the library and keep its recording; return the file."""
    GOLDENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "entropilot", "run", name, "--quiet", "--runs", folder]
        subprocess.run(command, check=True, env=pinned_environment())
        target = GOLDENS / f"{name}{RECORDED}"
        compress_recording(Path(folder) / name / "recording.jsonl", target)
    return target


if __name__ == "__main__":
    for wanted in sys.argv[1:] or library_scenarios():
        print(record(wanted), flush=True)
