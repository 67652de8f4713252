"""Every bound of the embedded broker, with its unit and its reason: whoever talks to it can make it hold no more."""

from __future__ import annotations

from typing import Final

from protocols.wire.limits import MAX_ENVELOPE_BYTES, RECEIVE_MAXIMUM

MAX_PACKET_BYTES: Final = MAX_ENVELOPE_BYTES + 4096
"""Largest packet [byte]: our largest message in the envelope of its signatures, with topic and header; one that is too
large without them still reaches the quarantine, and is told. Whoever sends a larger packet is hung up on before it is
read."""

MAX_GREETING_BYTES: Final = 16 * 1024
"""Largest first packet [byte]: names, a password and a last will, which is a status of some hundred bytes. Who sends it
is not known yet."""

GREETING_S: Final = 5.0
"""How long somebody who has connected may take to say who it is [s]: many round trips over a poor link."""

MAX_STRANGERS: Final = 128
"""Connections that have not said who they are. One more, and the oldest is hung up on: so a stranger who holds
connections open keeps none of ours out, which say it within milliseconds."""

BACKLOG: Final = 32
"""Connections that are accepted at once, a fourth of these: so each is listened to before others can push it out."""

MAX_CONNECTIONS: Final = 64
"""Clients connected at once: a lab of some fifty instruments, and those who watch it."""

MAX_SESSIONS: Final = 256
"""Clients remembered while they are away; one more, and the one that has been away for longest is forgotten."""

MAX_FILTERS: Final = 64
"""Subscriptions of one client; ours have four."""

MAX_FILTER_BYTES: Final = 1024
"""Longest topic, and longest filter [byte]: five levels of ours take at most 160."""

MAX_UNACKNOWLEDGED: Final = RECEIVE_MAXIMUM
"""Messages that a client holds unacknowledged, as our own sessions ask of a broker that can be asked (MQTT 5)."""

MAX_QUEUED: Final = 10_000
"""Messages that wait for one client, as with our Mosquitto."""

MAX_QUEUED_BYTES: Final = 8 * 1024 * 1024
"""The same in bytes: two hundred of the largest requests, some ten thousand results. What comes on top is dropped for
that client alone, and whoever sent it repeats it until the receipt."""

MAX_ALL_QUEUED_BYTES: Final = 24 * 1024 * 1024
"""What waits for all clients together [byte]. Where it is full, the client for whom most waits loses its oldest."""

MAX_RETAINED: Final = 1024
"""Retained messages: a status of each client and a metrics report of each campaign. Further topics are not retained."""

MAX_RETAINED_BYTES: Final = 8 * 1024 * 1024
"""The same in bytes."""

MESSAGE_BYTES: Final = 512
"""What a message costs beside its topic and payload [byte]: objects and their places in queues. Without it, the
smallest messages would fill more memory than the bounds say."""

MAX_HALF_DONE: Final = 256
"""Messages of quality 2 that a client has begun to hand over."""

WITHOUT_A_SIGN_S: Final = 3600.0
"""How long a client that promises no sign of life (keep-alive 0) may say nothing [s]."""

KEEPALIVES: Final = 1.5
"""Keep-alives without a sign after which a client is gone, as MQTT has it."""

TAKES_NOTHING_S: Final = 60.0
"""How long a client may take nothing of what is sent to it, until it is hung up on [s]: the longest keep-alive that is
usual. What waits for it stays, within the bounds above."""

TOLD_EVERY_S: Final = 10.0
"""How often what was refused or dropped is told [s]: a flood makes a line now and then, not one for each packet."""
