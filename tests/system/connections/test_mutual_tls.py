"""Every command that speaks to a broker does so over mutual TLS: who it is says its certificate, and no password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import require_mosquitto
from tests.support.commands import Part, Workbench, until
from tests.support.tls.authority import Authority
from tests.system.connections.stage import Place, encrypted

pytestmark = pytest.mark.system

PASSPHRASE = "open sesame"
SETTINGS_ERROR = 2
BROKER_ERROR = 4


@dataclass(frozen=True, slots=True)
class Lab:
    """A workbench beside a Mosquitto that lets in who shows a certificate of one authority.

    Attributes:
        bench: Where commands are run.
        authority: Whose certificates are taken.
        url: Of the broker.
    """

    bench: Workbench
    authority: Authority
    url: str

    def as_part(self, name: str, *, locked: bool = False) -> dict[str, str]:
        """The environment of one part, with a certificate of its own."""
        certificate, key = self.authority.issue(name)
        told = {"CA_FILE": self.authority.certificate, "CERT_FILE": certificate, "KEY_FILE": key}
        if locked:
            words = self.bench.folder / f"{name}.passphrase"
            words.write_text(f"{PASSPHRASE}\n")
            words.chmod(0o600)
            told |= {"KEY_FILE": self.authority.lock(key, PASSPHRASE), "KEY_PASSWORD_FILE": words}
        return {f"ENTROPILOT_BROKER__{setting}": str(value) for setting, value in told.items()}

    def start(self, name: str, *arguments: str, locked: bool = False) -> Part:
        """Start a command as a part."""
        return self.bench.start(*arguments, "--broker", self.url, env=self.as_part(name, locked=locked))


def is_in(file: Path, words: str) -> bool:
    """Whether a file is there and holds something."""
    return file.exists() and words in file.read_text(encoding="utf-8")


@pytest.fixture(params=["mqtts", "wss"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    require_mosquitto()
    files = tmp_path / "files"
    files.mkdir()
    authority = Authority(files)
    asks = (f"cafile {authority.certificate}", "require_certificate true", "use_identity_as_username true")
    (tmp_path / "bench").mkdir()
    with Place(files) as place, Workbench(tmp_path / "bench") as bench:
        place.mosquitto(*encrypted(request.param, authority.issue("lab")), *asks)
        yield Lab(bench, authority, f"{request.param}://{LOOPBACK}:{place.port}")


def test_a_campaign_is_run_recorded_shadowed_and_played_over_mutual_tls(lab: Lab) -> None:
    """Both sides of the key: one with a passphrase (agent and recorder), one without (the others)."""
    instrument = lab.start("simulator-1", "simulator", "lab.toml").wait_for("link_up")
    heard, followed = lab.bench.folder / "heard.jsonl.part", lab.bench.runs / "lab-shadow" / "agent.jsonl"
    recorded = ("--out", "heard.jsonl", "--campaign", "lab", "--scenario", "lab.toml")
    recorder = lab.start("observer", "record", *recorded, locked=True)
    until(lambda: is_in(heard, "status/simulator-1"), f"the recorder does not listen: {recorder.said}")
    shadow = lab.start("shadow", "shadow", "lab.toml", "--json", "--policy", "etal")
    until(lambda: is_in(followed, "link_up"), f"the shadow does not listen: {shadow.said}")
    ended = lab.start("agent", "agent", "lab.toml", "--quiet", locked=True).finish()
    assert ended.code == 0, ended.err
    assert lab.bench.summary()["observations"] == 36
    assert shadow.finish().code == 0
    assert recorder.end().code == 0
    assert instrument.end().code == 0
    player = lab.start("simulator-1", "play", "heard.jsonl", "--speed", "max", "--campaign", "again", "--json")
    again = lab.start("agent", "agent", "lab.toml", "--quiet", "--campaign", "again", locked=True).finish()
    assert again.code == 0, again.err
    assert player.finish().code == 0
    assert lab.bench.summary("again")["observations"] == 36
    tidied = lab.start("operator", "broker", "tidy", "--yes").finish()
    assert tidied.code == 0, tidied.err


def test_who_shows_no_certificate_or_anothers_is_told_so_at_once(lab: Lab, tmp_path: Path) -> None:
    ours = lab.as_part("agent")
    nothing = {name: value for name, value in ours.items() if name.endswith("CA_FILE")}
    stranger = Authority(tmp_path, "stranger").issue("agent")
    theirs = ours | dict(zip(sorted(set(ours) - set(nothing)), map(str, stranger), strict=True))
    for told, words in ((nothing, "none without one"), (theirs, f"not the one in {stranger[0]}")):
        ended = lab.bench.entropilot("record", "--out", "no.jsonl", "--broker", lab.url, env=told)
        assert ended.code == BROKER_ERROR
        assert "asks for a certificate of ours" in ended.err
        assert words in ended.err
        assert "broker.cert_file" in ended.err


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "asks for a passphrase, and none is given"),
        ({"KEY_PASSWORD": "cretword"}, "does not open with the passphrase that is given"),
    ],
)
def test_a_key_that_does_not_open_is_told_with_the_three_ways_and_nobody_is_asked(
    tmp_path: Path, told: dict[str, str], words: str
) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("agent")
    files = {"CERT_FILE": certificate, "KEY_FILE": authority.lock(key, PASSPHRASE), **told}
    environment = {f"ENTROPILOT_BROKER__{setting}": str(value) for setting, value in files.items()}
    (tmp_path / "bench").mkdir()
    with Workbench(tmp_path / "bench") as bench:
        ended = bench.entropilot("record", "--out", "no.jsonl", "--broker", "mqtts://127.0.0.1:1", env=environment)
    assert ended.code == SETTINGS_ERROR
    assert words in ended.err
    assert "cretword" not in ended.err + ended.out
    for way in ("KEY_PASSWORD_FILE", "ENTROPILOT_BROKER__KEY_PASSWORD", "KEY_KEYRING"):
        assert way in ended.err


def test_a_passphrase_on_a_command_line_is_refused_and_shown_nowhere(tmp_path: Path) -> None:
    with Workbench(tmp_path) as bench:
        for more in ((), ("--show-settings",), ("--debug",)):
            ended = bench.entropilot("agent", "lab.toml", "--set", "broker.key_password=cretword", *more)
            assert ended.code == SETTINGS_ERROR
            assert "KEY_PASSWORD_FILE" in ended.err
            assert "cretword" not in ended.err + ended.out


def test_a_passphrase_of_the_environment_is_not_shown_among_the_settings(tmp_path: Path) -> None:
    told = {"ENTROPILOT_BROKER__KEY_PASSWORD": "cretword"}
    with Workbench(tmp_path) as bench:
        ended = bench.entropilot("agent", "lab.toml", "--show-settings", "--json", env=told)
    assert ended.code == 0, ended.err
    assert "broker.key_password" in json.dumps(json.loads(ended.out))
    assert "cretword" not in ended.err + ended.out
