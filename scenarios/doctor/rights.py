"""Whether what a part says is delivered, and what it must hear reaches it: shown by messages, not by return codes.

A broker may confirm a message and drop it (most do so over MQTT 3.1.1), or grant a subscription and deliver nothing
(Mosquitto does). So something is said on each topic and awaited. Who is not allowed to hear what it says needs another
account to show it; without one its right is not shown, which is a warning and no fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.codes import NO_SUBSCRIBERS, REFUSALS_FROM, reason_text
from protocols.link.credentials import Account
from protocols.wire.fresh_ids import fresh_id
from scenarios.broker.embedded.users import Action
from scenarios.doctor.checks import Check, failed, passed, warned
from scenarios.doctor.needs import Need, Part, is_heard_at_work, listener_for, speaker_for
from scenarios.doctor.probe import ENDED_CODE, NO_ANSWER, NotLetIn, Probe

DELIVERY_S: Final = 2.0
"""How long a message may take to come back [s]: far longer than any round trip."""

GRANT: Final = "let the broker's access list grant it"
"""What to do about a right that lacks."""

SHOW_IT: Final = (
    "name a second account with --witness that may hear and say it, or a file of accounts in "
    "ENTROPILOT_BROKER__CREDENTIALS_FILE"
)
"""What to do about a right that could not be shown."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who may speak for the doctor.

    Attributes:
        part: Whose rights are looked at.
        own: Its own settings.
        version: The MQTT that is spoken.
        witness: Settings of one who may hear everything, say everything, or both; None where there is none.
        known: Further accounts, of a file of credentials.
        as_account: Makes the settings of one of them.
    """

    part: Part
    own: BrokerSettings
    version: MqttVersion
    witness: BrokerSettings | None
    known: tuple[Account, ...]
    as_account: Callable[[Account], BrokerSettings]


async def show_rights(accounts: Accounts, needs: Iterable[Need], campaign: str, online: Iterable[str]) -> list[Check]:
    """Try each need.

    Args:
        accounts: Who may speak.
        needs: What the part must be able to do.
        campaign: The campaign.
        online: Parts of it that say that they are there: nothing is said that they would hear.
    """
    there = frozenset(online)
    checks = []
    async with _Room(accounts, campaign) as room:
        for need in needs:
            show = room.show_saying if need.action is Action.WRITE else room.show_hearing
            checks.append(await show(need, there))
    return checks


class _Room:
    """The connections over which needs are tried: one an account, made when it is needed, and again where it ended."""

    def __init__(self, accounts: Accounts, campaign: str) -> None:
        self._accounts = accounts
        self._campaign = campaign
        self._open: dict[str, tuple[Probe, AsyncExitStack]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_told: object) -> None:
        for _, stack in self._open.values():
            await stack.aclose()

    async def show_saying(self, need: Need, online: frozenset[str]) -> Check:
        """Say something, and see whether it comes to ourselves or to a witness."""
        if is_heard_at_work(need.tried, online):
            return _left_alone("say", need, online)
        own, payload = await self._own(), payload_of_ours()
        other = await self._listener(need.tried)
        listeners = [
            each
            for each in (own, other)
            if each is not None and (await each.subscribe(need.tried))[0] < REFUSALS_FROM and each.is_up
        ]
        began, sent = time.monotonic(), await own.publish(need.tried, payload)
        for each in listeners:
            if (came := await each.heard(need.tried, payload, began + DELIVERY_S - time.monotonic())) is not None:
                return passed("say", f"delivered after {(came.at_s - began) * 1000:,.0f} ms", subject=need.topics)
        refusal = refusal_of(sent if own.is_up else ENDED_CODE)
        if refusal is not None:
            return failed("say", refusal, GRANT, subject=need.topics)
        confirmed = "confirmed" if sent != NO_SUBSCRIBERS else "confirmed as reaching nobody"
        if other in listeners:
            found = (
                f"{confirmed}, and not delivered to one who hears all that is said there: it is dropped without a word"
            )
            return failed("say", found, GRANT, subject=need.topics)
        found = f"{confirmed}, and not delivered to us, who may not be allowed to hear it: the right is not shown"
        return warned("say", found, SHOW_IT, subject=need.topics)

    async def show_hearing(self, need: Need, online: frozenset[str]) -> Check:
        """Subscribe as the part does, and see whether what a witness, or we, say there comes."""
        own, payload = await self._own(), payload_of_ours()
        code, _ = await own.subscribe(need.topics)
        if (refusal := refusal_of(code)) is not None:
            return failed("hear", f"the subscription was {refusal}", GRANT, subject=need.topics)
        why = ""
        for account, topic in self._speakers(need):
            if is_heard_at_work(topic, online):
                return _left_alone("hear", need, online)
            if (speaker := await self._probe(*account)) is None:
                continue
            control = await self._listener(topic)
            if control is not None:
                await control.subscribe(topic)
            began, sent = time.monotonic(), await speaker.publish(topic, payload)
            if why := refusal_of(sent) or "":
                continue
            if await own.heard(topic, payload, DELIVERY_S) is not None:
                return passed("hear", "what is said there comes", subject=need.topics)
            rest_s = max(began + DELIVERY_S - time.monotonic(), 0.0)
            if control is not None and await control.heard(topic, payload, rest_s) is not None:
                found = "the subscription is granted, and what is said there does not come"
                return failed("hear", found, GRANT, subject=need.topics)
        if not need.is_spoken:
            found = "the subscription is granted; only who may say everything speaks there"
            return passed("hear", found, subject=need.topics)
        found = "the subscription is granted; that it delivers is not shown, for nothing could be said there"
        return warned("hear", f"{found} ({why or 'nobody heard it'})", SHOW_IT, subject=need.topics)

    async def _own(self) -> Probe:
        found = await self._probe("own", self._accounts.own)
        assert found is not None  # noqa: S101 - it was let in before
        return found

    async def _listener(self, topic: str) -> Probe | None:
        if self._accounts.witness is not None:
            return await self._probe("witness", self._accounts.witness)
        account = listener_for(topic, self._accounts.known, self._campaign)
        return None if account is None else await self._probe(account.name, self._accounts.as_account(account))

    def _speakers(self, need: Need) -> Iterator[tuple[tuple[str, BrokerSettings], str]]:
        """Yield who may be able to say something that is to be heard, and on which topic, the likeliest first."""
        accounts = self._accounts
        if (found := speaker_for(need, accounts.known, self._campaign)) is not None:
            account, topic = found
            yield (account.name, accounts.as_account(account)), topic
        if accounts.witness is not None:
            yield ("witness", accounts.witness), need.tried
        own = Account(accounts.part.name, accounts.part.role, "")
        found = speaker_for(need, [own], self._campaign)
        yield ("own", accounts.own), need.tried if found is None else found[1]

    async def _probe(self, name: str, settings: BrokerSettings) -> Probe | None:
        """Return the connection of an account; None where it is not let in, though another was."""
        if name in self._open and self._open[name][0].is_up:
            return self._open[name][0]
        if name in self._open:
            await self._open.pop(name)[1].aclose()
        stack = AsyncExitStack()
        try:
            probe = await stack.enter_async_context(Probe.let_in(settings, self._accounts.version))
        except NotLetIn:
            if name == "own":
                raise
            return None
        self._open[name] = (probe, stack)
        return probe


def refusal_of(code: int) -> str | None:
    """Return how a broker refused something, in words; None where it did not."""
    if code == ENDED_CODE:
        return "answered by the end of the connection, as some brokers do where something is denied"
    if code == NO_ANSWER:
        return "not answered"
    return f"refused: {reason_text(code)}" if code >= REFUSALS_FROM else None


def _left_alone(name: str, need: Need, online: frozenset[str]) -> Check:
    return warned(
        name,
        f"not tried: {', '.join(sorted(online))} of this campaign would hear it",
        "try it while they are not at work, or as another --campaign",
        subject=need.topics,
    )


def payload_of_ours() -> bytes:
    """Return something that is no message of the protocol, and nobody else's."""
    return f"entropilot doctor {fresh_id()}".encode()
