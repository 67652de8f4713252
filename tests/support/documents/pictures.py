"""Makes the pictures of the tutorials, by what these type: a figure of a run, and the page in a headless Chromium.

python -m tests.support.documents.pictures             write them into docs/pictures
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np
from PIL import Image

from tests.support.documents.markdown import ROOT
from tests.support.documents.tutorial import environment
from tests.support.processes import kill_session

FOLDER: Final = ROOT / "docs" / "pictures"

RUN: Final = ("run", "oracle_table", "--budget", "24", "--quiet")
"""What the first lesson types."""

FIGURE: Final = "tutorial-first-run.png"

SCREENS: Final = {
    "page-campaign.png": "run/oracle_table",
    "page-past.png": "run/oracle_table/at/4",
}
"""Picture of the page -> the state that it shows, behind the `#` of its address."""

AFTER: Final = {"page-campaign.png": "Last decision", "page-past.png": "as it stood after observation"}
"""What stands on the page when its state is shown."""

SETTLED_MS: Final = 1_500
"""Lines are drawn some frames after their values are there [ms]."""

SIZE: Final = (1280, 900)
"""Of the window [pixel]."""

GRID: Final = (48, 36)
"""To how many fields a picture is shrunk before it is compared."""

TOLERANCE: Final = 4.0
"""By how much two pictures of one kind may differ in the mean over these fields, of 255: figures and times
differ. One that was made again differs by less than 1, an empty one by 11."""

DRAWN_WITHIN_MS: Final = 60_000


def make_figure(folder: Path, to: Path) -> None:
    """Run the campaign of the first lesson in a folder, and copy its figure."""
    subprocess.run([*_entropilot(), *RUN], cwd=folder, env=environment(), check=True, capture_output=True)
    shutil.copyfile(folder / "runs" / "oracle_table" / "bias.png", to)


def make_screens(folder: Path, to: Path, chromium: str) -> None:
    """Take the pictures of the page of a run.

    Args:
        folder: Where its `runs` are.
        to: The folder of the pictures.
        chromium: The browser's program.
    """
    from playwright.sync_api import sync_playwright

    with _page(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        tab.goto(address)
        for name, state in SCREENS.items():
            tab.evaluate("state => { location.hash = state }", state)
            tab.get_by_role("heading", name="Families, poorest first").wait_for(timeout=DRAWN_WITHIN_MS)
            tab.get_by_text(AFTER[name]).first.wait_for(timeout=DRAWN_WITHIN_MS)
            tab.wait_for_timeout(SETTLED_MS)
            tab.screenshot(path=to / name)
        browser.close()


def difference(one: Path, other: Path) -> float:
    """Return by how much two pictures differ in kind [of 255]: the mean over the fields of a coarse grid.

    Pictures of another shape are as different as can be.
    """
    with Image.open(one) as first, Image.open(other) as second:
        if first.size != second.size:
            return 255.0
        fields = [np.asarray(each.convert("L").resize(GRID), dtype=float) for each in (first, second)]
    return float(np.abs(fields[0] - fields[1]).mean())


@contextmanager
def _page(folder: Path) -> Iterator[str]:
    """Serve the page of the runs in a folder; yields its address."""
    process = subprocess.Popen(
        [*_entropilot(), "watch", "--port", "0", "--no-browser"],
        cwd=folder,
        env=environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield _address(process.stdout)
    finally:
        kill_session(process.pid)
        process.communicate()


def _address(said: IO[str] | None) -> str:
    assert said is not None
    for line in said:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError("the page does not say where it is")


def _entropilot() -> list[str]:
    return [sys.executable, "-m", "entropilot"]


def main() -> None:
    """Write all of them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium here. What to do: install it (Debian's package chromium)")
    with tempfile.TemporaryDirectory() as folder:
        make_figure(Path(folder), FOLDER / FIGURE)
        make_screens(Path(folder), FOLDER, chromium)
    print("\n".join(f"docs/pictures/{name}" for name in (FIGURE, *SCREENS)))


if __name__ == "__main__":
    main()
