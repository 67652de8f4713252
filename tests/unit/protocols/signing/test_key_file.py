"""A file of keys is its owner's alone, holds what it says, and an error never shows a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.signing.key_file import new_key, read_keys, require_keys, write_keys
from protocols.signing.key_ring import KEY_BYTES
from tests.support.samples.keys import RING

KEY = "00112233445566778899aabbccddeeff" * 2


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "a.keys"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("ring", [RING, RING.part_of("furnace"), RING.part_of("alice")])
def test_what_is_written_is_read_back_and_is_its_owners_alone(tmp_path: Path, ring: object) -> None:
    path = tmp_path / "some.keys"
    write_keys(path, ring)  # type: ignore[arg-type]
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keys(path) == ring
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_keys(tmp_path / "nowhere" / "some.keys", RING)


def test_a_file_that_others_may_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"The file of keys .* by others"):
        read_keys(written(tmp_path, f'[agent]\nagent = "{KEY}"\n', 0o640))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "holds no key"),
        ("[instruments]\n", "holds no key"),
        ("no TOML", "no file of keys"),
        (f'agent = "{KEY}"\n', "agent is no table"),
        (f'[agent]\nother = "{KEY}"\n', "'other'"),
        (f'[keys]\nagent = "{KEY}"\n', "'keys'"),
        (f'[instruments]\nagent = "{KEY}"\n', "nobody's id"),
        (f'[operators]\nany = "{KEY}"\n', "nobody's id"),
        (f'[instruments]\n"No Id" = "{KEY}"\n', "no id"),
        (f'[instruments]\na = "{KEY}"\n[operators]\na = "{KEY}"\n', "an instrument and an operator"),
        (f'[instruments]\na = "{KEY[1:]}"\n', "the key of 'a' is none"),
        (f'[instruments]\na = "{KEY}0"\n', "the key of 'a' is none"),
        (f"[instruments]\na = 0x{KEY[:8]}\n", "the key of 'a' is none"),
        ("[instruments]\n" + "".join(f'i{n} = "{KEY}"\n' for n in range(65)), "65 instruments"),
    ],
)
def test_what_is_no_file_of_keys_is_told_without_a_key(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(SettingsError, match="no file of keys") as caught:
        read_keys(written(tmp_path, text))
    assert word in str(caught.value)
    assert KEY[:8] not in str(caught.value)


def test_text_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.keys"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="no file of keys"):
        read_keys(path)


@pytest.mark.parametrize("name", ["nothing.keys", "."])
def test_a_file_that_is_not_there_tells_how_it_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        read_keys(tmp_path / name)
    assert "entropilot keys" in caught.value.action


def test_two_new_keys_differ() -> None:
    first, second = new_key(), new_key()
    assert len(first) == len(second) == KEY_BYTES
    assert first != second


def test_whose_key_lacks_is_named() -> None:
    require_keys(RING, "the.keys", ["agent", "furnace", "alice"])
    with pytest.raises(SettingsError) as caught:
        require_keys(RING, "the.keys", ["furnace", "oven", "kiln"])
    assert caught.value.found == "the.keys has no key of 'oven', 'kiln'"
