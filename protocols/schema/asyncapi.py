"""The AsyncAPI 3.0 document: who sends what on which topic, and what follows.

It is one file that stands alone: tools that know nothing of this project open it. The payload schemas in it are those
of the `*.schema.json` files, in keywords that mean the same in draft 2020-12 and in AsyncAPI's own schema language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocols.link.broker_settings import DEFAULT_PORTS, BrokerSettings
from protocols.schema.examples import CAMPAIGN, OPERATOR, SIMULATOR, examples_of
from protocols.schema.messages import message_name, shared_schemas
from protocols.schema.operations import OPERATIONS, Operation
from protocols.signing.envelope import ENVELOPE_MARK, SIGNATURE_PROPERTY
from protocols.wire.codec import CHANNEL_OF, encode, topic_of
from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_ATOMS,
    MAX_FAMILIES,
    MAX_ID_LENGTH,
    MAX_PAYLOAD_BYTES,
    MAX_QUANTITIES,
    MAX_TEXT_LENGTH,
    PROTOCOL_VERSION,
    RECEIVE_MAXIMUM,
)
from protocols.wire.messages import ID_PATTERN, MESSAGE_TYPES, Health, Message, Status
from protocols.wire.topics import (
    ANY_SIMULATOR,
    EVERY_CAMPAIGN,
    RETAINED,
    SHARED_GROUP,
    WITHOUT_CLIENT,
    Channel,
    Topic,
    agent_subscriptions,
    simulator_subscriptions,
)

ASYNCAPI_VERSION: Final = "3.0.0"
BINDING_VERSION: Final = "0.2.0"
"""Version of AsyncAPI's MQTT bindings."""

QOS: Final = 1
CLIENT_PARAMETER: Final = {
    Channel.REQUEST: "recipient",
    Channel.RESULT: "simulator",
    Channel.FAILURE: "simulator",
    Channel.RECEIPT: "receiver",
    Channel.STATUS: "client",
    Channel.CONTROL: "operator",
    Channel.CAPABILITIES: "simulator",
}
"""What the last level of a topic is called."""

_RECEIPT_OF: Final = {
    Channel.RESULT: "result_receipt",
    Channel.FAILURE: "result_receipt",
    Channel.CONTROL: "control_receipt",
}
"""What answers a message on a channel."""

SCHEMAS: Final = "#/components/schemas/"

_INTRODUCTION: Final = f"""How the agent of a campaign and the simulators (or a real laboratory) talk over MQTT.

**Whose view.** AsyncAPI describes one application; this document describes all of them. The name and the tag of an \
operation say whose it is: an operation `agentSends…` is `send` for the agent. To play the laboratory, do what the \
operations tagged `simulator` say.

**Delivery.** QoS {QOS}, a fixed client id, a persistent session. A broker's acknowledgement is flow control, not \
safety: a message may be lost with its broker, and may come twice. So every result and failure is repeated under the \
same `message_id` until its receipt, a request may be repeated too, and every receiver takes a repetition for one. \
QoS 2 is not used.

**Authority.** The sender's id is a level of its topic, so a broker's access list can pin a device to its own topics. \
A receiver refuses a message whose campaign, type or sender is not that of its topic.

**Signatures.** A message may carry signatures: HMAC-SHA-256 over topic and exact payload, over MQTT 5 in user \
properties `{SIGNATURE_PROPERTY}`, over 3.1.1 in an envelope, an object with `{ENVELOPE_MARK}`, `signatures` and the \
payload as a string. The payloads described here are those within. A campaign may require them.

**What is refused.** A malformed, oversize, foreign or unknown-version message changes nothing: the agent puts it into \
its quarantine, a simulator counts it, and no receipt is sent for it.

**MQTT versions.** 5, and 3.1.1 where the broker speaks no more. Nothing but signatures depends on MQTT 5 properties. \
A shared subscription (`$share/{SHARED_GROUP}/…`) needs a broker that knows it; without one, only one simulator may \
serve `{ANY_SIMULATOR}`. It deals in turn, whoever is busy or gone: what is to go to whoever is free, the agent \
addresses by what simulators announce."""

