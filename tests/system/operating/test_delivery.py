"""An alert is told to a real program and a real server, and what is not told says why."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.observe.alerts import delivery as delivery_module
from scenarios.observe.alerts.delivery import NotTold, tell
from scenarios.observe.alerts.occurrences import Alert
from scenarios.observe.alerts.settings import Destination
from tests.support.commands import free_port
from tests.support.receivers.webhook import Webhook, webhook

pytestmark = pytest.mark.system

ALERT = Alert(
    id="0123", kind="paused_itself", run="mine", campaign="mine", subject="", words="ten\nfailures", since="2026",
    figures={"spent": 12},
)  # fmt: skip


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


def program(text: str) -> Destination:
    return Destination(name="program", command=(sys.executable, "-c", text))


def at(address: str, **more: str) -> Destination:
    return Destination.model_validate({"name": "hook", "webhook": address, **more})


def test_a_program_gets_the_alert_on_standard_input_and_as_variables(tmp_path: Path) -> None:
    out = tmp_path / "out"
    keeping = f"import os, sys; out = open({str(out)!r}, 'w'); out.write(sys.stdin.read())"
    tell(ALERT, program(f"{keeping}; out.write(os.environ['ENTROPILOT_ALERT_WORDS'])"))
    told, _, words = out.read_text().rpartition("}")
    assert json.loads(told + "}") == ALERT.model_dump(mode="json")
    assert words == "ten failures"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        (program("import sys; sys.exit('no route to the moon')"), "ended with 1: no route to the moon"),
        (Destination(name="none", command=("/nowhere/at/all",)), "cannot be started"),
    ],
)
def test_a_program_that_fails_says_why(to: Destination, why: str) -> None:
    with pytest.raises(NotTold, match=why):
        tell(ALERT, to)


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "COMMAND_TIMEOUT_S", 2.0)
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(NotTold, match="did not end"):
        tell(ALERT, program(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))
    deadline = time.monotonic() + 30
    while _is_there(int(pid.read_text())):
        assert time.monotonic() < deadline, "what it started is still there"
        time.sleep(0.01)


def _is_there(pid: int) -> bool:
    """Whether a process runs; one that waits for its end to be noticed does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    except ProcessLookupError:
        return False


def test_a_webhook_gets_the_alert_and_the_token_of_a_file(hook: Webhook, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("swordfish\n")
    token.chmod(0o600)
    tell(ALERT, at(hook.address, token_file=str(token)))
    assert hook.bodies == [ALERT.model_dump(mode="json")]
    assert hook.headers[0]["Authorization"] == "Bearer swordfish"
    assert hook.headers[0]["Idempotency-Key"] == "0123"
    token.chmod(0o644)
    with pytest.raises(NotTold, match="read or written by others"):
        tell(ALERT, at(hook.address, token_file=str(token)))


@pytest.mark.parametrize("status", [302, 400, 503])
def test_any_other_answer_is_a_failure_and_no_redirection_is_followed(hook: Webhook, status: int) -> None:
    with webhook() as elsewhere:
        hook.statuses, hook.location = [status], elsewhere.address
        with pytest.raises(NotTold, match=str(status)):
            tell(ALERT, at(hook.address))
        assert elsewhere.bodies == []


def test_a_server_that_is_not_there_or_silent_is_a_failure_without_its_address(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "WEBHOOK_TIMEOUT_S", 0.5)
    hook.may_answer.clear()
    for address in (f"http://127.0.0.1:{free_port()}/secret", hook.address.replace("hook", "secret")):
        with pytest.raises(NotTold, match="cannot be reached") as found:
            tell(ALERT, at(address))
        assert "secret" not in str(found.value)
