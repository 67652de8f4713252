"""Every bound of the page's server, with its unit and its reason. Nothing that a browser sends or asks is unbounded."""

from __future__ import annotations

from typing import Final

POLL_S: Final = 0.25
"""How often a run that somebody watches is asked for what is new [s]: below what a person takes for a delay."""

MOMENT_S: Final = 0.5
"""How often it is told how a run stands while results come in [s]: nobody reads tables faster."""

HEARTBEAT_S: Final = 1.0
"""How often viewers are told that the server still reads the run, though nothing is new [s]: the page shows its age."""

MAX_VIEWERS: Final = 50
"""Most streams of events at once: a group and its screens; each takes a socket."""

MAX_WAITING: Final = 64
"""Most events that wait for one viewer: sixteen seconds of them; who is slower is told, and reads on from where it
was."""

MAX_POINTS: Final = 1_000
"""Most observations in one event: some 150 kB with seven families."""

MAX_BODY_BYTES: Final = 64 * 1024
"""Largest body of a request: that of a message on the broker."""

BODY_TIMEOUT_S: Final = 10.0
"""How long a body may take to come [s]."""

MAX_URL_BYTES: Final = 4_096
"""Longest path with its query: names of 500 characters fit, each in three bytes."""

MAX_HEAD_BYTES: Final = 16 * 1024
"""Most that a request may take before its body: browsers send a kilobyte."""

CONTROLS_PER_S: Final = 5.0
"""Most controls a second: a person gives one, and a script that runs wild is held."""

MAX_CONNECTIONS: Final = 400
"""Most connections at once: six of each of 50 viewers' browsers, and some of tools."""

MAX_OPEN_RUNS: Final = 32
"""Most runs that are kept open; who was asked longest ago is closed, and opened when it is asked again."""

MAX_LISTED_RUNS: Final = 1_000
"""Most runs in one listing: each is opened for it once."""

MAX_ROWS: Final = 1_000
"""Most rows in one answer; more are asked for page by page."""

MAX_PIXELS: Final = 4_000
"""Most columns of a reduced series: the widest screens."""

READERS: Final = 4
"""Threads that read databases: what two cores can use, and one that waits."""

SHUTDOWN_S: Final = 2.0
"""How long open answers may take to end when the server is ended [s]; streams are told at once."""

MAX_KEY_SHOWN: Final = 100
"""Most of a key that a refusal repeats [character]."""
