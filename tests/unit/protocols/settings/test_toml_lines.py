"""The line of every key of a settings file."""

import tomllib

import pytest

from protocols.settings.toml_lines import toml_lines
from scenarios.settings.library import library_scenarios


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a = 1\nb = 2\n", ("b",), 2),
        ("\r\n# c\r\na.b . 'c d' = 1", ("a", "b", "c d"), 3),
        ("a.b = 1\na.c = 2", ("a",), 1),
        ("[x]\n[x.y]\nz = 1", ("x", "y", "z"), 3),
        ("[x.y]\nz = 1\n[x]\nw = 1", ("x",), 1),
        ('a = """\nb = 1\n"""\nb = 2', ("b",), 4),
        ("a = '''\n[b]\n''''\nb = 2", ("b",), 4),
        ('a = """"quoted\n"""""\nb = 2', ("b",), 3),
        ('a = "\\"]"\nb = 2', ("b",), 2),
        ("a = [\n  1,\n  # ]\n  [2,\n  3]]\nb = 1", ("a", "1", "1"), 5),
        ("a = [ # x\n  { b = 1,c.d = [{e = 2}]} ,\n]", ("a", "0", "c", "d", "0", "e"), 2),
        ("[[a]]\nb=1\n[[a]]\nb=1\n[a.c]\nd=1", ("a", "1", "c", "d"), 6),
        ("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\nc=1", ("a", "1", "b", "0", "c"), 5),
        ("[\"a.b\".'c']\nd=1", ("a.b", "c", "d"), 2),
        ('"\\u0061" = 1', ("a",), 1),
        ("a = 1979-05-27 07:32:00 # b = 1\nb = 1", ("b",), 2),
        ("a = [1, 2]\n[b]", ("b",), 2),
        ("a = {}\nb = []\nc = ''\nd = \"\"", ("d",), 4),
    ],
)
def test_a_key_has_the_line_where_it_is_first_named(text: str, key: tuple[str, ...], line: int) -> None:
    tomllib.loads(text)
    assert toml_lines(text)[key] == line


@pytest.mark.parametrize("name", library_scenarios())
def test_the_line_of_every_key_of_a_scenario_holds_the_key(name: str) -> None:
    text = library_scenarios()[name].read_text()
    lines = text.splitlines()
    for key, line in toml_lines(text).items():
        assert key[-1].isdigit() or key[-1] in lines[line - 1]


def test_an_empty_file_has_no_keys() -> None:
    assert toml_lines("") == toml_lines("# nothing\n") == {}
