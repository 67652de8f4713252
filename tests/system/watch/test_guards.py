"""Whom the page answers, asked over real sockets as browsers, strangers and old programs would."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.commands import Workbench, until
from tests.system.watch.bench import Page, open_page, watched

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of a finished run, behind a proxy of the name lab.example below /entropilot."""
    with Workbench(tmp_path_factory.mktemp("guarded")) as bench:
        assert bench.entropilot("run", "lab.toml", "--quiet").code == 0
        yield open_page(bench, "--allow-host", "lab.example", "--root-path", "/entropilot")


def said(page: Page, text: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes to the page; return status, headers and body of what it answers."""
    address = urlsplit(page.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as link:
        link.sendall(text)
        content = b""
        while (part := link.recv(65536)) and len(content) < 1_000_000:
            content += part
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def request(page: Page, path: str = "/api/runs", method: str = "GET", body: bytes = b"", **headers: Any) -> bytes:
    """Write a request; a header that is None is left out."""
    address = urlsplit(page.url)
    usual: dict[str, str | None] = {
        "Host": f"{address.hostname}:{address.port}",
        "Authorization": f"Bearer {page.token}",
        "Connection": "close",
    }
    usual |= {"Content-Length": str(len(body)), "Content-Type": "application/json"} if method == "POST" else {}
    whole = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in whole.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


CONTROLS = "/api/runs/lab/controls"


def test_our_own_page_and_a_program_with_the_token_are_answered(page: Page) -> None:
    own = f"http://{urlsplit(page.url).netloc}"
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"Sec_Fetch_Site": "same-origin", "Origin": own},
        {"Sec_Fetch_Site": "none"},
    )
    for headers in kinds:
        assert said(page, request(page, **headers))[0] == 200, headers
    proxied = request(page, "/entropilot/api/runs", Host="lab.example", Origin="https://lab.example")
    assert said(page, proxied)[0] == 200
    assert said(page, request(page, "/entropilot"))[:2][0] == 308


@pytest.mark.parametrize(
    ("what", "status", "options"),
    [
        ("a name that was made to point here", 400, {"Host": "evil.example"}),
        ("the same, with our port", 400, {"Host": "evil.example:8321", "Origin": "http://evil.example:8321"}),
        ("a Host that is none", 400, {"Host": "127.0.0.1@evil.example"}),
        ("no token", 401, {"Authorization": None}),
        ("another token", 401, {"Authorization": "Bearer " + "x" * 43}),
        ("a token of another kind", 401, {"Authorization": "Basic eDp5"}),
        ("a page of a stranger", 403, {"Origin": "http://evil.example"}),
        ("a page without an origin", 403, {"Origin": "null"}),
        ("a page of another port of this machine", 403, {"Origin": "http://127.0.0.1:1"}),
        ("another site, as a browser says", 403, {"Sec_Fetch_Site": "cross-site"}),
        ("another port, as a browser says", 403, {"Sec_Fetch_Site": "same-site"}),
        ("a link to something that is no page", 403,
         {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}),
        ("a form", 415, {"method": "POST", "path": CONTROLS, "Content_Type": "application/x-www-form-urlencoded"}),
        ("a simple request", 415, {"method": "POST", "path": CONTROLS, "Content_Type": "text/plain", "body": b"{}"}),
        ("a preflight", 405, {"method": "OPTIONS", "path": CONTROLS, "Origin": None}),
        ("too long an address", 414, {"path": "/api/runs?" + "x" * 5000}),
        ("too much", 413, {"method": "POST", "path": CONTROLS, "Content_Length": "9999999"}),
        ("a number of bytes that is none", 413, {"method": "POST", "path": CONTROLS, "Content_Length": "1e3"}),
        ("what cannot be done", 405, {"method": "POST", "path": "/api/runs", "body": b"{}"}),
        ("a path that goes up", 404, {"path": "/page/../../pyproject.toml"}),
        ("a path that goes up, hidden", 404, {"path": "/page/%2e%2e/%2e%2e/pyproject.toml"}),
        ("a run that goes up", 404, {"path": "/api/runs/..%2f..%2fetc"}),
    ],
)  # fmt: skip
def test_a_stranger_is_refused_with_a_problem_and_the_headers_of_a_safe_page(
    page: Page, what: str, status: int, options: dict[str, Any]
) -> None:
    found, headers, body = said(page, request(page, **options))
    if options.get("Content_Length") == "1e3":
        assert found in {400, 413}  # the parser is quicker
        return
    assert found == status, (what, body)
    assert json.loads(body)["found"], what
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_refusal_of_an_unknown_name_says_how_it_is_allowed(page: Page) -> None:
    _, _, body = said(page, request(page, Host="lab.example.evil.example"))
    assert "--allow-host" in json.loads(body)["action"]


def test_two_hosts_and_two_tokens_are_refused(page: Page) -> None:
    text = request(page).replace(b"\r\nConnection", b"\r\nHost: 127.0.0.1\r\nConnection")
    assert said(page, text)[0] == 400
    text = request(page).replace(b"\r\nConnection", f"\r\nAuthorization: Bearer {page.token}\r\nConnection".encode())
    assert said(page, text)[0] == 400


def test_a_head_without_end_is_refused_and_a_websocket_is_not_opened(page: Page) -> None:
    status, _, _ = said(page, request(page, Cookie="x" * 40_000))
    assert status in {400, 431}
    upgrade = request(page, "/api/runs", Connection="Upgrade, close", Upgrade="websocket", Sec_WebSocket_Version="13",
                      Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    assert said(page, upgrade)[0] != 101


def test_the_document_loads_nothing_of_others_and_holds_no_script_of_its_own(page: Page) -> None:
    answer = httpx.get(page.url, trust_env=False, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                                           "Sec-Fetch-Dest": "document"})  # fmt: skip
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    assert "http://" not in answer.text.replace(page.url, "")


def test_orders_that_come_too_fast_are_held(page: Page) -> None:
    time.sleep(1.1)
    with ThreadPoolExecutor(12) as at_once:
        codes = list(at_once.map(lambda _: page.order("lab", action="pause").status_code, range(12)))
    assert 429 in codes
    assert 409 in codes  # nobody is at work
    time.sleep(1.1)
    assert page.order("lab", action="pause").status_code == 409


def test_fifty_may_watch_and_the_next_one_is_told(page: Page) -> None:
    address = urlsplit(page.url)
    links = []
    try:
        for _ in range(50):
            link = socket.create_connection((address.hostname, address.port), timeout=30)
            link.sendall(request(page, "/api/runs/lab/events", Connection="keep-alive"))
            links.append(link)
        for link in links:
            assert link.recv(12) == b"HTTP/1.1 200"
        status, headers, body = said(page, request(page, "/api/runs/lab/events"))
        assert (status, headers["retry-after"]) == (503, "10")
        assert "50 viewers watch already" in json.loads(body)["found"]
        assert page.get("runs")["runs"]  # everything else goes on
    finally:
        for link in links:
            link.close()

    def is_let_in() -> bool:
        with watched(page, "lab") as stream:
            stream.wait_for(lambda told: told.status != 0, "no answer")
            return stream.status == 200

    until(is_let_in, "nobody is let in after the others went")
