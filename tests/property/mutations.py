"""Spoils messages in every way that a broken, careless or hostile peer could, by chance and repeatably."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from protocols.wire.limits import MAX_PAYLOAD_BYTES

Mail = tuple[str, bytes]
"""Topic and payload."""

DEEP: Final = 3_000
"""Nesting beyond what a recursive reader survives [level]."""

HOSTILE: Final[tuple[str, ...]] = (
    "null", "true", "false", "0", "-0", "-0.0", "1", "1.0", "1e0", "-1", "1e999", "-1e999", "NaN", "Infinity", "1e-400",
    "9007199254740993", "1" + "0" * 400, "0." + "3" * 400, "1e150", "1.01e150", "01", "+1", ".5", "0x10", "1_000",
    '""', '"0"', '"1.0"', '"nan"', '"any"', '"agent"', '"demo"', '"../../etc/passwd"', '"a/b"', '"+"', '"#"', '"$SYS"',
    r'"\u0000"', r'"\ud800"', r'"\ud83d\ude00"', '"\u202e\u0000\ufeff"',
    '"' + "é" * 501 + '"', '"' + "x" * 70_000 + '"', "1767323045",
    '"simulator-1\\n"', '"SIMULATOR-1"', '"2026-02-30T00:00:00Z"', '"2026-01-02T03:04:05"', '"2026-01-02"',
    '"9999-12-31T23:59:59.999999+23:59"', '"0001-01-01T00:00:00-23:59"',
    "[]", "{}", "[[]]", "[null]", '{"": {}}', '{"name": "x"}', "[" * 50 + "]" * 50, "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP, "[" + "0," * 5_000 + "0]",
    '{"$ref": "#"}', '{"__class__": "os.system"}', "undefined",
)  # fmt: skip
"""What stands where something else is expected; not all of it is JSON."""

TOPIC_LEVELS: Final = (
    "", "+", "#", "$SYS", "..", "any", "agent", "demo", "other", "DEMO", "demo\0", "demo\n", " demo", "d\u00e9mo",
    "x" * 65,
    "result", "failure", "request", "receipt", "status", "bias", "control", "simulator-1", "simulator-2", "v1", "v2",
    "entropilot", "\ud800", "a/b",
)  # fmt: skip


def mutated(mail: Mail, others: Sequence[Mail], words: Sequence[str], rng: random.Random) -> tuple[str, Mail]:
    """Return the name of a mutation and what it made.

    Args:
        mail: The message to spoil.
        others: Valid messages, to splice with.
        words: Names that mean something in the campaign: attempts, candidates, simulators.
        rng: Where chance comes from.
    """
    name = rng.choice(tuple(MUTATIONS))
    topic, payload = mail
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        topic, payload = MUTATIONS[name]((topic, payload), others, words, rng)
        if len(payload) > 4 * MAX_PAYLOAD_BYTES:
            break
    return name, (topic, payload)


Mutation = Callable[[Mail, Sequence[Mail], Sequence[str], random.Random], Mail]


def _bits(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    payload = bytearray(mail[1])
    for _ in range(rng.randint(1, 4)):
        if payload:
            payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
    return mail[0], bytes(payload)


def _truncation(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    begin = rng.choice((0, 0, 0, rng.randrange(len(mail[1]) + 1)))
    return mail[0], mail[1][begin : rng.randrange(len(mail[1]) + 1)]


def _insertion(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    at = rng.randrange(len(mail[1]) + 1)
    new = rng.choice(
        (rng.randbytes(rng.randint(1, 8)), b" ", b"\n", b"\xef\xbb\xbf", b"\0", b",", b'"', b"/**/", b"\\")
    )
    return mail[0], mail[1][:at] + new + mail[1][at:]


def _splice(mail: Mail, others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    other = rng.choice(others)[1]
    return mail[0], mail[1][: rng.randrange(len(mail[1]) + 1)] + other[rng.randrange(len(other) + 1) :]


def _hostile_value(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    return mail[0], _with_leaf(mail[1], rng, rng.choice(HOSTILE))


def _other_word(mail: Mail, _others: Sequence[Mail], words: Sequence[str], rng: random.Random) -> Mail:
    return mail[0], _with_leaf(mail[1], rng, json.dumps(rng.choice(words)))


def _other_number(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    number = rng.choice(
        (rng.uniform(-20, 20), rng.uniform(-1e151, 1e151), 10 ** rng.uniform(-320, 308), rng.getrandbits(80))
    )
    return mail[0], _with_leaf(mail[1], rng, json.dumps(number))


def _repeated_key(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    text = mail[1].decode(errors="replace")
    braces = [at for at, sign in enumerate(text) if sign == "{"]
    keys = [part for part in text.split('"') if part.isidentifier()]
    if not braces or not keys:
        return mail
    at = rng.choice(braces) + 1
    key = rng.choice(keys)
    spelled = "".join(f"\\u{ord(sign):04x}" for sign in key) if rng.random() < 0.3 else key
    return mail[0], f'{text[:at]}"{spelled}":{rng.choice(HOSTILE[:30])},{text[at:]}'.encode(errors="replace")


def _key(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    content = _read(mail[1])
    places = [place for place in _places(content) if isinstance(place[0], dict)]
    if not places:
        return mail
    holder, key = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del holder[key]
        case 1:
            holder[rng.choice(("extra", "", "Type", "type ", "__proto__", "seed", "\0"))] = holder[key]
        case 2:
            holder[key.upper()] = holder.pop(key)
        case _:
            items = list(holder.items())
            rng.shuffle(items)
            holder.clear()
            holder.update(items)
    return mail[0], json.dumps(content).encode(errors="replace")


def _spelling(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    """The same content written otherwise: some of these must be taken."""
    content = _read(mail[1])
    match rng.randrange(6):
        case 0:
            return mail[0], json.dumps(content, indent=2).encode(errors="replace")
        case 1:
            return mail[0], mail[1].decode(errors="replace").encode("utf-16")
        case 2:
            return mail[0], "".join(
                f"\\u{ord(s):04x}" if s.isalpha() else s for s in mail[1].decode(errors="replace")
            ).encode()
        case 3:
            return mail[0], mail[1] + b" " * rng.choice((1, 1_000, MAX_PAYLOAD_BYTES))
        case 4:
            return mail[0], json.dumps([content]).encode(errors="replace")
        case _:
            return mail[0], json.dumps(json.dumps(content)).encode(errors="replace")


def _depth(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = rng.choice((10, 200, 1_000, 10_000))
    return mail[0], opening * depth + rng.choice((b"", mail[1])) + closing * rng.choice((0, depth))


def _topic(mail: Mail, others: Sequence[Mail], _words: Sequence[str], rng: random.Random) -> Mail:
    levels = mail[0].split("/")
    match rng.randrange(6):
        case 0:
            return rng.choice(others)[0], mail[1]
        case 1:
            levels[rng.randrange(len(levels))] = rng.choice(TOPIC_LEVELS)
        case 2:
            levels.insert(rng.randrange(len(levels) + 1), rng.choice(TOPIC_LEVELS))
        case 3:
            del levels[rng.randrange(len(levels))]
        case 4:
            levels = ["entropilot/v1", *rng.choices(TOPIC_LEVELS, k=rng.randint(0, 4))]
        case _:
            at = rng.randrange(len(mail[0]) + 1)
            return mail[0][:at] + chr(rng.choice((0, 47, 43, 35, rng.randrange(0xD7FF), rng.randrange(128)))) + mail[0][
                at:
            ], mail[1]
    return "/".join(levels), mail[1]


def _elsewhere(mail: Mail, _others: Sequence[Mail], words: Sequence[str], rng: random.Random) -> Mail:
    """A whole message of another campaign, or of another device: topic and content agree."""
    content, levels = _read(mail[1]), mail[0].split("/")
    if not isinstance(content, dict) or len(levels) < 5:
        return mail
    which = rng.choice((2, 4))
    for field in ("campaign",) if which == 2 else ("simulator", "client"):
        if field in content:
            content[field] = levels[which] = rng.choice(("other", "simulator-1", "simulator-2", rng.choice(words)))
    return "/".join(levels), json.dumps(content).encode(errors="replace")


def _nothing(mail: Mail, _others: Sequence[Mail], _words: Sequence[str], _rng: random.Random) -> Mail:
    """A repetition; that it is taken shows that the others could be."""
    return mail


MUTATIONS: Final[dict[str, Mutation]] = {
    "bits": _bits,
    "truncation": _truncation,
    "insertion": _insertion,
    "splice": _splice,
    "hostile value": _hostile_value,
    "other word": _other_word,
    "other number": _other_number,
    "repeated key": _repeated_key,
    "key": _key,
    "spelling": _spelling,
    "depth": _depth,
    "topic": _topic,
    "elsewhere": _elsewhere,
    "nothing": _nothing,
}


def _read(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return {}


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return every (holder, key) in a content, to a depth that is no trap for us."""
    found: list[tuple[Any, Any]] = []
    waiting = [content]
    while waiting and len(found) < 500:
        holder = waiting.pop()
        keys: Any = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _with_leaf(payload: bytes, rng: random.Random, text: str) -> bytes:
    """Put a text, JSON or not, in the place of some value."""
    content = _read(payload)
    places = _places(content)
    if not places:
        return payload
    holder, key = rng.choice(places)
    holder[key] = "\x01here\x01"
    return json.dumps(content).replace(json.dumps("\x01here\x01"), text).encode(errors="surrogatepass")
