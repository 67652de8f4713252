"""Row and digest of a journal are found in whatever people keep, and held against the chain."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from scenarios.verify.anchors import Anchor, anchors_in, check_anchors, other_anchor
from scenarios.verify.simulator_memory import memory_rows
from tests.support.campaigns import small_plan
from tests.support.samples.recorded_run import ATTEMPTS, MEMORY, POOL, RecordedRun, digests_of, made

PLAN = small_plan(POOL)
DIGESTS = [f"{number:064x}" for number in range(1, 11)]


def receipt(row: int, digest: str = "", **more: Any) -> dict[str, Any]:
    return {"campaign": PLAN.campaign, "attempt_id": f"{PLAN.uid}-d000000-x-a1", "row": row} | {
        "digest": digest or DIGESTS[row - 1], **more
    }  # fmt: skip


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "a line": json.dumps,
    "as mosquitto_sub -v prints it": lambda told: f"entropilot/v1/demo/receipt/simulator-1 {json.dumps(told)}",
    "in a recording": lambda told: json.dumps({"n": 1, "dir": "heard", "text": json.dumps(told)}),
    "in an envelope in a recording": lambda told: json.dumps({"text": json.dumps({"payload": json.dumps(told)})}),
    "over several lines": lambda told: json.dumps(told, indent=2),
    "a line of a log": lambda told: json.dumps({"event": "journal", "level": "info", **told}),
    "a summary": lambda told: json.dumps({"journal_rows": told["row"], "journal_digest": told["digest"]}, indent=2),
}


def found_in(path: Path) -> list[tuple[int, str]]:
    return [(each.row, each.digest) for each in anchors_in(path)]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_row_and_digest_are_found_in_every_form_that_people_have_them_in(
    tmp_path: Path, form: Callable[[dict[str, Any]], str]
) -> None:
    path = tmp_path / "kept"
    path.write_text(form(receipt(7)))
    assert found_in(path) == [(7, DIGESTS[6])]


def test_other_lines_are_passed_over_and_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kept.gz"
    lines = [json.dumps(receipt(2)), "", "no JSON {", "[1]", '{"row": 3}', '{"row": true, "digest": "x"}', '{"row": 0}']
    lines += ['{"row": 4, "digest": 5}', json.dumps(receipt(5)), "\x00\xff"]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert [row for row, _ in found_in(path)] == [2, 5]


def test_a_simulators_memory_has_the_receipts_that_it_got(tmp_path: Path) -> None:
    run = made(tmp_path)
    digests = digests_of(tmp_path)
    found = found_in(tmp_path / MEMORY)
    assert len(found) == ATTEMPTS
    assert sum(json.loads(each)["status"] == "refused" for each in run.receipts) == 2
    with memory_rows(tmp_path / MEMORY) as rows:  # a first refusal is not believed
        assert {json.loads(row.receipt)["status"] for row in rows} == {"accepted", "duplicate", "late"}
    assert all(digests[row - 1] == digest for row, digest in found)


def checked(*told: dict[str, Any]) -> tuple[int, str, str]:
    anchors = [each for at, one in enumerate(told) if (each := _anchor(f"line {at + 1}", one)) is not None]
    part = check_anchors(Path("kept"), anchors, PLAN, DIGESTS)
    return part.rows, part.problem, part.note


def _anchor(where: str, told: dict[str, Any]) -> Anchor | None:
    from scenarios.verify.anchors import anchor_in

    return anchor_in(where, told)


def test_receipts_that_fit_say_up_to_which_row_the_journal_is_sound() -> None:
    assert checked(receipt(3), receipt(8)) == (2, "", "sound up to row 8; 2 rows came later")
    assert checked(receipt(10)) == (1, "", "sound up to row 10")


def test_a_receipt_that_does_not_fit_says_between_which_rows_the_change_is() -> None:
    rows, problem, _ = checked(receipt(3), receipt(8, "f" * 64), receipt(9, "e" * 64))
    assert rows == 1
    assert problem.startswith("line 2: row 8 of the journal had the digest ffffffffffff…, and has 000000000000… now")
    assert problem.endswith("the first changed row is one of 4 to 8")


def test_a_receipt_of_a_row_that_is_gone_is_told() -> None:
    assert checked(receipt(12, "f" * 64))[1] == "line 1: it knows row 12 of a journal that ends at 10"


def test_receipts_of_other_campaigns_are_passed_over_and_none_of_ours_is_a_problem() -> None:
    others = (receipt(3, "f" * 64, campaign="another"), receipt(3, "f" * 64, attempt_id="uid-of-another-d000000-x-a1"))
    assert checked(receipt(4), *others) == (1, "", "sound up to row 4; 6 rows came later")
    assert "it names no row and digest of campaign 'demo'" in checked(*others)[1]


def test_a_file_that_is_not_there_or_no_memory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no file with receipts"):
        list(anchors_in(tmp_path / "nowhere"))
    with RunFolder(tmp_path) as database, pytest.raises(StoreError, match="no simulator's memory of a version"):
        list(anchors_in(database))
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(b'{"row": 1}\n' * 1000)[:-20])
    with pytest.raises(StoreError, match="cannot be read"):
        list(anchors_in(torn))


class RunFolder:
    """A run folder whose database is opened and closed again."""

    def __init__(self, folder: Path) -> None:
        self._run = RecordedRun(folder)

    def __enter__(self) -> Path:
        self._run.close()
        return self._run.folder / "campaign.db"

    def __exit__(self, *_: object) -> None:
        return


def test_an_anchor_of_a_row_that_is_there_fits_by_its_digest_alone() -> None:
    assert other_anchor(Anchor("", 1, DIGESTS[0]), DIGESTS) == ""
    assert other_anchor(Anchor("", 1, DIGESTS[1]), DIGESTS) != ""
