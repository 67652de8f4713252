"""The site of the documents: gathers its pages, lets Zensical build it, and looks where its links lead.

python -m tests.support.documents.site             build it into build/site
python -m tests.support.documents.site FOLDER      … into another folder

The pages are those of `docs/` and the documents at the top of the repository (below `project/`), which link to each
other as files of the repository. What they link to besides (schemas, examples) is copied beside them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.support.documents.llms import whole_text
from tests.support.documents.markdown import ROOT
from tests.support.documents.site_links import problems_of

CONFIGURATION: Final = ROOT / "zensical.toml"

PROJECT: Final = ("README.md", "RELIABILITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md")
"""Documents at the top of the repository that are pages of the site."""

FILES: Final = "files"
"""Folder of the site with what the pages link to and what is no page."""

_LINK: Final = re.compile(r"(?P<before>\]\()(?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?(?=\))")
_FENCE: Final = re.compile(r"^```(?P<language>\w+) (?P<more>[^\n`]+)$", re.MULTILINE)
_FILE_NAME: Final = re.compile(r"[\w-]+\.\w+")
_LANGUAGE: Final = {"output": "text"}
"""Languages that only we know, and what they are shown as."""


def main() -> None:
    """Build the site, and end with an error when a link leads nowhere."""
    folder = Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "build"
    site, told = build(folder)
    print(told)
    problems = list(problems_of(site))
    if problems:
        sys.exit("\n".join(problems))
    print(f"{sum(1 for _ in site.rglob('*.html'))} pages in {site}; every link leads somewhere, and none is fetched")


def build(folder: Path) -> tuple[Path, str]:
    """Build the site below a folder.

    Returns:
        Its folder, and what Zensical said.

    Raises:
        RuntimeError: When Zensical finds something wrong, with what it said.
    """
    pages, site, configuration = folder / "documents", folder / "site", folder / "zensical.toml"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    gather(pages)
    text = CONFIGURATION.read_text(encoding="utf-8")
    configuration.write_text(text.replace('"build/documents"', '"documents"').replace('"build/site"', '"site"'))
    program = Path(sys.executable).with_name("zensical")
    command = [str(program)] if program.exists() else [sys.executable, "-m", "zensical"]
    ended = subprocess.run(
        [*command, "build", "--strict", "--clean", "-f", str(configuration)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    for source in pages.rglob("*.md"):  # for language models, to which llms.txt names these
        _copy(source, site / source.relative_to(pages))
    told = re.sub(r"\x1b\[[\d;]*m", "", ended.stdout + ended.stderr)
    if ended.returncode:
        raise RuntimeError(told)
    return site, told.strip()


def gather(pages: Path) -> None:
    """Copy every page into a folder, its links pointing to where their targets are on the site."""
    places = page_places()
    for source in sorted((ROOT / "docs").rglob("*")):
        if source.is_file() and source.suffix != ".md":
            _copy(source, pages / source.relative_to(ROOT / "docs"))
    wanted: dict[Path, Path] = {}
    for source, place in places.items():
        text = _shown(_with_links(source.read_text(encoding="utf-8"), source, place, places, wanted))
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        (pages / place).write_text(text, encoding="utf-8")
    for source, place in wanted.items():
        _copy(source, pages / place)
    (pages / "llms-full.txt").write_text(whole_text(), encoding="utf-8")


def page_places() -> dict[Path, Path]:
    """Return where on the site each document is, by its file."""
    ours = {path: path.relative_to(ROOT / "docs") for path in sorted((ROOT / "docs").rglob("*.md"))}
    return ours | {ROOT / name: Path("project") / name for name in PROJECT}


def pages_of_navigation() -> list[str]:
    """Return the pages that the navigation names, in its order."""
    with CONFIGURATION.open("rb") as file:
        return list(_pages_in(tomllib.load(file)["project"]["nav"]))


def _pages_in(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from _pages_in(each)


def _with_links(text: str, source: Path, place: Path, places: dict[Path, Path], wanted: dict[Path, Path]) -> str:
    def moved(link: re.Match[str]) -> str:
        target = (source.parent / link["path"]).resolve()
        if not target.exists():
            return link[0]
        return link["before"] + _relative(_place_of(target, places, wanted), place) + (link["anchor"] or "")

    return _LINK.sub(moved, text)


def _place_of(target: Path, places: dict[Path, Path], wanted: dict[Path, Path]) -> Path:
    """Return where the target of a link is on the site, and note it when it must be copied there."""
    if target.is_dir():
        readme = target / "README.md"
        if readme in places:
            return places[readme]
        target = next(iter(sorted(target.glob("asyncapi.*"))), next(iter(sorted(target.iterdir()))))
    if target in places:
        return places[target]
    if target.is_relative_to(ROOT / "docs"):
        return target.relative_to(ROOT / "docs")
    wanted[target] = Path(FILES) / target.relative_to(ROOT)
    return wanted[target]


def _relative(target: Path, page: Path) -> str:
    return "../" * (len(page.parts) - 1) + target.as_posix()


def _shown(text: str) -> str:
    """Return a page with its fenced blocks as Zensical shows them: a language, and the name of the file that it is."""

    def fence(match: re.Match[str]) -> str:
        language = _LANGUAGE.get(match["language"], match["language"])
        named = f' title="{match["more"]}"' if _FILE_NAME.fullmatch(match["more"]) else ""
        return f"``` {language}{named}" if named else f"```{language}"

    text = re.sub(r"^```output$", "```text", text, flags=re.MULTILINE)
    return _FENCE.sub(fence, text)


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)


if __name__ == "__main__":
    main()
