"""What people import: the public door. It holds no logic, and imports nothing of ours until it is asked to.

It only looks whether the packages beside it are ours, and lets Ctrl-C end the command line (`_safe_imports`). The
Python interface itself comes later; today `python -m entropilot` is the one door to the command line.
"""

import sys as _sys

from entropilot._safe_imports import leave_out_current_folder as _leave_out_current_folder
from entropilot._safe_imports import let_interrupts_end_it as _let_interrupts_end_it
from entropilot._safe_imports import require_siblings as _require_siblings

_let_interrupts_end_it()
_leave_out_current_folder(_sys.path, _sys.orig_argv, safe_path=_sys.flags.safe_path)
_require_siblings(__path__[0])
