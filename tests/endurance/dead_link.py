"""A network that goes away and comes back, in a network namespace of its own (needs root on Linux).

    python -m tests.endurance.dead_link [--keepalive 2] [--down 10] [--json FILE]

Broker, agent and labs talk over the namespace's loopback device. It is set down in mid-campaign: packets vanish, no
connection is closed, nobody is told. It must be noticed within two keep-alives; when the device is up again, work must
resume within a minute; and nothing may be lost, evaluated twice or decided otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.endurance.stage import Stage, Terms, end_in_order_on_sigterm, twin_of, wait_until

INSIDE: Final = "ENDURANCE_IN_NAMESPACE"
BUDGET: Final = 60
RESUME_S: Final = 60.0
"""What the design promises."""
MARGIN_S: Final = 2.0
"""What a loaded machine may add."""


def why_not() -> str:
    """Return why this machine cannot do it; "" when it can."""
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "ip"))):
        return "no network namespaces here (unshare, ip)"
    tried = subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "making a network namespace needs root"


def set_device(state: str) -> None:
    """Set loopback up or down."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def play(keepalive_s: int, down_s: float) -> dict[str, float | int]:
    """Play the campaign inside the namespace; return the figures."""
    set_device("up")
    terms = Terms(BUDGET, latency_s=0.1, extra=(f"broker.keepalive_s={keepalive_s}",))
    with tempfile.TemporaryDirectory(prefix="entropilot-link-") as name:
        twin = twin_of(terms, Path(name) / "twin")
        with Stage(Path(name) / "stage", terms) as stage:
            stage.start()
            stage.wait_for_results(10)
            parts = {"agent": stage.database.with_name("agent.jsonl")}
            parts |= {lab: stage.folder / f"part-{number}.err" for number, lab in enumerate(stage.labs)}
            set_device("down")
            began = time.monotonic()
            noticed: dict[str, float] = {}

            def look() -> bool:
                for part, log in parts.items():
                    if part not in noticed and "link_down" in log.read_text():
                        noticed[part] = time.monotonic() - began
                return len(noticed) == len(parts)

            all_noticed = wait_until(look, max(down_s, 2 * keepalive_s + MARGIN_S))
            time.sleep(max(0.0, down_s - (time.monotonic() - began)))
            before = stage.bench.count("ResultAccepted")
            set_device("up")
            healed = time.monotonic()
            resumed = wait_until(lambda: stage.bench.count("ResultAccepted") > before, RESUME_S)
            resumed_s = time.monotonic() - healed
            verdict = stage.judged(twin)
    assert all_noticed, f"noticed only by {noticed}"
    assert resumed, f"work did not resume in {RESUME_S:g} s"
    assert verdict.problems == [], verdict.problems
    return {
        "keepalive_s": keepalive_s,
        "noticed_s": round(max(noticed.values()), 2),
        "resumed_s": round(resumed_s, 2),
        **verdict.figures,
    }


def main(arguments: list[str]) -> int:
    """Run it; return 1 when a promise is broken, 2 when it cannot be done here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keepalive", type=int, default=2, help="keep-alive [s]")
    parser.add_argument("--down", type=float, default=10.0, help="how long the link is dead [s]")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    end_in_order_on_sigterm()
    if os.environ.get(INSIDE) != "1":
        if reason := why_not():
            print(reason, file=sys.stderr)
            return 2
        again = ["unshare", "-n", sys.executable, "-m", "tests.endurance.dead_link", *arguments]
        return subprocess.run(again, env=os.environ | {INSIDE: "1"}, check=False).returncode
    try:
        figures = play(asked.keepalive, asked.down)
    except AssertionError as error:
        print(f"VIOLATION: {error}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        print(f"{name:24s}{value:>10}")
    if asked.json:
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
