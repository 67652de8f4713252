"""What the system lets this process have: enough of it is asked for before anything begins, and a lack is named."""

from __future__ import annotations

import errno
import sys
from typing import Final

from protocols.errors import EntropilotError

FEWEST_FILES: Final = 64
"""Files that a command may open at least: a run with its broker, databases, links and children has some thirty."""

LACKS: Final = {
    errno.EMFILE: ("may open no more files", "ulimit -n 256"),
    errno.ENFILE: ("may open no more files, for the whole machine has too many open", "end other programs"),
    errno.EAGAIN: ("may start no more processes or threads", "ulimit -u 256"),
    errno.ENOMEM: ("gets no more memory", "ulimit -v unlimited"),
}
"""Numbers of the system's errors -> what is lacking, and what to do about it."""


class SystemLimitError(EntropilotError):
    """The system gives this process too little of something."""

    exit_code = 71
    """EX_OSERR of sysexits.h."""


def require_enough_files() -> None:
    """Raise the number of files that this process may open where it is too low and that is allowed.

    Raises:
        SystemLimitError: Where it is not.
    """
    if sys.platform == "win32":  # pragma: no cover - no such limit there
        return
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= FEWEST_FILES:
        return
    if most == resource.RLIM_INFINITY or most >= FEWEST_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FEWEST_FILES, most))
        return
    raise SystemLimitError(
        f"This process may open {most} files at most",
        expected=f"{FEWEST_FILES} or more",
        action="raise the limit (ulimit -n 256, or LimitNOFILE= of its service), then run it again",
    )


def lack_of(error: BaseException) -> SystemLimitError | None:
    """Return an error as the lack of something that the system gives; None where it is another."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    if number not in LACKS or not isinstance(error, OSError | MemoryError):
        return None
    found, advice = LACKS[number]
    return SystemLimitError(
        f"This process {found} ({getattr(error, 'strerror', None) or 'no memory'})",
        expected="a machine and limits (`ulimit -a`) that leave it some",
        action=f"raise the limit ({advice}) or free some, then run it again (with --resume if it had begun)",
    )
