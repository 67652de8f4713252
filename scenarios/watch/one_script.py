"""The modules of the page as one script, for a file that may ask nobody for another.

They are written so that this is all it takes: a line for each module that is imported, names in braces, and `export`
before functions, classes and constants alone.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

ENTRY: Final = "main.js"
"""The module that starts the page."""

_IMPORT: Final = re.compile(r'^import \{ ([^}]*) \} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def one_script() -> str:
    """Return the modules of the page as one script: each a function, behind those that it imports."""
    ordered: dict[str, str] = {}
    _place(ENTRY, ordered)
    parts = ['"use strict";', "(() => {", "const modules = {};", *ordered.values(), "})();"]
    return "\n".join(parts).replace("</script", "<\\/script")


def _place(name: str, ordered: dict[str, str]) -> None:
    """Put a module, behind those that it imports."""
    if name in ordered:
        return
    text = (files("scenarios.watch") / "page" / "js" / name).read_text()
    for _, other in _IMPORT.findall(text):
        _place(other, ordered)
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(r'const { \1 } = modules["\2"];' + "\n", text))
    ordered[name] = f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();'
