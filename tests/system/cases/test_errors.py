"""Advice in errors: what a message names must be the fault, and doing what it says must help."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.system.cases.bench import CAMPAIGN, CannotTell, Case, mosquitto
from tests.system.cases.tables import scenario_text, usual_rows, write_csv

pytestmark = pytest.mark.system

POLICY = "class P:\n    def propose(self, *given):\n        return {answer}\n"


def refused(case: Case, *arguments: str | Path, **options: Any) -> str:
    """What a command says that must not succeed."""
    done = case.ended(*arguments, **options)
    if done.code == 0:
        raise CannotTell(f"it is taken: {arguments}")
    return done.out + done.err


def scenario(
    case: Case, columns: Mapping[str, Any] | None = None, campaign: Mapping[str, Any] | None = None, cell: object = None
) -> tuple[str, ...]:
    """Write a scenario and its table, in which one cell of the property may be another; the arguments that run it."""
    rows = usual_rows()
    if cell is not None:
        rows[30]["energy"] = cell
    write_csv(case.folder / "t.csv", rows)
    (case.folder / "s.toml").write_text(scenario_text(columns=columns, campaign=campaign))
    return ("run", "s.toml", "--quiet")


def test_a_misspelt_setting_is_one_fault(case: Case) -> None:
    said = refused(case, *scenario(case, campaign={"buget": 5}))
    assert "campaign.budget" in said
    assert "--set budget=" not in said
    assert "ENTROPILOT_BUDGET" not in said


def test_a_missing_property_is_one_fault(case: Case) -> None:
    said = refused(case, *scenario(case, {"property": None}))
    assert "pool.columns.property" in said
    assert "campaign.property" not in said


def test_a_wrong_option_of_a_policy_is_named_with_its_table(case: Case) -> None:
    options = ("--policy", "etal", "--set", "campaign.policy_options.patienc=3")
    assert "campaign.policy_options" in refused(case, *scenario(case), *options)


def test_a_policy_beside_the_scenario_is_found_or_the_advice_helps(case: Case) -> None:
    (case.folder / "my_pol.py").write_text(POLICY.format(answer="None"))
    said = refused(case, *scenario(case), "--policy", "my_pol:P", env={"PYTHONSAFEPATH": "1"})  # as the console script
    assert "start in its folder" not in said
    assert "cannot be imported" not in said


def test_a_policy_that_returns_something_else_is_told_the_type(case: Case) -> None:
    (case.folder / "my_pol.py").write_text(POLICY.format(answer="'rubbish'"))
    said = refused(case, *scenario(case), "--policy", "my_pol:P", env={"PYTHONPATH": str(case.folder)})
    assert " str" in said


def test_the_path_of_a_table_that_is_not_there_is_no_setting(case: Case) -> None:
    said = refused(case, "trim", "nosuch.csv", "--keep", "5")
    assert "pool.path" not in said
    assert "scenario file" not in said


def test_a_cell_that_counts_as_missing_is_shown(case: Case) -> None:
    assert "n/a" in refused(case, *scenario(case, cell="n/a"))


def test_a_table_with_semicolons_is_refused_with_what_to_do(case: Case) -> None:
    write_csv(case.folder / "semicolons.csv", usual_rows(), delimiter=";")
    said = refused(case, "trim", "semicolons.csv", "--keep", "5", "--family", "family", "--property", "energy")
    assert "what to do" in said


@pytest.mark.parametrize("url", [f"tcp://{LOOPBACK}:1883", f"ssl://{LOOPBACK}:8883", f"{LOOPBACK}:1883"])
def test_a_broker_s_url_of_another_kind_is_refused_with_the_one_to_write(case: Case, url: str) -> None:
    said = refused(case, "record", "-o", "r.jsonl", "--duration", "1", "--broker", url)
    assert f"mqtt://{LOOPBACK}" in said or "mqtts://" in said


def test_a_certificate_that_is_not_there_is_named(case: Case) -> None:
    url = f"mqtts://{LOOPBACK}:1"
    soon = ("--set", "broker.first_connect_timeout_s=1")
    one = ("--campaign", CAMPAIGN, "--budget", "2", "--quiet", "--set", "broker.ca_file=nosuch.pem", *soon)
    said = refused(case, "agent", "lab.toml", "--broker", url, *one)
    assert "nosuch.pem" in said
    assert "start it" not in said


def test_tls_to_a_port_without_it_is_told(case: Case) -> None:
    with mosquitto(case.folder) as port:
        one = ("--broker", f"mqtts://{LOOPBACK}:{port}", "--campaign", CAMPAIGN, "--budget", "2", "--quiet")
        said = refused(case, "agent", "lab.toml", *one, "--set", "broker.first_connect_timeout_s=3")
    assert "TLS" in said
    assert "start it" not in said
