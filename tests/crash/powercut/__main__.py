"""Explore what a disk may hold after a power cut; `--help` says how."""

from __future__ import annotations

import sys

from tests.crash.powercut.explorer import main

if __name__ == "__main__":
    sys.exit(main())
