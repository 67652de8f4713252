"""How soon the page is painted, how soon a commit is seen on it, and how busy a browser is with it.

    python -m tests.benchmarks.watch.painting [ROUNDS]

In a headless Chromium, fresh for every load. Bars: 20,000 observations painted within 4, 200,000 within 8 times an
empty page of the same server; at 20 results a second with 20,000 observations a commit is seen with p95 below two
polling intervals and 0.1 s; the main thread is busy below 10 %.

Two pages are called empty, and both ratios are told: the page itself at a run without observations but the start set
(the same files, the same requests), and a bare document of the same server (`/health`), which loads nothing.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from scenarios.watch.reading.source import POLL_INTERVAL_S
from tests.benchmarks.watch.served import Growing, Server, growing_run, served, write_run
from tests.browser.viewer import started_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession

SIZES: Final = {1: "empty", 20_000: "long", 200_000: "longest"}
WITHIN: Final = {20_000: 4.0, 200_000: 8.0}
PER_SECOND: Final = 20.0
WATCHED_S: Final = 20.0
SEEN_WITHIN_S: Final = 2 * POLL_INTERVAL_S + 0.1
BUSY_BELOW: Final = 0.10

PAINTED: Final = """count => {
  const slider = document.querySelector('#slider');
  const canvas = document.querySelector('.uplot canvas');
  if (!canvas || !slider || Number(slider.max) < count) return false;
  window.paintedAt ??= performance.now();
  return true;
}"""
"""Asked at every frame: whether the chart stands there with all observations."""

NOTE_SEEN: Final = """() => {
  window.seenAt = [];
  let last = Number(document.querySelector('#slider').max);
  const look = () => {
    const now = Number(document.querySelector('#slider').max);
    if (now > last) window.seenAt.push([now, Date.now() / 1000]);
    last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
"""Notes at every frame up to which observation the page shows."""


def visitor(browser: Browser, server: Server) -> BrowserContext:
    """Return a browser that knows nothing but the token."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(f"sessionStorage.setItem('entropilot-token', '{server.token}')")
    return context


def painted_s(browser: Browser, server: Server, key: str, observations: int) -> float:
    """Return how long the page of a run takes from the beginning of its load until it is painted [s]."""
    context = visitor(browser, server)
    try:
        tab = context.new_page()
        tab.goto(f"{server.url}#run/{key}", wait_until="commit")
        tab.wait_for_function(PAINTED, arg=observations, polling="raf", timeout=120_000)
        return float(tab.evaluate("window.paintedAt")) / 1000
    finally:
        context.close()


def bare_s(browser: Browser, server: Server) -> float:
    """Return the same of a document that loads nothing [s]."""
    context = visitor(browser, server)
    try:
        tab = context.new_page()
        tab.goto(f"{server.url}health")
        return float(tab.evaluate("new Promise(done => requestAnimationFrame(() => done(performance.now())))")) / 1000
    finally:
        context.close()


def busy_s(session: CDPSession) -> float:
    """Return how long the main thread has worked [s]."""
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(found["TaskDuration"])


def live(browser: Browser, server: Server, run: Growing, observations: int) -> tuple[list[float], float]:
    """Return how long after its commit each observation was seen [s], and how busy the thread was (share)."""
    context = visitor(browser, server)
    try:
        tab = context.new_page()
        tab.goto(f"{server.url}#run/live")
        tab.wait_for_function(PAINTED, arg=observations, polling="raf", timeout=120_000)
        session = context.new_cdp_session(tab)
        session.send("Performance.enable")
        tab.wait_for_timeout(3_000)  # until it has settled
        began, busy = time.monotonic(), busy_s(session)
        tab.wait_for_timeout(WATCHED_S * 1000)
        share = (busy_s(session) - busy) / (time.monotonic() - began)  # without the noting of frames
        tab.evaluate(NOTE_SEEN)
        tab.wait_for_timeout(WATCHED_S * 1000)
        seen = [(int(number), float(at)) for number, at in tab.evaluate("window.seenAt")]
    finally:
        context.close()
    first, lags = seen[0][0], []
    for (before, _), (number, at) in itertools.pairwise(seen):
        lags += [at - run.committed[each] for each in range(before + 1, number + 1) if each > first]
    return lags, share


def main() -> None:
    """Measure and print, with what was to be reached."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name, started_browser() as browser:
        folder = Path(name)
        for observations, key in SIZES.items():
            write_run(folder, key, observations)
        with served(folder) as server:
            taken: dict[int, list[float]] = {observations: [] for observations in (0, *SIZES)}
            for _ in range(rounds):  # in turn, so that the machine's load is the same for all
                taken[0].append(bare_s(browser, server))
                for observations, key in SIZES.items():
                    taken[observations].append(painted_s(browser, server, key, observations))
            medians = {observations: statistics.median(each) for observations, each in taken.items()}
            print(f"a bare document: {medians[0]:.3f} s; the page of a run that has just begun: {medians[1]:.3f} s")
            for observations, bar in WITHIN.items():
                whole = medians[observations]
                print(
                    f"{observations:,} observations painted after {whole:.3f} s: {whole / medians[1]:.1f} × the page "
                    f"of a run that has just begun (bar {bar:g} ×), {whole / medians[0]:.1f} × a bare document"
                )
        with growing_run(folder, "live", 20_000, PER_SECOND) as run, served(folder) as server:
            lags, share = live(browser, server, run, 20_000)
            p50, p95 = np.quantile(lags, [0.5, 0.95])
            print(
                f"commit → seen at {PER_SECOND:g}/s with 20,000 observations: p50 {p50:.3f} s, p95 {p95:.3f} s "
                f"(bar {SEEN_WITHIN_S:.2f} s), {len(lags)} observations"
            )
            print(f"main thread busy: {share:.1%} (bar {BUSY_BELOW:.0%})")


if __name__ == "__main__":
    main()
