"""Every key that tomllib finds has the line on which it was written, however the file is laid out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from protocols.settings.fields import Key
from protocols.settings.toml_lines import toml_lines

DECOYS = ("[k0]", "k0 = 1", "# k0", '"', "'", "k0.k1 = [", "]", "{k0 = 1}", "=", "", "\\\\ k0", "ä€")
"""What looks like structure where it is text."""

SPACES = st.sampled_from(["", " ", "\t "])


@dataclass
class Written:
    """A file as it is written, with the line of every key."""

    draw: st.DrawFn
    text: str = ""
    lines: dict[Key, int] = field(default_factory=dict)
    names: int = 0

    def put(self, text: str) -> None:
        self.text += text

    def note(self, key: Key) -> None:
        self.lines.setdefault(key, self.text.count("\n") + 1)

    def space(self) -> None:
        self.put(self.draw(SPACES))

    def blank(self) -> None:
        for _ in range(self.draw(st.integers(0, 2))):
            self.put(self.draw(st.sampled_from(["\n", "\r\n", "  \n"])))
            if self.draw(st.booleans()):
                self.put(f"# {self.draw(st.sampled_from(DECOYS))}\n")

    def end_line(self) -> None:
        self.put(self.draw(st.sampled_from(["", " # k0 = [", "#]"])))
        self.put(self.draw(st.sampled_from(["\n", "\r\n"])))
        self.blank()

    def name(self) -> str:
        self.names += 1
        return self.draw(
            st.sampled_from(["k{}", "{}", "k-{}", "a b{}", 'q"{}', "it's {}", "k.{}", "é]{}", "#{}"])
        ).format(self.names)

    def segments(self, above: Key, count: int) -> Key:
        """Write a dotted key and note it."""
        for place in range(count):
            name = self.name()
            above = (*above, name)
            self.note(above)
            bare = name.replace("-", "").isascii() and name.replace("-", "").isalnum()
            literal = "'" not in name and self.draw(st.booleans())
            quoted = f"'{name}'" if literal else json.dumps(name, ensure_ascii=self.draw(st.booleans()))
            self.put(name if bare and self.draw(st.booleans()) else quoted)
            self.space()
            if place < count - 1:
                self.put(".")
                self.space()
        return above

    def pair(self, table: Key, depth: int) -> None:
        key = self.segments(table, self.draw(st.integers(1, 3)))
        self.put("=")
        self.space()
        self.value(key, depth)

    def value(self, key: Key, depth: int) -> None:
        kind = self.draw(st.sampled_from(["plain", "text", "long", "array", "table"] if depth else ["plain", "text"]))
        if kind == "plain":
            plain = [
                "1",
                "-1.5e3",
                "true",
                "inf",
                "1979-05-27 07:32:00Z",
                "1979-05-27T07:32:00.5-07:00",
                "0xf",
            ]
            self.put(self.draw(st.sampled_from(plain)))
        elif kind == "text":
            decoy = self.draw(st.sampled_from(DECOYS))
            self.put(f"'{decoy}'" if "'" not in decoy and self.draw(st.booleans()) else json.dumps(decoy))
        elif kind == "long":
            self.long_text()
        elif kind == "array":
            self.array(key, depth - 1)
        else:
            self.inline_table(key, depth - 1)

    def long_text(self) -> None:
        mark = self.draw(st.sampled_from(['"""', "'''"]))
        inside = [decoy for decoy in DECOYS if decoy != mark[0]]
        lines = self.draw(st.lists(st.sampled_from(inside), max_size=4))
        own_quotes = mark[0] * self.draw(st.integers(0, 2))
        self.put(mark + "\n".join(lines) + own_quotes + mark)

    def array(self, key: Key, depth: int) -> None:
        self.put("[")
        for place in range(size := self.draw(st.integers(0, 3))):
            self.blank()
            self.note((*key, str(place)))
            self.value((*key, str(place)), depth)
            self.blank()
            if place < size - 1 or self.draw(st.booleans()):
                self.put(",")
        self.blank()
        self.put("]")

    def inline_table(self, key: Key, depth: int) -> None:
        self.put("{")
        for place in range(size := self.draw(st.integers(0, 2))):
            self.space()
            self.pair(key, depth)
            self.space()
            if place < size - 1:
                self.put(",")
        self.put("}")

    def header(self, arrays: dict[Key, int]) -> Key:
        """Write the header of a new table, of one more of many, or of a table below the last of many."""
        kinds = ["new", "new of many", "one more", "below"] if arrays else ["new", "new of many"]
        kind = self.draw(st.sampled_from(kinds))
        many = kind in {"new of many", "one more"}
        self.put("[[" if many else "[")
        self.space()
        table: Key = ()
        if kind in {"one more", "below"}:
            table = self.draw(st.sampled_from(sorted(arrays)))
            self.put(".".join(json.dumps(part) for part in table))
            arrays[table] += kind == "one more"
            table = (*table, str(arrays[table] - 1))
            self.note(table)
        if kind == "below":
            self.put(".")
        if kind != "one more":
            table = self.segments(table, self.draw(st.integers(1, 3)))
        if kind == "new of many":
            arrays[table] = 1
            table = (*table, "0")
            self.note(table)
        self.put("]]" if many else "]")
        return table


@st.composite
def written_files(draw: st.DrawFn) -> Written:
    file = Written(draw)
    file.blank()
    arrays: dict[Key, int] = {}
    table: Key = ()
    for _ in range(draw(st.integers(0, 4))):
        for _ in range(draw(st.integers(0, 3))):
            file.pair(table, 2)
            file.end_line()
        table = file.header(arrays)
        file.end_line()
    return file


def keys_of(tree: Any, above: Key = ()) -> Iterator[Key]:
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in inside:
        yield (*above, str(name))
        yield from keys_of(value, (*above, str(name)))


@given(written_files())
def test_every_key_has_the_line_on_which_it_was_written(file: Written) -> None:
    found = toml_lines(file.text)
    assert found == file.lines
    assert set(found) == set(keys_of(tomllib.loads(file.text)))