_CHANNELS: Final = {
    Channel.REQUEST: f"Requests to one simulator, or to `{ANY_SIMULATOR}`: whichever of the shared subscription.",
    Channel.RESULT: "Results of one simulator.",
    Channel.FAILURE: "Failures of one simulator.",
    Channel.RECEIPT: "Receipts for one simulator of its results and failures, or for one operator of its controls.",
    Channel.STATUS: "Status of one client, retained; the broker sends its last will, `offline`.",
    Channel.METRICS: "The bias of the dataset, retained.",
    Channel.CONTROL: "An operator's actions. The topic without its last level is for whoever may operate, where the "
    "campaign requires no signatures; a control there names no operator, and gets no receipt.",
    Channel.CAMPAIGN: "Where the campaign stands, retained, also when it is finished.",
    Channel.CAPABILITIES: "What one simulator can do, retained; of one that serves every campaign, in place of the "
    f"campaign `{EVERY_CAMPAIGN}`.",
    Channel.ANNOUNCE: "The agent asks all simulators to say again what they can do.",
}

_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "campaign": {
        "description": f"The campaign. Matches `{ID_PATTERN}`.",
        "examples": [CAMPAIGN],
        "location": "$message.payload#/campaign",
    },
    "recipient": {
        "description": f"A simulator's id, or `{ANY_SIMULATOR}`. Matches `{ID_PATTERN}`. It is not in the payload.",
        "examples": [ANY_SIMULATOR, SIMULATOR],
    },
    "simulator": {
        "description": f"A simulator's id. Matches `{ID_PATTERN}`.",
        "examples": [SIMULATOR],
        "location": "$message.payload#/simulator",
    },
    "receiver": {
        "description": f"A simulator's id, or an operator's, as `simulator` or `operator` of the payload. Matches "
        f"`{ID_PATTERN}`.",
        "examples": [SIMULATOR, OPERATOR],
    },
    "client": {
        "description": f"The client's id: `agent`, or a simulator's id. Matches `{ID_PATTERN}`.",
        "examples": ["agent", SIMULATOR],
        "location": "$message.payload#/client",
    },
    "operator": {
        "description": f"An operator's id. Matches `{ID_PATTERN}`.",
        "examples": [OPERATOR],
        "location": "$message.payload#/operator",
    },
}

_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "payload": {"maximum": MAX_PAYLOAD_BYTES, "unit": "byte"},
    "identifier": {"maximum": MAX_ID_LENGTH, "unit": "character"},
    "text": {"maximum": MAX_TEXT_LENGTH, "unit": "character"},
    "atoms": {"maximum": MAX_ATOMS, "unit": "atom a request"},
    "quantities": {"maximum": MAX_QUANTITIES, "unit": "property a request or a result"},
    "families": {"maximum": MAX_FAMILIES, "unit": "family a metrics report"},
    "value": {"maximum": MAX_ABS_VALUE, "unit": "magnitude, in the value's own unit"},
    "receiveMaximum": {"maximum": RECEIVE_MAXIMUM, "unit": "unacknowledged message towards a client (MQTT 5)"},
}
"""What a peer must keep to, as an extension: AsyncAPI has no word for it."""


