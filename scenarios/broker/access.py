"""Who may say and hear what: one table for every broker that we start or describe. Pure.

The embedded broker is told these rules; for Mosquitto they are written down as its access list.

| part | may say | may hear |
|---|---|---|
| agent | requests, receipts, words to all, status, bias, state | results, failures, statuses, capabilities, controls |
| instrument ID | its own results, failures, status, capabilities | requests, receipts, words to it or all; statuses |
| operator ID | its own controls | metrics, statuses, states, capabilities, receipts to it |
| observer | nothing | everything of ours |
| all | everything | everything |
"""

from __future__ import annotations

from typing import Final

from protocols.link.credentials import AGENT, Role
from protocols.wire.topics import ANY_SIMULATOR, PREFIX, Channel
from scenarios.broker.embedded.users import Action, Rule

_CAMPAIGN: Final = f"{PREFIX}/+"


def rules_of(role: Role, name: str) -> tuple[Rule, ...]:
    """Return what a part may do; everything else it may not.

    Args:
        role: What it is.
        name: Its id, which is its user name.
    """
    said, heard = Action.WRITE, Action.READ
    match role:
        case Role.ALL:
            return ((said, "#"), (heard, "#"))
        case Role.OBSERVER:
            return ((heard, f"{PREFIX}/#"),)
        case Role.AGENT:
            return (
                (said, _topic(Channel.REQUEST, "+")),
                (said, _topic(Channel.RECEIPT, "+")),
                (said, _topic(Channel.METRICS)),
                (said, _topic(Channel.CAMPAIGN)),
                (said, _topic(Channel.STATUS, AGENT)),
                (said, _topic(Channel.ANNOUNCE)),
                (heard, _topic(Channel.RESULT, "+")),
                (heard, _topic(Channel.FAILURE, "+")),
                (heard, _topic(Channel.STATUS, "+")),
                (heard, _topic(Channel.CAPABILITIES, "+")),
                (heard, _topic(Channel.CONTROL)),
                (heard, _topic(Channel.CONTROL, "+")),
            )
        case Role.INSTRUMENT:
            return (
                (said, _topic(Channel.RESULT, name)),
                (said, _topic(Channel.FAILURE, name)),
                (said, _topic(Channel.STATUS, name)),
                (said, _topic(Channel.CAPABILITIES, name)),
                (heard, _topic(Channel.REQUEST, name)),
                (heard, _topic(Channel.REQUEST, ANY_SIMULATOR)),
                (heard, _topic(Channel.RECEIPT, name)),
                (heard, _topic(Channel.ANNOUNCE)),
                (heard, _topic(Channel.STATUS, "+")),
            )
        case Role.OPERATOR:
            return (
                (said, _topic(Channel.CONTROL, name)),
                (heard, _topic(Channel.METRICS)),
                (heard, _topic(Channel.CAMPAIGN)),
                (heard, _topic(Channel.STATUS, "+")),
                (heard, _topic(Channel.CAPABILITIES, "+")),
                (heard, _topic(Channel.RECEIPT, name)),
            )


def _topic(channel: Channel, client: str = "") -> str:
    return f"{_CAMPAIGN}/{channel.value}" + (f"/{client}" if client else "")
