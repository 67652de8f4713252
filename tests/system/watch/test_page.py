"""A page beside a run: it shows what the journal holds, once and in order, and the run neither knows nor feels it."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from scenarios.watch.reading.run_source import RunSource
from scenarios.watch.serving.exports import export
from tests.support.commands import Finished, Workbench, free_port, until
from tests.support.processes import started
from tests.support.samples.folders import contents
from tests.system.operating.bench import at_work, connected
from tests.system.watch.bench import Page, open_page, watched

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workbench, Page]]:
    """A finished run and its page; tests only look."""
    with Workbench(tmp_path_factory.mktemp("finished")) as bench:
        ended = bench.entropilot("run", "lab.toml", "--quiet")
        assert ended.code == 0, ended.err
        yield bench, open_page(bench)


# --- a run that is over ----------------------------------------------------------------------------------------------


def test_a_finished_run_is_shown_and_its_folder_stays_as_it_is(finished: tuple[Workbench, Page]) -> None:
    bench, page = finished
    before = contents(bench.runs / "lab")
    (card,) = page.get("runs")["runs"]
    assert (card["key"], card["phase"], card["observation"], card["spent"]) == ("lab", "finished", 12, 12)
    campaign = page.get("runs/lab")
    assert (campaign["can_control"], "No agent works" in campaign["why_not"]) == (False, True)
    for observation in (0, 5, 12):
        moment = page.get(f"runs/lab/at/{observation}")
        assert sum(each["size"] for each in moment["families"]) == 24 + observation
    assert contents(bench.runs / "lab") == before


def test_the_exported_trajectory_is_the_file_of_the_run_byte_for_byte(finished: tuple[Workbench, Page]) -> None:
    bench, page = finished
    written = (bench.runs / "lab" / "trajectory.csv").read_bytes()
    with page.client as client:
        assert client.get("api/runs/lab/export", params={"what": "trajectory", "format": "csv"}).content == written
        part = client.get("api/runs/lab/export", params={"at": 3}).content
    assert written.startswith(part)
    assert {line.split(b",")[0] for line in part.splitlines()[1:]} == {b"0", b"1", b"2", b"3"}


def test_the_trajectory_of_a_run_without_that_file_is_exported_with_its_bands(
    finished: tuple[Workbench, Page], tmp_path: Path
) -> None:
    """As of one that goes on: the same rows and bands as the file has that it writes at its end."""
    folder = shutil.copytree(finished[0].runs / "lab", tmp_path / "lab")
    written = list(csv.DictReader((folder / "trajectory.csv").read_text().splitlines()))
    (folder / "trajectory.csv").unlink()
    with closing(RunSource(folder)) as source:
        content = export(source, {"what": "trajectory", "format": "csv", "at": None}, folder).content
    assert list(csv.DictReader(content.decode().splitlines())) == written
    assert sum(bool(row["entropy_low"]) for row in written) > len(written) / 2


def test_every_table_is_exported_in_every_format_with_the_rows_that_are_shown(finished: tuple[Workbench, Page]) -> None:
    from io import BytesIO

    from pyarrow import parquet

    _, page = finished
    shown = page.get("runs/lab/dataset", limit=1000, family="cubic")["rows"]
    assert shown
    with page.client as client:
        for what in ("trajectory", "dataset", "journal"):
            told = client.get("api/runs/lab/export", params={"what": what, "format": "json", "family": "cubic"})
            packed = client.get("api/runs/lab/export", params={"what": what, "format": "parquet", "family": "cubic"})
            lines = client.get("api/runs/lab/export", params={"what": what, "format": "csv", "family": "cubic"})
            table = parquet.read_table(BytesIO(packed.content))
            assert len(told.json()) == table.num_rows == len(lines.text.strip().splitlines()) - 1, what
            assert lines.headers["content-disposition"] == f'attachment; filename="{what}.csv"'
        names = [each["name"] for each in told.json()] if what == "dataset" else None
        kept = client.get("api/runs/lab/export", params={"what": "dataset", "format": "json", "family": "cubic"}).json()
    assert names is None
    assert [each["name"] for each in kept] == [each["name"] for each in shown]
    assert [each["value"] for each in kept] == [each["value"] for each in shown]


def test_figures_for_prometheus_and_the_sign_of_life_want_no_token_on_this_machine(
    finished: tuple[Workbench, Page],
) -> None:
    import httpx

    _, page = finished
    text = httpx.get(f"{page.url}metrics", trust_env=False)
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "entropilot_readable{" in text.text
    assert httpx.get(f"{page.url}health", trust_env=False).json() == {"status": "ok"}


# --- a run that goes on ----------------------------------------------------------------------------------------------


def test_each_observation_is_told_once_and_in_order_also_when_the_page_is_killed_and_comes_back(
    bench: Workbench,
) -> None:
    running = bench.start("run", "lab.toml", "--budget", "16", "--quiet")
    bench.wait_for_events("DecisionMade", 1)
    kept = ("--token-file", str(bench.folder / "token"))
    page = open_page(bench, "lab", *kept)
    with watched(page, "lab", "0") as first:
        first.wait_for(lambda stream: 16 in stream.observations, "no points")
        page.part.kill()
        until(lambda: first.has_ended, "the stream does not end")
    assert running.finish().code == 0
    going_on = bench.start("run", "lab.toml", "--budget", "40", "--quiet", "--resume")  # while no page is there
    bench.wait_for_events("ResultAccepted", 20)
    again = open_page(bench, "lab", *kept)
    assert again.token == page.token
    with watched(again, "lab", first.last_id) as second:
        second.wait_for(lambda stream: 40 in stream.observations, "not told to the end")
    assert first.observations + second.observations == list(range(41))
    assert going_on.finish().code == 0
    rows = bench.rows("SELECT sequence FROM bias_point ORDER BY observation")
    told = [int(row[1]) for points in (*first.all_of("points"), *second.all_of("points")) for row in points["rows"]]
    assert told == [row[0] for row in rows]


@pytest.mark.parametrize("who", ["page", "browser", "proxy"])
def test_whoever_is_killed_beside_it_changes_nothing_in_the_run(bench: Workbench, who: str) -> None:
    """A5: SIGKILL, while it watches."""
    alone = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "alone", "--budget", "20")
    assert alone.code == 0, alone.err
    running = bench.start("run", "lab.toml", "--campaign", "seen", "--budget", "20", "--quiet",
                          "--set", f"simulator.latency.mean_s={3.0 if who == 'browser' else 2.0}")  # fmt: skip
    bench.wait_for_events("DecisionMade", 1, "seen")
    page = open_page(bench)
    with {"page": the_page, "browser": a_browser, "proxy": a_proxy}[who](page, bench.folder) as victim:
        assert bench.count("CampaignFinished", "seen") == 0, "it came too late"
        victim.kill()
    ended = running.finish()
    assert ended.code == 0, ended.err
    assert bench.entropilot("verify", "seen").code == 0
    assert decided(bench, "seen") == decided(bench, "alone")


@contextmanager
def the_page(page: Page, _: Path) -> Iterator[psutil.Process]:
    """The server of the page, while somebody watches."""
    with watched(page, "seen", "0") as stream:
        stream.wait_for(lambda told: len(told.observations) >= 5, "no points")
        yield psutil.Process(page.part.process.pid)


@contextmanager
def a_browser(page: Page, folder: Path) -> Iterator[psutil.Process]:
    """Chromium by itself, once it watches: it holds a connection for what is new, and has asked for other things."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium here (Debian's package `chromium`)")
    server = psutil.Process(page.part.process.pid)
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
    with started(
        [program, *flags, f"--user-data-dir={folder / 'browser'}", f"{page.url}#token={page.token}&run/seen"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as browser:  # fmt: skip
        until(lambda: any(each.status == "ESTABLISHED" for each in server.net_connections()), "nobody watches")
        time.sleep(0.5)
        yield psutil.Process(browser.pid)


@contextmanager
def a_proxy(page: Page, _: Path) -> Iterator[psutil.Process]:
    """A proxy before the page, while somebody watches through it."""
    port, behind = free_port(), urlsplit(page.url).port
    with started([sys.executable, "-c", FORWARD, str(port), str(behind)]) as proxy:
        until(lambda: is_listening(port), "the proxy does not listen")
        with watched(replace(page, url=f"http://127.0.0.1:{port}/"), "seen", "0") as stream:
            stream.wait_for(lambda told: len(told.observations) >= 5, "no points")
            yield psutil.Process(proxy.pid)
            until(lambda: stream.has_ended, "the stream goes on without its proxy")


def is_listening(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


FORWARD = """
import asyncio, sys

async def copy(reader, writer):
    while content := await reader.read(65536):
        writer.write(content)
        await writer.drain()
    writer.close()

async def serve(reader, writer):
    behind = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    await asyncio.gather(copy(reader, behind[1]), copy(behind[0], writer), return_exceptions=True)

async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()

asyncio.run(main())
"""


def decided(bench: Workbench, campaign: str) -> list[Any]:
    """What was decided and what came of it; ids and times are of each run alone."""
    chosen = bench.rows(
        "SELECT json_extract(payload, '$.candidate_ids') FROM journal WHERE kind = 'DecisionMade'", campaign
    )
    assert chosen
    assert all(each[0] for each in chosen)
    values = bench.rows("SELECT candidate_id, value FROM observation ORDER BY candidate_id", campaign)
    return [chosen, values]


def test_a_killed_agent_is_told_and_its_figures_stay_until_it_is_back(bench: Workbench) -> None:
    running = at_work(bench)
    page = open_page(bench, "lab")
    with watched(page, "lab") as stream:
        stream.wait_for(lambda told: any(each["agent"] == "there" for each in told.all_of("campaign")), "not there")
        running.kill()
        began = time.monotonic()
        stream.wait_for(lambda told: told.all_of("campaign")[-1]["agent"] == "gone", "nobody says that it is gone")
        assert time.monotonic() - began < 35
        stream.wait_for(lambda told: told.all_of("moment")[-1]["phase"] == "interrupted", "not interrupted")
        assert page.get("runs/lab/at/latest")["families"]
        at_work(bench, "--resume")
        stream.wait_for(lambda told: told.all_of("campaign")[-1]["agent"] == "there", "nobody says that it is back")


def test_the_page_ends_at_once_when_it_is_asked_to_and_says_so_to_who_watches(
    bench: Workbench, finished: tuple[Workbench, Page]
) -> None:
    del bench
    page = open_page(finished[0])
    with watched(page, "lab") as stream:
        stream.wait_for(lambda told: bool(told.all_of("moment")), "no moment")
        page.part.process.send_signal(signal.SIGTERM)
        ended: Finished = page.part.finish()
        stream.wait_for(lambda told: told.has_ended, "no end")
    assert stream.events[-1].name == "bye"
    assert ended.code == 0, ended.err
    assert ended.err == ""


# --- what is wrong, in a sentence ------------------------------------------------------------------------------------


def test_what_keeps_a_page_from_being_shown_is_told_in_a_sentence(finished: tuple[Workbench, Page]) -> None:
    bench, page = finished
    port = page.url.rsplit(":", 1)[1].rstrip("/")
    wrong = {
        ("--port", port): (2, f"Port {port} of 127.0.0.1 is in use", "--port"),
        ("--host", "0.0.0.0"): (2, "lets other machines reach the page", "--token-file"),
        ("--host", "203.0.113.7", "--token-file", "t"): (2, "Nothing can listen on 203.0.113.7", "--host"),
        ("nobody",): (5, "nobody", ""),
        ("lab", "--broker", "mqtt://127.0.0.1:1"): (2, "Both a run and a broker", "leave one"),
        ("--broker", "mqtt://127.0.0.1:1"): (4, "127.0.0.1", ""),
        ("--campaign", "x"): (2, "--campaign goes with --broker", ""),
        ("--root-path", "x/"): (2, "--root-path", "as the proxy has it"),
    }
    for flags, (code, found, action) in wrong.items():
        free = () if "--port" in flags else ("--port", "0")
        ended = bench.entropilot("watch", "--no-browser", *free, *flags)
        assert ended.code == code, (flags, ended.err)
        assert found in ended.err, ended.err
        assert action in ended.err, ended.err


def test_without_the_packages_of_the_page_the_extra_is_named(bench: Workbench) -> None:
    (bench.folder / "starlette").mkdir()
    hidden = bench.folder / "sitecustomize.py"
    hidden.write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'starlette' else find(name, *a)\n",
        encoding="utf-8",
    )
    ended = bench.entropilot("watch", "--no-browser", env={"PYTHONPATH": str(bench.folder)})
    assert (ended.code, "entropilot[page]" in ended.err) == (2, True), ended.err


def test_a_run_that_is_being_begun_or_is_a_strangers_is_listed_with_what_is_wrong(bench: Workbench) -> None:
    for name, content in (("empty", b""), ("strange", b"no database at all" * 100)):
        (bench.runs / name).mkdir(parents=True)
        (bench.runs / name / "campaign.db").write_bytes(content)
    page = open_page(bench)
    cards = {each["key"]: each for each in page.get("runs")["runs"]}
    assert set(cards) == {"empty", "strange"}
    assert all(each["phase"] in {"unreadable", "preparing"} for each in cards.values())
    assert cards["strange"]["problem"]
    with page.client as client:
        answer = client.get("api/runs/strange/at/latest")
    assert (answer.status_code, bool(answer.json()["found"])) == (503, True)


# --- orders ----------------------------------------------------------------------------------------------------------


def test_an_order_is_sent_then_carried_out_with_its_row_and_its_operator(bench: Workbench) -> None:
    at_work(bench)
    connected(bench)
    page = open_page(bench, "lab", "--operator", "ann")
    with watched(page, "lab") as stream:
        until(lambda: page.get("runs/lab")["can_control"], "no orders can be given")
        answer = page.order("lab", action="pause", reason="furnace", message_id="once")
        assert (answer.status_code, answer.json()["status"]) == (202, "sent")
        carried = page.answer_to("lab", "once")
        assert (carried["status"], carried["operator"]) == ("accepted", "ann")
        told = stream.wait_for(lambda seen: bool(seen.all_of("receipt")), "no receipt")
        assert told.all_of("receipt")[0] == carried
        stream.wait_for(lambda seen: seen.all_of("moment")[-1]["phase"] == "paused", "it does not pause")
    (entry,) = page.get("runs/lab/journal", after=carried["row"] - 1, limit=1)["rows"]
    assert (entry["kind"], entry["operator"], entry["payload"]["reason"]) == ("CampaignPaused", "ann", "furnace")


def test_a_double_click_and_two_pages_make_one_event(bench: Workbench) -> None:
    at_work(bench)
    connected(bench)
    one, other = open_page(bench, "lab"), open_page(bench, "lab")
    for page in (one, one, other):
        assert page.order("lab", action="pause", message_id="twice").status_code == 202
    fates = [one.answer_to("lab", "twice")["status"], other.answer_to("lab", "twice")["status"]]
    assert sorted(fates) == ["accepted", "duplicate"]
    other.order("lab", action="pause", message_id="thrice")
    assert other.answer_to("lab", "thrice")["status"] == "accepted"  # it is so already
    assert bench.count("CampaignPaused") == 1


def test_of_an_approval_and_a_veto_the_first_in_the_journal_holds_and_the_other_is_told(bench: Workbench) -> None:
    at_work(bench)
    connected(bench)
    one, other = open_page(bench, "lab"), open_page(bench, "lab")
    until(lambda: bool(one.get("runs/lab/at/latest")["awaiting_approval"]), "nothing waits")
    (decision, *_) = one.get("runs/lab/at/latest")["awaiting_approval"]
    one.order("lab", action="approve_decision", decision=decision, message_id="yes")
    assert one.answer_to("lab", "yes")["status"] == "accepted"
    other.order("lab", action="veto_decision", decision=decision, message_id="no")
    refused = other.answer_to("lab", "no")
    assert (refused["status"], bool(refused["detail"])) == ("refused", True)
    assert (bench.count("DecisionApproved"), bench.count("DecisionVetoed")) == (1, 0)


def test_an_order_that_is_refused_says_why_and_leaves_nothing_but_a_note(bench: Workbench) -> None:
    at_work(bench)
    connected(bench)
    page = open_page(bench, "lab")
    before = bench.rows("SELECT count(*) FROM journal WHERE kind != 'ControlRefused'")
    page.order("lab", action="exclude_candidate", source_id="nobody", message_id="who")
    refused = page.answer_to("lab", "who")
    assert (refused["status"], "nobody" in refused["detail"]) == ("refused", True)
    assert bench.rows("SELECT count(*) FROM journal WHERE kind != 'ControlRefused'") == before
    for body, found in (
        ({"action": "exclude_candidate"}, "source_id"),
        ({"action": "dance"}, "action"),
        ({"action": "pause", "nonsense": 1}, "nonsense"),
        ({"action": "set_budget", "budget": -1}, "budget"),
        ({"action": "add_observations"}, "add_observations"),
    ):
        time.sleep(0.25)  # five are taken in a second
        answer = page.order("lab", **body)
        assert (answer.status_code, found in answer.json()["found"]) == (422, True), answer.text


def test_a_page_that_is_read_only_sends_nothing(bench: Workbench) -> None:
    at_work(bench)
    connected(bench)
    page = open_page(bench, "lab", "--read-only")
    assert page.get("runs/lab")["can_control"] is False
    answer = page.order("lab", action="pause")
    assert (answer.status_code, "--read-only" in answer.json()["found"]) == (409, True)
    assert bench.count("CampaignPaused") == 0


# --- what takes time -------------------------------------------------------------------------------------------------


def worked_out(page: Page, path: str, **parameters: Any) -> Any:
    """Ask until an answer is there."""
    found: list[Any] = []

    def is_there() -> bool:
        with page.client as client:
            answer = client.get(f"api/{path}", params=parameters)
        found[:] = [answer.json()]
        assert answer.status_code in {200, 202}, answer.text
        return answer.status_code == 200

    until(is_there, f"{path} is not worked out")
    assert found[0]["status"] == "ready", found[0]["error"]
    return found[0]


def test_why_and_what_if_are_those_of_the_commands_and_the_whole_check_is_told(
    finished: tuple[Workbench, Page],
) -> None:
    bench, page = finished[0], open_page(finished[0])
    explained = worked_out(page, "runs/lab/decisions/3/why")
    assert explained["same_today"] is True
    printed = json.loads(bench.entropilot("why", "lab", "3", "--json", "--no-figure").out)
    assert explained["document"]["decision"] == printed["decision"]
    other = worked_out(page, "runs/lab/what-if", policy="round_robin", **{"from": 5})
    assert (other["policy"], other["from_decision"]) == ("round_robin", 5)
    assert other["trajectory"]["observation"]
    assert other["measured"] > 0
    until(lambda: checked(page)["status"] == "ready", "the check does not end")
    assert checked(page)["is_sound"] is True
    trust = page.get("runs/lab/trust")
    assert (trust["is_whole"], trust["is_sound"]) == (True, True)
    with page.client as client:
        assert client.get("api/runs/lab/decisions/999/why").status_code == 404
        strange = client.get("api/runs/lab/what-if", params={"policy": "/tmp/evil.py:Policy"})
        assert (strange.status_code, "no policy" in strange.json()["found"]) == (422, True)
        same = client.get("api/compare", params={"left": "lab", "right": "lab"}).json()
    assert (same["same"], same["first_difference"]) == (True, None)
    assert page.part.end().code == 0  # and the process that works answers out with it


def checked(page: Page) -> Any:
    """Ask for the whole check."""
    with page.client as client:
        return client.post("api/runs/lab/verify", json={}).json()


def test_a_run_is_told_as_lines_of_json_to_its_end(finished: tuple[Workbench, Page]) -> None:
    ended = finished[0].entropilot("watch", "lab", "--json")
    assert ended.code == 0, ended.err
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert next(iter(lines[0])) == "campaign"
    assert [each["point"]["observation"] for each in lines if "point" in each] == list(range(13))
    assert "ended" in lines[-1]
    both = finished[0].entropilot("watch", "lab", "--json", "--tui")
    assert (both.code, "Both --json and --tui" in both.err) == (2, True)
    screen = finished[0].entropilot("watch", "lab", "--tui")
    assert (screen.code, "no terminal" in screen.err) == (2, True), screen.err