def asyncapi_document() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the protocol."""
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": f"urn:entropilot:v{PROTOCOL_VERSION}",
        "info": {
            "title": "Entropilot protocol",
            "version": str(PROTOCOL_VERSION),
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {channel.value: _channel(channel) for channel in Channel},
        "operations": {operation.name: _operation(operation) for operation in OPERATIONS},
        "components": {
            "messages": {message_name(model): _message(model) for model in MESSAGE_TYPES},
            "parameters": _PARAMETERS,
            "schemas": shared_schemas(SCHEMAS),
            "securitySchemes": {"user": {"type": "userPassword", "description": "If the broker asks for one."}},
        },
        "x-protocol-version": PROTOCOL_VERSION,
        "x-limits": _LIMITS,
    }


def address_of(channel: Channel) -> str:
    """Return the topic of a channel with its parameters in braces."""
    client = None if channel in WITHOUT_CLIENT else "the-client"
    return (
        str(Topic("the-campaign", channel, client))
        .replace("the-campaign", "{campaign}")
        .replace("the-client", f"{{{CLIENT_PARAMETER.get(channel, '')}}}")
    )


def _servers() -> dict[str, Any]:
    (example,) = examples_of(Status)
    will = example.model_copy(update={"health": Health.OFFLINE, "detail": "", "incumbent": False})
    bindings = {
        "mqtt": {
            "cleanSession": False,
            "keepAlive": BrokerSettings.model_fields["keepalive_s"].default,
            "lastWill": {
                "topic": topic_of(will),
                "message": encode(will).decode(),
                "qos": QOS,
                "retain": True,
            },
            "bindingVersion": BINDING_VERSION,
        }
    }
    return {
        "loopback": {
            "host": f"127.0.0.1:{DEFAULT_PORTS['mqtt']}",
            "protocol": "mqtt",
            "protocolVersion": "3.1.1",
            "description": "An example: a broker on this machine. The last will is an example of one client's.",
            "bindings": bindings,
        },
        "laboratory": {
            "host": f"broker.example.org:{DEFAULT_PORTS['mqtts']}",
            "protocol": "secure-mqtt",
            "protocolVersion": "5",
            "description": "An example: the laboratory's own broker, over TLS.",
            "security": [{"$ref": "#/components/securitySchemes/user"}],
            "bindings": bindings,
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    parameters = ["campaign", *([CLIENT_PARAMETER[channel]] if channel in CLIENT_PARAMETER else [])]
    return {
        "address": address_of(channel),
        "title": channel.value.capitalize(),
        "description": _CHANNELS[channel],
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in parameters},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_on(channel)},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    channel = operation.channel
    binding: dict[str, Any] = {"qos": QOS}
    if operation.action == "send":
        binding["retain"] = channel in RETAINED
    described: dict[str, Any] = {
        "action": operation.action,
        "title": f"The {operation.role} {operation.action}s on the {channel.value} channel",
        "description": operation.words,
        "channel": {"$ref": f"#/channels/{channel.value}"},
        "messages": _references(channel, operation.message),
        "tags": [{"name": operation.role}],
        "bindings": {"mqtt": binding | {"bindingVersion": BINDING_VERSION}},
    }
    if operation.action == "send" and channel in _RECEIPT_OF:
        receipt, references = Channel.RECEIPT, _references(Channel.RECEIPT, _RECEIPT_OF[channel])
        described["reply"] = {"channel": {"$ref": f"#/channels/{receipt.value}"}, "messages": references}
    filters = _topic_filters(operation)
    return described | ({"x-topic-filters": filters} if filters else {})


def _message(model: type[Message]) -> dict[str, Any]:
    name = message_name(model)
    examples = [example.model_dump(mode="json", exclude_none=True) for example in examples_of(model)]
    described: dict[str, Any] = {
        "name": name,
        "title": model.__name__,
        "summary": (model.__doc__ or "").split("\n\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": f"{SCHEMAS}{model.__name__}"},
        "examples": [
            {
                "name": "complete" if number == 1 else f"complete-{number}",
                "summary": "With every optional field."
                if len(examples) == 1
                else "With every optional field that can stand together.",
                "payload": example,
            }
            for number, example in enumerate(examples, 1)
        ],
    }
    if "attempt_id" in model.model_fields:
        described["correlationId"] = {
            "description": "Ties request, result or failure, and receipt together.",
            "location": "$message.payload#/attempt_id",
        }
    return described


def _messages_on(channel: Channel) -> list[str]:
    return [name for name, its_channel in CHANNEL_OF.items() if its_channel is channel]


def _references(channel: Channel, only: str = "") -> list[dict[str, str]]:
    names = [only] if only else _messages_on(channel)
    return [{"$ref": f"#/channels/{channel.value}/messages/{name}"} for name in names]


def _topic_filters(operation: Operation) -> list[str]:
    """Return what the code subscribes to for an operation; nothing for those that it leaves to others."""
    subscriptions: dict[str, Callable[[], tuple[str, ...]]] = {
        "agent": lambda: agent_subscriptions("the-campaign"),
        "simulator": lambda: simulator_subscriptions("the-simulator", campaign="the-campaign", shared=True),
    }
    if operation.action == "send" or operation.role not in subscriptions:
        return []
    return [
        text.replace("the-campaign", "{campaign}").replace("the-simulator", "{simulator}")
        for text in subscriptions[operation.role]()
        if f"/{operation.channel.value}/" in f"{text}/"
    ]
