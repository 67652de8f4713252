"""What was found is shown with what to do, and is the same as JSON."""

from __future__ import annotations

import io
import json

from scenarios.display.console import PlainConsole
from scenarios.doctor.checks import failed, passed, warned
from scenarios.doctor.report import doctor_json, doctor_table, in_short

CHECKS = (
    passed("name", "10.0.0.7", subject="lab"),
    warned("tls", "none: everybody can read", "let the broker speak TLS"),
    failed("say", "refused: not authorised (code 135)", "grant it", subject="entropilot/v1/lab/request/+"),
)


def test_a_row_for_each_check_says_what_to_do_where_there_is_something_to_do() -> None:
    out = io.StringIO()
    PlainConsole(file=out, width=100).print(doctor_table(CHECKS))
    shown = out.getvalue()
    assert shown.count("what to do: ") == 2
    for words in ("lab: 10.0.0.7", "let the broker speak TLS", "entropilot/v1/lab/request/+", "1 fail, 1 warn, 1 pass"):
        assert words in shown


def test_json_has_every_check_and_the_worst_verdict() -> None:
    content = json.loads(doctor_json(CHECKS, "mqtt://lab:1883"))
    assert (content["broker"], content["verdict"]) == ("mqtt://lab:1883", "fail")
    assert content["checks"][0] == {
        "name": "name", "verdict": "pass", "found": "10.0.0.7", "action": "", "subject": "lab",
    }  # fmt: skip


def test_how_many_came_to_what_is_told_with_the_worst_first() -> None:
    assert in_short(CHECKS) == "1 fail, 1 warn, 1 pass"
    assert in_short(()) == "0 fail, 0 warn, 0 pass"
