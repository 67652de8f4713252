"""The guards know a request of our own page from all others by its head."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.watch.serving.guards import Asked, Guards, is_loopback, names_of
from scenarios.watch.serving.refusals import Refusal

TOKEN = "t" * 43
GUARDS = Guards(names_of("127.0.0.1", ("Lab.Example",)), TOKEN)
HOST = ("host", "127.0.0.1:8321")
AUTHORIZED = ("authorization", f"Bearer {TOKEN}")


def status(guards: Guards, method: str, path: str, *headers: tuple[str, str]) -> int:
    try:
        guards.require_allowed(Asked(method, path, len(path), headers))
    except Refusal as error:
        return int(error.status)
    return 200


def test_a_name_counts_without_its_port_and_in_any_spelling() -> None:
    for host in ("localhost", "LOCALHOST:1", "[::1]:8321", "127.0.0.1", "lab.example", "LAB.example:443"):
        assert status(GUARDS, "GET", "/", ("host", host)) == 200, host


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_no_other_host_is_ever_known(host: str) -> None:
    name = host.lower().rpartition(":")[0] if ":" in host else host.lower()
    known = {*GUARDS.names, "[::1]"}
    if name not in known and host.lower() not in known:
        assert status(GUARDS, "GET", "/", ("host", host)) == 400


@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_no_other_token_opens_the_api(text: str) -> None:
    if text.strip() != f"Bearer {TOKEN}":
        assert status(GUARDS, "GET", "/api/runs", HOST, ("authorization", text)) == 401


def test_the_page_itself_and_signs_of_life_want_no_token_and_everything_of_runs_does() -> None:
    for path in ("/", "/page/js/main.js", "/metrics", "/health"):
        assert status(GUARDS, "GET", path, HOST) == 200
    for path in ("/api", "/api/", "/api/runs", "/api/openapi.json"):
        assert status(GUARDS, "GET", path, HOST) == 401
        assert status(GUARDS, "GET", path, HOST, AUTHORIZED) == 200
    strict = Guards(GUARDS.names, TOKEN, metrics_want_token=True)
    assert (status(strict, "GET", "/metrics", HOST), status(strict, "GET", "/metrics", HOST, AUTHORIZED)) == (401, 200)


def test_a_link_on_another_site_leads_to_the_page_and_a_frame_or_an_image_does_not() -> None:
    cross = ("sec-fetch-site", "cross-site")
    link = (cross, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))
    assert status(GUARDS, "GET", "/", HOST, *link) == 200
    assert status(GUARDS, "POST", "/", HOST, *link) == 403
    assert status(GUARDS, "GET", "/", HOST, cross, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")) == 403
    assert status(GUARDS, "GET", "/page/style.css", HOST, cross) == 403


def test_what_is_posted_is_json_in_any_charset_and_small() -> None:
    json = ("content-type", "application/json; charset=utf-8")
    assert status(GUARDS, "POST", "/api/runs/x/controls", HOST, AUTHORIZED, json) == 200
    assert status(GUARDS, "POST", "/api/runs/x/controls", HOST, AUTHORIZED) == 415
    huge = ("content-length", "9" * 30)
    assert status(GUARDS, "POST", "/api/runs/x/controls", HOST, AUTHORIZED, json, huge) == 413


def test_an_address_for_every_machine_is_no_name() -> None:
    assert names_of("0.0.0.0", ()) == names_of("::", ()) == frozenset({"127.0.0.1", "localhost", "::1"})
    assert "192.0.2.7" in names_of("192.0.2.7", ())
    assert [is_loopback(each) for each in ("127.0.0.1", "[::1]", "LOCALHOST", "192.0.2.7", "0.0.0.0")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"])
def test_nothing_is_changed_but_by_post(method: str) -> None:
    assert status(GUARDS, method, "/api/runs", HOST, AUTHORIZED) == 405
