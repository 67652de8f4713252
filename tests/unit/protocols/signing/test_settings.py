"""Where no keys are set nothing is signed; where they are, they are read."""

from __future__ import annotations

from pathlib import Path

from protocols.signing.key_file import write_keys
from protocols.signing.settings import SigningSettings
from protocols.signing.transport import UNSIGNED, Signing
from tests.support.samples.keys import RING


def test_without_keys_nothing_is_signed() -> None:
    assert SigningSettings().signing() == UNSIGNED
    assert not SigningSettings(envelope=True).signing().has_keys


def test_the_keys_of_the_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "some.keys"
    write_keys(path, RING)
    assert SigningSettings(keys=str(path), envelope=True).signing() == Signing(RING, envelope=True)
