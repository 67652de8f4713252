"""One client's connection: packets are read one by one, answered, and what waits for the client is sent.

What the client does not take stays in its session, which is bounded: at most one packet is handed to the system beyond
what the system takes. So memory does not grow with what others send, nor with what the client leaves unread.
"""

from __future__ import annotations

import asyncio

from scenarios.broker.embedded.limits import KEEPALIVES, MAX_PACKET_BYTES, TAKES_NOTHING_S, WITHOUT_A_SIGN_S
from scenarios.broker.embedded.packets import (
    Kind,
    Malformed,
    Packet,
    header_of,
    length_of,
    number_of,
    publication_of,
    wanted_of,
)
from scenarios.broker.embedded.router import Router
from scenarios.broker.embedded.sessions import Session
from scenarios.broker.embedded.writing import numbered, pong, publish, suback


async def read_packet(reader: asyncio.StreamReader, largest: int) -> Packet:
    """Read one packet.

    Args:
        reader: What the client sends.
        largest: Largest packet that is read [byte].

    Raises:
        Malformed: When it breaks the rules, or is larger; nothing of its content is read then.
        EOFError: When the client ends before it does.
    """
    kind, flags = header_of((await reader.readexactly(1))[0])
    said = await reader.readexactly(1)
    while (length := length_of(said)) is None:
        said += await reader.readexactly(1)
    if length > largest:
        raise Malformed(f"a {kind.name} of {length} bytes; at most {largest} are taken")
    return Packet(kind, flags, await reader.readexactly(length))


class Connection:
    """A connection; implements `sessions.Link`.

    Args:
        reader: What the client sends.
        writer: What it is sent.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Send what there is to send."""
        self._awake.set()

    def hang_up(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    def close(self) -> None:
        """End it after what was said."""
        self._writer.close()

    async def say(self, packet: bytes) -> None:
        """Send a packet, and wait while the client takes none.

        Raises:
            TimeoutError: When that lasts.
            OSError: When it is gone.
        """
        self._writer.write(packet)
        async with asyncio.timeout(TAKES_NOTHING_S):
            await self._writer.drain()

    async def converse(self, session: Session, router: Router, keepalive_s: int) -> bool:
        """Serve the client until it is gone; return whether it said goodbye.

        Raises:
            Malformed: When it breaks the rules.
            TimeoutError: When it gives no sign of life, or takes nothing.
            EOFError: When it is gone.
            OSError: The same.
        """
        sending = asyncio.create_task(self._send(session))
        sending.add_done_callback(lambda _: self.hang_up())  # one that cannot be sent to is not read either
        patience_s = keepalive_s * KEEPALIVES if keepalive_s else WITHOUT_A_SIGN_S
        try:
            self.wake()
            while True:
                async with asyncio.timeout(patience_s):
                    packet = await read_packet(self.reader, MAX_PACKET_BYTES)
                if packet.kind is Kind.DISCONNECT:
                    return True
                if answer := _answer(packet, session, router):
                    await self.say(answer)
                await asyncio.sleep(0)  # what has arrived already is read without waiting: let others have their turn
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, session: Session) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            # A later connection may have taken the session over.
            while session.link is self and (outgoing := session.next_outgoing()) is not None:
                await self.say(publish(outgoing.message, outgoing.number, again=outgoing.again))
                await asyncio.sleep(0)


def _answer(packet: Packet, session: Session, router: Router) -> bytes:
    """Do what a packet asks for; return what is answered, nothing where nothing is.

    Raises:
        Malformed: When it breaks the rules.
    """
    match packet.kind:
        case Kind.PUBLISH:
            return _take(packet, session, router)
        case Kind.PUBACK:
            session.acknowledge(number_of(packet))
            if session.link is not None:
                session.link.wake()
            return b""
        case Kind.PUBREL:
            number = number_of(packet)
            session.half_done.discard(number)
            return numbered(Kind.PUBCOMP, number)
        case Kind.SUBSCRIBE:
            wanted = wanted_of(packet)
            return suback(wanted.number, router.subscribe(session, wanted.filters))
        case Kind.UNSUBSCRIBE:
            wanted = wanted_of(packet)
            router.unsubscribe(session, wanted.filters)
            return numbered(Kind.UNSUBACK, wanted.number)
        case Kind.PINGREQ:
            return pong()
        case _:
            raise Malformed(f"a {packet.kind.name} where none belongs")


def _take(packet: Packet, session: Session, router: Router) -> bytes:
    """Take a message; return what is answered to it.

    Raises:
        Malformed: When it breaks the rules, or there are too many that were begun and not ended.
    """
    publication = publication_of(packet)
    if publication.message.qos < 2:  # noqa: PLR2004 - the quality in which a message is handed over in two steps
        router.publish(session, publication.message)
        return numbered(Kind.PUBACK, publication.number) if publication.number else b""
    if publication.number not in session.half_done:
        if not session.begin_half(publication.number):
            raise Malformed("too many messages that were begun and not ended")
        router.publish(session, publication.message)
    return numbered(Kind.PUBREC, publication.number)
