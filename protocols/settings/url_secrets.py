"""What may be shown of a URL that may hold a password. No parser is asked: the one that refuses it may have misread it.

Only a URL of the strict form is shown but for its password. Of anything else all before the last `@` is hidden, for a
password may hold `/`, `#`, `?`, `:`, `@` and blanks, and a colon or a slash may be missing before it.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "…"
"""What stands for what is hidden."""

_PLAIN: Final = re.compile(
    r"[\w.+-]*|([A-Za-z][A-Za-z0-9+.-]*://)?([\w.-]*|\[[0-9A-Fa-f:.]*\])(:-?\d*)?(/[\w./%~+-]*)?"
)
"""A word, or an address without user name."""

_STRICT: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([\w.~%+-]*)(:[^\s/#?@:]*)?@(?P<rest>[^@\s]*)")
"""A URL with a user name, of which nothing can be taken for another part than it is."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:?/+")
_CLEAR: Final = re.compile(r"[\w.:\[\]/%~+-]*")
_NAME: Final = re.compile(r"[\w.-]*")


def without_password(text: str) -> str:
    """Return a text that should be a URL, as it may be shown."""
    if _PLAIN.fullmatch(text):
        return text
    found = _STRICT.fullmatch(text)
    if found is not None and _PLAIN.fullmatch(found["rest"]):
        scheme, user, password, rest = found.groups()
        return f"{scheme}{user}{f':{HIDDEN}' if password else ''}@{rest}"
    scheme = matched[0] if (matched := _SCHEME.match(text)) else ""
    _, at, after = text[len(scheme) :].rpartition("@")
    if at:
        return f"{scheme}{HIDDEN}@{_beginning(_CLEAR, after)}"
    return scheme + _beginning(_NAME, after)


def holds_password(text: str) -> bool:
    """Tell whether a text that should be a URL may hold a password: something stands between a colon and an `@`."""
    scheme = matched[0] if (matched := _SCHEME.match(text)) else ""
    before, at, _ = text[len(scheme) :].rpartition("@")
    return bool(at) and ":" in before


def _beginning(pattern: re.Pattern[str], text: str) -> str:
    """Return what of a text may be shown, and a sign for the rest."""
    found = pattern.match(text)
    shown = found[0] if found else ""
    return shown if shown == text else shown + HIDDEN
