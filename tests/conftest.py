"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", settings.default, deadline=None)  # machines are shared: no test is timed
settings.load_profile("patient")
