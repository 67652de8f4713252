"""The page of the first device shows a client that is as short as it says; the tutorials' test follows the page."""

from __future__ import annotations

from tests.system.bridges.page import file_of, page

PAGE = page("../tutorials/7-a-real-instrument.md")
MOST_LINES = 40


def test_the_device_client_has_forty_lines() -> None:
    written = [line for line in file_of(PAGE, "device.py").splitlines() if line and not line.startswith("#")]
    assert len(written) <= MOST_LINES
