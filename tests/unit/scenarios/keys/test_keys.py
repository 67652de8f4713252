"""Keys are made once, each part gets its own, and an id is an instrument's or an operator's and nobody's else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.link.transport import Delivery
from protocols.signing.key_file import read_keys
from protocols.signing.transport import judged
from scenarios.keys.keys import make_keys
from tests.support.documents.markdown import documents


def test_the_agent_gets_all_keys_and_every_other_part_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = make_keys(folder, instruments=["furnace", "kiln"], operators=["alice"])
    assert [(each.part, each.role, each.is_new) for each in made] == [
        ("agent", "agent", True),
        ("furnace", "instrument", True),
        ("kiln", "instrument", True),
        ("alice", "operator", True),
    ]
    everything = read_keys(folder / "agent.keys")
    assert everything.names == {"agent", "furnace", "kiln", "alice"}
    for each in made[1:]:
        assert read_keys(each.path) == everything.part_of(each.part)
    keys = {everything.agent, *everything.instruments.values(), *everything.operators.values()}
    assert len(keys) == 4, "no two parts have one key"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_keys_that_are_there_stay_and_only_what_is_named_is_replaced(tmp_path: Path) -> None:
    make_keys(tmp_path, instruments=["furnace"], operators=["alice"])
    before = read_keys(tmp_path / "agent.keys")
    made = make_keys(tmp_path, instruments=["kiln", "furnace"], renew=["alice", "agent"])
    after = read_keys(tmp_path / "agent.keys")
    assert after.instruments["furnace"] == before.instruments["furnace"]
    assert after.operators["alice"] != before.operators["alice"]
    assert after.agent != before.agent
    assert {each.part for each in made if each.is_new} == {"agent", "alice", "kiln"}


def test_a_file_that_was_lost_is_written_again_with_the_same_key(tmp_path: Path) -> None:
    make_keys(tmp_path, instruments=["furnace"])
    before = (tmp_path / "furnace.keys").read_bytes()
    (tmp_path / "furnace.keys").unlink()
    make_keys(tmp_path)
    assert (tmp_path / "furnace.keys").read_bytes() == before


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ({"instruments": ["agent"]}, "'agent' can be no"),
        ({"operators": ["any"]}, "'any' can be no"),
        ({"instruments": ["observer"]}, "'observer' can be no"),  # it could have no account
        ({"instruments": ["No Id"]}, "'No Id' can be no"),
        ({"instruments": ["../up"]}, "can be no"),
        ({"instruments": ["a"], "operators": ["a"]}, "an instrument and an operator"),
        ({}, "nobody to make a key for"),
        ({"instruments": ["a"], "renew": ["b"]}, "no key of 'b'"),
        ({"instruments": [f"i{number}" for number in range(65)]}, "too many"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(
    tmp_path: Path, names: dict[str, list[str]], word: str
) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(SettingsError, match=word):
        make_keys(folder, **names)
    assert not folder.exists()


def test_the_code_in_the_documents_signs_as_we_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_keys(Path("lab-keys"), instruments=["furnace"])
    (document,) = [each for each in documents() if each.name.endswith("how-to/sign.md")]
    (block,) = document.blocks("python")
    lab: dict[str, Any] = {}
    exec(block.body, lab)
    topic, payload = "entropilot/v1/mine/result/furnace", '{"value": "\u00e4"}'.encode()
    name, value = lab["user_property"](topic, payload)
    beside = Delivery(topic, payload, False, 1, None, {"user_properties": [[name, value]]})
    around = Delivery(topic, lab["envelope"](topic, payload), False, 1, None)
    ring = read_keys(Path("lab-keys/agent.keys"))
    for delivery in (beside, around):
        heard = judged(delivery, ring)
        assert (heard.payload, heard.signed_by, heard.signature_fault) == (payload, "furnace", "")


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        make_keys(tmp_path / "keys", instruments=["a"])
