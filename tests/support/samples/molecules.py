"""Molecules that tests measure, and what a test needs of the machine to do so."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from protocols.extras import EXTRA_OF, is_installed


def _needs(*packages: str) -> pytest.MarkDecorator:
    lacking = [package for package in packages if not is_installed(package)]
    extras = ",".join(sorted({EXTRA_OF[package] for package in lacking}))
    reason = f"{' and '.join(lacking)} not installed: pip install 'entropilot[{extras}]'"
    return pytest.mark.skipif(bool(lacking), reason=reason)


needs_rdkit: Final = _needs("rdkit")
needs_xtb: Final = _needs("rdkit", "tblite")
needs_dft: Final = _needs("rdkit", "tblite", "pyscf")


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let packages be as if they were not installed."""
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)
