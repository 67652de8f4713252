"""The site of the documents: it builds without a warning, each page is in its navigation, and it fetches nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.support.documents.markdown import ROOT
from tests.support.documents.site import build, page_places, pages_of_navigation
from tests.support.documents.site_links import problems_of

pytestmark = pytest.mark.system


def test_the_site_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="the site is built with what the extra dev brings")
    site, told = build(tmp_path)
    assert "No issues found" in told
    assert not list(problems_of(site))
    assert (site / "tutorials" / "1-first-run.html").is_file()
    assert (site / "llms.txt").is_file()


def test_every_page_stands_once_in_the_navigation() -> None:
    listed = pages_of_navigation()
    assert sorted(listed) == sorted(place.as_posix() for place in page_places().values())


def test_a_link_that_leads_nowhere_and_a_foreign_script_are_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1><a href="gone.html">a</a><a href="#nowhere">b</a><a href="#top">c</a>'
        '<script src="https://cdn.example/x.js"></script><link rel="stylesheet" href="//fonts.example/f.css">'
        '<pre class="mermaid">a</pre><a href="https://example.org">d</a>'
    )
    (tmp_path / "style.css").write_text("@import 'https://fonts.example/g.css'; a { background: url(local.png) }")
    problems = "\n".join(problems_of(tmp_path))
    for found in (
        "gone.html: there is no such file",
        "#nowhere: there is no such heading",
        "cdn.example",
        "f.css",
        "g.css",
    ):
        assert found in problems
    assert "unpkg.com/mermaid" in problems
    assert "example.org" not in problems
    assert "#top" not in problems


def test_the_builder_is_pinned_to_the_version_that_was_tried() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert "zensical==0.0.73" in extras["dev"]
