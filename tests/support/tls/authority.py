"""A certificate authority of one test: it signs for this machine, for others, for yesterday and for tomorrow."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from scenarios.broker.broker import LOOPBACK

USUAL: Final = ("20200101000000Z", "20990101000000Z")
EXPIRED: Final = ("20200101000000Z", "20210101000000Z")
NOT_YET: Final = ("20980101000000Z", "20990101000000Z")
"""From when to when a certificate is valid."""

CONFIGURATION: Final = """
[ca]
default_ca = test
[test]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
crlnumber = {folder}/crlnumber
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


class Authority:
    """Makes certificates in a folder.

    Args:
        folder: Where its files lie.
        name: Its own name.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no openssl to make certificates with")
        self.folder = folder / name
        self.folder.mkdir()
        self.certificate = self.folder / "ca.pem"
        """What a client is to trust."""
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("01\n")
        (self.folder / "crlnumber").write_text("01\n")
        (self.folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=self.folder))
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", "ca.key", "-out", "ca.pem",
        )  # fmt: skip

    def issue(self, name: str, *, address: str = LOOPBACK, valid: tuple[str, str] = USUAL) -> tuple[Path, Path]:
        """Return the files of a certificate and its key.

        Args:
            name: Its common name, and that of the files.
            address: The address that it is for.
            valid: From when to when.
        """
        self._openssl(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=IP:{address}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        self._openssl(
            *self._as_ca(), "-notext", "-startdate", valid[0], "-enddate", valid[1],
            "-in", f"{name}.csr", "-out", f"{name}.pem",
        )  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def revoke(self, certificate: Path) -> None:
        """Take back what it vouched for; `revocations` lists it from then on."""
        self._openssl(*self._as_ca(), "-revoke", str(certificate))

    def revocations(self, *, last: str = "20200101000000Z", following: str = "20990101000000Z") -> Path:
        """Return the file of what it has revoked.

        Args:
            last: Since when the list holds.
            following: Until when it does.
        """
        self._openssl(
            *self._as_ca(), "-gencrl", "-crl_lastupdate", last, "-crl_nextupdate", following, "-out", "crl.pem"
        )
        return self.folder / "crl.pem"

    def lock(self, key: Path, passphrase: str) -> Path:
        """Return the file of a key that opens with a passphrase."""
        locked = key.with_suffix(".locked.key")
        self._openssl("rsa", "-aes256", "-passout", f"pass:{passphrase}", "-in", str(key), "-out", str(locked))
        return locked

    def _as_ca(self) -> tuple[str, ...]:
        return ("ca", "-batch", "-config", "openssl.cnf", "-cert", "ca.pem", "-keyfile", "ca.key")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
