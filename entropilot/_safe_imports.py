"""Before anything of ours is imported: the current folder is left out, and our packages are where they should be.

Only `sys`, `os`, `importlib` and the signals built into Python are used, which it has loaded by then: another module
could be one of the folder.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # built in, like `sys`
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec

SIBLINGS = ("agent", "protocols", "scenarios", "simulators")
"""The packages beside this one; their names are common words, which another package may use too."""

COMMAND = "entropilot"

EXIT_CODE = 2
"""As for a wrong setting (`protocols.errors.SettingsError`, which may be the one that is hidden)."""


class HiddenPackageError(ImportError):
    """Another package is found under the name of one of ours; the text says which, and what to do."""


def leave_out_current_folder(path: list[str], command: list[str], *, safe_path: bool) -> None:
    """Take the current folder from the path when this is `python -m entropilot`: what lies there is not ours.

    Python puts it first, before anything else. A folder that PYTHONPATH names stays.

    Args:
        path: `sys.path`.
        command: `sys.orig_argv`.
        safe_path: Whether Python was started with -P, and has not put it there.
    """
    if _runs_our_module(command) and not safe_path and path:
        del path[0]


def let_interrupts_end_it() -> None:
    """Let Ctrl-C end the command line at once while it is imported: Python would print where it was.

    Its commands take it over (`scenarios.display.terminal`). In every other program that imports us it stays as it is.
    """
    if _is_our_command() and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def require_siblings(package: str) -> None:
    """Check that our packages lie beside each other.

    Args:
        package: The folder of the package `entropilot`.

    Raises:
        HiddenPackageError: For the first one that does not.
        SystemExit: Instead, where this process is the command line.
    """
    beside = os.path.dirname(os.path.abspath(package))  # noqa: PTH100, PTH120 - pathlib is not loaded yet
    for name in SIBLINGS:
        place = _place_of(name)
        if place is None or not _is_same(os.path.dirname(place), beside):  # noqa: PTH120 - the same
            _refuse(_complaint(name, place, os.path.join(beside, name)))  # noqa: PTH118 - the same


def _place_of(name: str) -> str | None:
    """Return the file or folder that a name is found at, without importing it; None where there is none."""
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    return folders[0] if folders else spec.origin


def _is_same(folder: str, other: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(other)


def _complaint(name: str, place: str | None, wanted: str) -> str:
    found = f"another package hides it: {place}" if place else "it is not there"
    advice = (
        "rename or uninstall the other one, or install Entropilot in a virtual environment of its own"
        if place
        else "install Entropilot again (pip install --force-reinstall entropilot)"
    )
    return f"Entropilot's package {name!r} cannot be used: {found}. Expected: {wanted}. What to do: {advice}."


def _refuse(complaint: str) -> None:
    if _is_our_command():
        sys.stderr.write(f"error: {complaint}\n")
        raise SystemExit(EXIT_CODE)
    raise HiddenPackageError(complaint)


def _is_our_command() -> bool:
    """Tell whether this process is the command line, however it was started."""
    program = os.path.basename(sys.argv[0] if sys.argv else "")  # noqa: PTH119 - pathlib is not loaded yet
    return _runs_our_module(sys.orig_argv) or program.startswith(COMMAND)


def _runs_our_module(command: list[str]) -> bool:
    """Tell `python -m entropilot` from every other program that imports us."""
    after = command[command.index("-m") + 1 :] if "-m" in command else []
    return after[:1] == [COMMAND]
