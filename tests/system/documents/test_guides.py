"""How-to guides whose every step is followed, as the tutorials are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.commands import free_port
from tests.support.documents.markdown import ROOT, Document
from tests.support.documents.tutorial import Reader
from tests.support.lab_brokers.mosquitto import require_mosquitto

pytestmark = pytest.mark.system


def test_a_mosquitto_with_certificates_and_an_access_list(tmp_path: Path) -> None:
    require_mosquitto()
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    instead = {"8883": str(free_port())}
    if os.getuid() == 0:  # Mosquitto becomes another user then, who cannot read the keys; the page says so
        instead["tls_version tlsv1.2"] = "tls_version tlsv1.2\nuser root"
    with Reader(tmp_path, instead) as reader:
        reader.follow(Document(ROOT / "docs" / "how-to" / "tls.md"))
