"""What people import: the public door. It holds no logic, and imports nothing of ours until it is asked to.

    import entropilot

    run = entropilot.run("emt_alloys", budget=20)
    run.trajectory, run.dataset, run.decisions    # data frames
    run.why(3)                                    # why, in words and as a picture

It looks whether the packages beside it are ours, and lets Ctrl-C end the command line (`_safe_imports`); a name of the
interface is imported when it is first used.
"""

import importlib as _importlib
import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING

from entropilot._safe_imports import leave_out_current_folder as _leave_out_current_folder
from entropilot._safe_imports import let_interrupts_end_it as _let_interrupts_end_it
from entropilot._safe_imports import require_siblings as _require_siblings

_let_interrupts_end_it()
_leave_out_current_folder(_sys.path, _sys.orig_argv, safe_path=_sys.flags.safe_path)
_require_siblings(__path__[0])

if _TYPE_CHECKING:
    from agent.acquisition.base import Policy
    from protocols.errors import EntropilotError
    from scenarios.python.adapters.bluesky import BlueskyOptimizer
    from scenarios.python.ask_tell import Campaign
    from scenarios.python.campaigns import aresume, arun, open_run, resume, run
    from scenarios.python.finished import Run
    from scenarios.python.scenario import Scenario
    from scenarios.python.studies import acompare, areplay, compare, replay, trim, what_if
    from simulators.evaluator import Evaluator

_PLACES = {
    "BlueskyOptimizer": "scenarios.python.adapters.bluesky",
    "Campaign": "scenarios.python.ask_tell",
    "EntropilotError": "protocols.errors",
    "Evaluator": "simulators.evaluator",
    "Policy": "agent.acquisition.base",
    "Run": "scenarios.python.finished",
    "Scenario": "scenarios.python.scenario",
    "acompare": "scenarios.python.studies",
    "areplay": "scenarios.python.studies",
    "aresume": "scenarios.python.campaigns",
    "arun": "scenarios.python.campaigns",
    "compare": "scenarios.python.studies",
    "open_run": "scenarios.python.campaigns",
    "replay": "scenarios.python.studies",
    "resume": "scenarios.python.campaigns",
    "run": "scenarios.python.campaigns",
    "trim": "scenarios.python.studies",
    "what_if": "scenarios.python.studies",
}

__all__ = [
    "BlueskyOptimizer",
    "Campaign",
    "EntropilotError",
    "Evaluator",
    "Policy",
    "Run",
    "Scenario",
    "acompare",
    "areplay",
    "aresume",
    "arun",
    "compare",
    "open_run",
    "replay",
    "resume",
    "run",
    "trim",
    "what_if",
]


def __getattr__(name: str) -> object:
    """Import a name of the interface."""
    if name == "__version__":
        return _importlib.import_module("importlib.metadata").version("entropilot")
    if name not in _PLACES:
        raise AttributeError(f"module 'entropilot' has no attribute {name!r}; it has {', '.join(__all__)}")
    found: object = getattr(_importlib.import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of the interface."""
    return [*__all__, "__version__"]
