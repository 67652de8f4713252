"""Who of the lab is there: heard from statuses and first answers, with a grace before anybody counts as away.

An instrument says that it is there in its retained status, and its last will says that it left. One that was never
heard of is away as soon as somebody else has been heard for a while: until then nobody is there, and everything waits.
Nothing is decided here: what is to be decided by it is handed to the loop as inputs (`InstrumentGone`,
`InstrumentReturned`), which are journalled and recorded like a passed deadline.

What an instrument says of itself may flap, or be a stranger's word. So a grace stands before every absence, it doubles
with each one of the same instrument, and a return that changes nothing is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from agent.campaign.events import AttemptFailed, Event, ResultAccepted
from agent.campaign.presence import has_work, makes_a_difference
from agent.campaign.state import Campaign
from agent.runtime.transaction import InstrumentGone, InstrumentReturned
from protocols.wire.messages import Health, Status
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR

MIN_GRACE_S: Final = 5.0
"""Least time that a recipient must be away, the link being up, before others get its work: a program that is started
again, or a link that blinks, takes some seconds."""

GRACE_SHARE: Final = 0.1
"""The grace as a share of the request's time-out: what takes hours to measure is not given away after a minute."""

MAX_DOUBLINGS: Final = 6
"""Doublings of the grace of an instrument that comes and goes: from 5 s to five minutes; at the usual time-out, from
12 s to a quarter of an hour."""

STEADY_S: Final = 3_600.0
"""An instrument that was there for so long has its first grace again."""

TOLD_AFTER_S: Final = 2.0
"""After how long people are told whom the campaign waits for: what the broker retains comes within that."""

MAX_KNOWN: Final = 256
"""Clients whose status is remembered where anybody may be asked; of further ones nothing is known."""


class Presence:
    """Who is there, by monotonic time.

    Args:
        recipients: Who is asked.
        request_timeout_s: Time that an attempt has to answer [s].
    """

    def __init__(self, recipients: Iterable[str], request_timeout_s: float) -> None:
        self.recipients = tuple(dict.fromkeys(recipients))
        self.grace_s = max(MIN_GRACE_S, GRACE_SHARE * request_timeout_s)
        self._heard: dict[str, Health] = {}
        self._since: dict[str, float] = {}
        """Since when each recipient is there, or is not; from the last connect at the earliest."""
        self._came: set[str] = set()
        self._absences: dict[str, int] = {}
        self._connected = False

    @property
    def there(self) -> tuple[str, ...]:
        """The instruments that are there, by their own names."""
        return tuple(client for client, health in self._heard.items() if health is Health.ONLINE)

    def is_there(self, recipient: str) -> bool:
        """Tell whether a recipient can answer, as far as anybody said."""
        if recipient == ANY_SIMULATOR:
            return Health.ONLINE in self._heard.values()
        return self._heard.get(recipient) is Health.ONLINE

    def link_up(self, now: float) -> None:
        """Begin every grace anew: what happened meanwhile, the broker tells now [now: s, monotonic]."""
        self._connected = True
        self._since = dict.fromkeys(self.recipients, now)

    def link_down(self) -> None:
        """Judge nobody: whoever seems to be away may be there."""
        self._connected = False

    def hear(self, statuses: Iterable[Status], events: Iterable[Event], now: float) -> list[str]:
        """Take in what a transaction tells.

        Args:
            statuses: What clients said of themselves, in order.
            events: What was made of answers: who answers and has no status is there all the same.
            now: Monotonic time [s].

        Returns:
            The recipients that have come.
        """
        before = [each for each in self.recipients if self.is_there(each)]
        for status in statuses:
            self._note(status.client, status.health)
        for event in events:
            if isinstance(event, ResultAccepted | AttemptFailed) and event.simulator not in self._heard:
                self._note(event.simulator, Health.ONLINE)
        came = [each for each in self.recipients if self.is_there(each) and each not in before]
        left = [each for each in before if not self.is_there(each)]
        for each in left:
            if now - self._since.get(each, now) >= STEADY_S:
                self._absences.pop(each, None)
        self._since |= dict.fromkeys((*came, *left), now)
        self._came.update(came)
        return came

    def due(self, campaign: Campaign, now: float) -> list[InstrumentGone | InstrumentReturned]:
        """Return what is to be decided now: returns first, so that somebody is there when another is away."""
        if not self._connected:
            return []
        came, self._came = self._came, set()
        inputs: list[InstrumentGone | InstrumentReturned] = [
            InstrumentReturned(each)
            for each in self.recipients
            if self.is_there(each)
            and (each in came or each in campaign.absence.away)
            and makes_a_difference(campaign, each)
        ]
        for at, recipient in self._absences_ahead(campaign):
            if at <= now:
                never = self._heard.get(recipient) is None
                inputs.append(InstrumentGone(recipient, "it was never heard of" if never else "it says so"))
                self._absences[recipient] = min(self._absences.get(recipient, 0) + 1, MAX_DOUBLINGS)
                self._since[recipient] = now  # whatever is decided: not again before another grace
        return inputs

    def waiting_for(self, campaign: Campaign, now: float) -> tuple[str, ...]:
        """Return the recipients that hold attempts and are not there, for people; nobody while the link is down."""
        return tuple(each for at, each in self._waits(campaign) if at <= now)

    def wait_s(self, campaign: Campaign, now: float) -> float | None:
        """Return the time until something is due, or is to be told [s]; None when nothing is."""
        ahead = [at for at, _ in self._waits(campaign) if at > now]
        ahead.extend(at for at, _ in self._absences_ahead(campaign))
        if self._connected and any(makes_a_difference(campaign, each) for each in self._came):
            return 0.0
        return max(0.0, min(ahead) - now) if ahead else None

    def _note(self, client: str, health: Health) -> None:
        if client == AGENT_CLIENT or (client not in self.recipients and ANY_SIMULATOR not in self.recipients):
            return
        if client in self._heard or len(self._heard) < MAX_KNOWN:
            self._heard[client] = health

    def _absent(self) -> list[str]:
        """Return the recipients that are not there; nobody is judged without a link."""
        return [each for each in self.recipients if not self.is_there(each)] if self._connected else []

    def _waits(self, campaign: Campaign) -> Iterator[tuple[float, str]]:
        """Yield whom the campaign waits for, and from when on people are told."""
        absent = self._absent()
        if not absent:
            return
        asked = {each.recipient for each in campaign.in_flight.values()}
        for recipient in absent:
            if recipient in asked:
                yield self._since[recipient] + TOLD_AFTER_S, recipient

    def _absences_ahead(self, campaign: Campaign) -> Iterator[tuple[float, str]]:
        """Yield whose work is to be given to others, and when."""
        absent = self._absent()
        if not absent or not has_work(campaign):
            return
        there = {each: self._since[each] for each in self.recipients if self.is_there(each)}
        if not there:
            return
        for recipient in absent:
            if recipient not in campaign.absence.away:
                grace_s = self.grace_s * 2.0 ** self._absences.get(recipient, 0)
                yield max(self._since[recipient], min(there.values())) + grace_s, recipient


def named(recipients: Iterable[str]) -> str:
    """Return recipients as people read them."""
    return ", ".join("an instrument" if each == ANY_SIMULATOR else each for each in recipients)
