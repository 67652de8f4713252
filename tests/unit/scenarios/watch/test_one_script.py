"""The modules of the page become one script: each once, behind what it imports, and with nothing left to ask for."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

from scenarios.watch.one_script import one_script

PAGE = files("scenarios.watch") / "page"
MODULES = sorted(each.name for each in (PAGE / "js").iterdir() if each.name.endswith(".js"))


def test_each_module_stands_once_behind_those_that_it_imports() -> None:
    script = one_script()
    placed = re.findall(r'^modules\["([a-z_]+\.js)"\] = ', script, re.MULTILINE)
    assert sorted(placed) == MODULES
    for name in MODULES:
        imported = re.findall(r'from "\./([a-z_]+\.js)"', (PAGE / "js" / name).read_text())
        assert all(placed.index(other) < placed.index(name) for other in imported)


def test_nothing_is_left_of_imports_and_exports_and_no_element_ends_early() -> None:
    script = one_script()
    assert re.search(r"^\s*(import|export)\b", script, re.MULTILINE) is None
    assert "</script" not in script


def test_what_a_module_imports_is_what_the_other_exports() -> None:
    for name in MODULES:
        imports = r'^import \{ ([^}]*) \} from "\./([a-z_]+\.js)";'
        for names, other in re.findall(imports, (PAGE / "js" / name).read_text(), re.MULTILINE):
            text = (PAGE / "js" / other).read_text()
            for each in names.split(", "):
                assert re.search(rf"^export (async )?(function|class|const) {each}\b", text, re.MULTILINE), (
                    name,
                    other,
                    each,
                )


def test_what_was_taken_from_others_is_as_they_made_it() -> None:
    lines = (PAGE / "vendor" / "SHA256SUMS").read_text().split("\n")
    listed = {line.split("  ")[1]: line.split("  ")[0] for line in lines if line}
    found = {each.name for each in (PAGE / "vendor").iterdir()} - {"SHA256SUMS"}
    assert found == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((PAGE / "vendor" / name).read_bytes()).hexdigest() == digest
    assert "MIT" in (PAGE / "vendor" / "uPlot.LICENSE").read_text()


def test_no_file_of_the_page_names_another_host_or_makes_elements_of_text() -> None:
    for name in MODULES:
        text = (PAGE / "js" / name).read_text()
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}, name
        assert re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text) is None, name


def test_the_style_and_the_markup_are_as_small_and_strict_as_promised() -> None:
    assert len((PAGE / "style.css").read_bytes()) < 12_000
    markup = (PAGE / "index.html").read_text()
    assert "style=" not in markup
    assert "<script>" not in markup
