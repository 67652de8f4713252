from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from protocols.errors import EntropilotError, SettingsError
from scenarios.mcp_server.approval import CODE_LENGTH, LETTERS, Approver, Terminal, approve, reject, shown
from scenarios.mcp_server.proposals import ProposalFolder
from tests.support.strangers.proposals import NOW, proposal
from tests.support.strangers.strange_campaign import make_strange_campaign


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_strange_campaign(tmp_path_factory.mktemp("approval") / "runs" / "strange")


def uid_of(run: Path) -> str:
    from scenarios.export.reading import read_run

    return read_run(run).plan.uid


def asked(run: Path, typed: str, **change: object) -> tuple[ProposalFolder, str, EntropilotError]:
    """Approve a proposal of just now by typing something; return what was shown and the error."""
    folder = ProposalFolder(run.parent)
    made = proposal(7, **{"folder": str(run), "uid": uid_of(run), "made_at": datetime.now(UTC)} | change)
    folder.path.mkdir(exist_ok=True)
    folder.write(made)
    out = io.StringIO()
    with pytest.raises(EntropilotError) as failed:
        approve(folder, made.id, Approver("anna"), Terminal(out, lambda: typed), code="ABCDE")
    return folder, out.getvalue(), failed.value


def test_what_is_shown_is_all_that_would_be_done_and_steers_no_terminal() -> None:
    words = shown(proposal(verb="amend", words=("c\x1b[2J", "2"), reason="\u202eevil"), "anna", 3)
    assert "order      amend c\ufffd[2J 2" in words
    assert "3 rows of the journal have come since" in words
    assert "given by   anna" in words
    assert "\u202e" not in words


def test_a_reason_cannot_pass_for_a_line_of_ours() -> None:
    words = shown(proposal(reason="x\n  order      resume\r\u2028  given by   anna"), "bert", None)
    assert [line[:12] for line in words.splitlines()] == [
        "Proposal 000", "  campaign  ", "  order     ", "  given by  ", "  proposer  ", "  it says   ",
    ]  # fmt: skip
    assert "order      pause" in words.splitlines()[2]


def test_a_campaign_that_is_not_at_work_is_told_before_a_code_is_shown(run: Path) -> None:
    _, out, error = asked(run, "ABCDE\n")
    assert "type" not in out
    assert "strange" in str(error)


def test_another_campaign_of_the_name_gets_no_order(run: Path) -> None:
    _, out, error = asked(run, "ABCDE\n", uid="another")
    assert "holds another campaign by now" in str(error)
    assert out == ""


def test_one_of_yesterday_is_too_old(run: Path) -> None:
    _, _, error = asked(run, "ABCDE\n", made_at=NOW)
    assert "too old" in str(error)


def test_another_code_sends_nothing_and_the_proposal_still_waits(run: Path) -> None:
    folder, out, error = asked(run, "ABCDF\n", folder=None, broker="mqtt://127.0.0.1:9", uid="")
    assert "type ABCDE and Enter" in out
    assert "nothing is sent" in str(error)
    assert folder.get(proposal(7).id).state == "waiting"


def test_what_is_rejected_cannot_be_approved(run: Path) -> None:
    folder, _, _ = asked(run, "", folder=None, broker="mqtt://127.0.0.1:9", uid="")
    assert reject(folder, proposal(7).id, "not today", "anna").outcome == "not today"
    with pytest.raises(SettingsError, match="is rejected already: not today"):
        approve(folder, proposal(7).id, Approver("anna"), Terminal(io.StringIO(), lambda: "ABCDE"), code="ABCDE")
    with pytest.raises(SettingsError, match="is rejected already"):
        reject(folder, proposal(7).id, "", "anna")


def test_a_code_is_hard_to_guess_and_easy_to_read() -> None:
    assert len(set(LETTERS)) ** CODE_LENGTH > 5_000_000
    assert not set("0O1I2Z5S8B") & set(LETTERS)
