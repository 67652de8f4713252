"""Who does what on which channel, and what follows, in words: the operations of the AsyncAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from protocols.wire.topics import Channel


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that one role does on one channel."""

    role: str
    action: Literal["send", "receive"]
    channel: Channel
    words: str
    message: str = ""
    """The only message of the channel that it is about; empty where it is about every one."""

    @property
    def name(self) -> str:
        """Its name in the document, such as `agentSendsRequest`."""
        verb = {"send": "Sends", "receive": "Receives"}[self.action]
        return f"{self.role}{verb}{self.channel.value.capitalize()}"


OPERATIONS: Final = (
    Operation(
        "agent",
        "send",
        Channel.REQUEST,
        "Committed to the agent's outbox before it is sent; sent again until the broker confirms it, and after a "
        "reconnect if it names one simulator. It is answered by one result or one failure, on their own channels (a "
        "reply of AsyncAPI names one channel only, so none is given). Without an answer in its time it expires, and "
        "the next attempt at the candidate has a new `attempt_id`, up to a limit.",
    ),
    Operation(
        "simulator",
        "receive",
        Channel.REQUEST,
        "Store it, then acknowledge to the broker, then evaluate. An attempt that is known is not evaluated again: "
        "send the stored answer. An attempt that was begun when the simulator was stopped is answered with the "
        "failure `interrupted`.",
    ),
    Operation(
        "simulator",
        "send",
        Channel.RESULT,
        "Stored before it is sent; repeated with growing pauses, the same bytes, until the receipt of the attempt, "
        "whatever its status. The reply is that receipt.",
    ),
    Operation(
        "agent",
        "receive",
        Channel.RESULT,
        "Journalled first; after the commit the agent acknowledges to the broker and replies with the receipt. A "
        "duplicate gets a receipt again and changes nothing. A result of an attempt that this campaign never made is "
        "quarantined and gets no receipt.",
    ),
    Operation(
        "simulator",
        "send",
        Channel.FAILURE,
        "As a result: stored, then repeated until the receipt. After `invalid_request`, `unsupported` and "
        "`unknown_candidate` the agent abandons the candidate; after any other reason it tries again, up to a limit.",
    ),
    Operation(
        "agent", "receive", Channel.FAILURE, "As a result: committed, then acknowledged and answered with the receipt."
    ),
    Operation(
        "agent",
        "send",
        Channel.RECEIPT,
        "Sent after the commit, once for every arrival of the result, failure or control. It is not repeated by "
        "itself: if it is lost, the repeated message brings the next one.",
    ),
    Operation(
        "simulator",
        "receive",
        Channel.RECEIPT,
        "Stop repeating the answer of this attempt. A receipt of an unknown attempt is ignored.",
        "result_receipt",
    ),
    Operation(
        "operator",
        "receive",
        Channel.RECEIPT,
        "What became of a control, told by its message id: `accepted`, `duplicate` or `refused` with the reason, and "
        "the journal's number. Without one in some seconds send the control again, under the same id.",
        "control_receipt",
    ),
    Operation(
        "agent", "send", Channel.STATUS, "At every connect, and `offline` at an orderly end; also the last will."
    ),
    Operation(
        "simulator",
        "send",
        Channel.STATUS,
        "At every connect, and `offline` at an orderly end; also the last will. A simulator that serves every campaign "
        "on a broker sends none.",
    ),
    Operation(
        "agent",
        "receive",
        Channel.STATUS,
        "A hint, never a command: attempts at a simulator that is offline do not expire, and are sent again when it is "
        "back.",
    ),
    Operation(
        "simulator",
        "send",
        Channel.CAPABILITIES,
        "At every connect, and again when the agent asks; removed when the campaign is over.",
    ),
    Operation(
        "agent",
        "receive",
        Channel.CAPABILITIES,
        "Journalled where it changes what the agent believes. Of several simulators the one that is expected to be "
        "done first is asked, among those that are there, can serve and have a free slot; a candidate that nobody can "
        "serve is abandoned at once.",
    ),
    Operation(
        "agent", "send", Channel.ANNOUNCE, "At every connect: a broker may retain nothing, or not for a wildcard."
    ),
    Operation("simulator", "receive", Channel.ANNOUNCE, "Say capabilities and status again, at most once a second."),
    Operation("agent", "send", Channel.METRICS, "At most about twice a second, and at the end of the campaign."),
    Operation("observer", "receive", Channel.METRICS, "For dashboards: the retained one says how the dataset is now."),
    Operation(
        "agent",
        "send",
        Channel.CAMPAIGN,
        "After every commit that changes it, at most about twice a second, and at the end. It is not removed when the "
        "campaign is over: it then says `finished`, and why.",
    ),
    Operation("observer", "receive", Channel.CAMPAIGN, "Whoever comes late knows at once where every campaign stands."),
    Operation(
        "operator",
        "send",
        Channel.CONTROL,
        "A repetition carries the same `message_id` and is carried out once. The reply is the receipt, on the topic of "
        "the operator; on the topic without that level there is none.",
    ),
    Operation(
        "agent",
        "receive",
        Channel.CONTROL,
        "Carried out once: the message id is journalled. One that cannot be carried out is refused, which is "
        "journalled as well, up to a bound. One that cannot be read is quarantined, and so is one that was sent "
        "before the campaign began, or that the broker kept (retain). Where the campaign requires "
        "signatures, only what an operator has signed is heard, on a topic of its own.",
    ),
)
"""Every role's operations, in the order of a candidate's life."""
