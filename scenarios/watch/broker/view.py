"""What a broker has told of a campaign since the page began: a fold over messages. Pure.

Others wrote what is there: what cannot be read is counted, and nothing of it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from protocols.errors import MessageError
from protocols.wire.codec import decode
from protocols.wire.messages import CampaignState, Capabilities, Health, MetricsReport, Status
from protocols.wire.topics import AGENT_CLIENT, EVERY_CAMPAIGN, Channel, parse

MAX_REPORTS: Final = 20_000
"""Most points of one campaign that are kept: a kilobyte each."""

MAX_CAMPAIGNS: Final = 200
"""Most campaigns that are kept of one broker."""

MAX_INSTRUMENTS: Final = 500
"""Most instruments of one campaign that are kept."""

SEEN: Final = frozenset({Channel.CAMPAIGN, Channel.STATUS, Channel.METRICS, Channel.CAPABILITIES})
"""What is looked at."""


@dataclass(slots=True)
class CampaignView:
    """What is known of one campaign.

    Attributes:
        name: Of it.
        state: Where it stands; None where no such word has come.
        agent: Its agent's status; None likewise.
        instruments: Those of its instruments, by id.
        capabilities: What they can do, by id.
        heard_at: When something of each came, by id.
        reports: The points, by observation, in order.
        last_at: When something of it came last.
        change: Grows with every message.
    """

    name: str
    state: CampaignState | None = None
    agent: Status | None = None
    instruments: dict[str, Status] = field(default_factory=dict)
    capabilities: dict[str, Capabilities] = field(default_factory=dict)
    heard_at: dict[str, datetime] = field(default_factory=dict)
    reports: dict[int, MetricsReport] = field(default_factory=dict)
    last_at: datetime | None = None
    change: int = 0

    @property
    def last_report(self) -> MetricsReport | None:
        """The latest point."""
        return next(reversed(self.reports.values()), None)

    @property
    def version(self) -> int:
        """Number of the journal's last row that was told of; where agents tell of none, how many messages came."""
        told = [each.row for each in (self.state, self.last_report) if each is not None and each.row is not None]
        return max(told, default=self.change)

    def row_of(self, report: MetricsReport) -> int:
        """Return the row of the journal that a point was told with; where none was told, the point's number."""
        return report.observation if report.row is None else report.row


@dataclass(slots=True)
class BrokerView:
    """What is known of a broker's campaigns.

    Attributes:
        campaigns: By name.
        for_every_campaign: The status of instruments that serve every one, by id.
        unreadable: How many messages could not be read.
    """

    campaigns: dict[str, CampaignView] = field(default_factory=dict)
    for_every_campaign: dict[str, Status] = field(default_factory=dict)
    unreadable: int = 0

    def take(self, topic: str, payload: bytes, at: datetime) -> None:
        """Take one message.

        Args:
            topic: Where it came; those of others are passed over.
            payload: Without a signature around it; an empty one says that the topic retains nothing any more.
            at: When.
        """
        try:
            parsed = parse(topic)
        except MessageError:
            return
        if parsed.channel not in SEEN:
            return
        view = self._of(parsed.campaign)
        if view is None:
            return
        if not payload:
            _remove(view, parsed.channel, parsed.client or "")
            return
        try:
            message = decode(topic, payload)
        except MessageError:
            self.unreadable += 1
            return
        view.change += 1
        view.last_at = at
        if isinstance(message, Status):
            self._take_status(view, parsed.campaign, message, at)
            return
        match message:
            case CampaignState():
                view.state = message
            case MetricsReport():
                _add_report(view, message)
            case Capabilities() if message.simulator in view.capabilities or len(view.capabilities) < MAX_INSTRUMENTS:
                view.capabilities[message.simulator] = message
            case _:
                pass

    def known(self) -> Mapping[str, CampaignView]:
        """Return the campaigns of which an agent has said something, by name."""
        return {
            name: view
            for name, view in sorted(self.campaigns.items())
            if name != EVERY_CAMPAIGN and (view.state is not None or view.reports or view.agent is not None)
        }

    def _take_status(self, view: CampaignView, campaign: str, status: Status, at: datetime) -> None:
        if campaign == EVERY_CAMPAIGN:
            self.for_every_campaign[status.client] = status
        elif status.client == AGENT_CLIENT:
            view.agent = status
        elif status.client in view.instruments or len(view.instruments) < MAX_INSTRUMENTS:
            view.instruments[status.client] = status
            view.heard_at[status.client] = at

    def _of(self, campaign: str) -> CampaignView | None:
        if campaign not in self.campaigns and len(self.campaigns) >= MAX_CAMPAIGNS:
            return None
        return self.campaigns.setdefault(campaign, CampaignView(campaign))


def is_there(status: Status | None) -> bool | None:
    """Tell whether somebody is there; None where nothing is known of it."""
    return None if status is None else status.health is Health.ONLINE


def _add_report(view: CampaignView, report: MetricsReport) -> None:
    """Add a point; one that goes back belongs to a campaign that was begun again under the name."""
    last = view.last_report
    if last is not None and report.observation < last.observation:
        view.reports.clear()
    view.reports[report.observation] = report
    if len(view.reports) > MAX_REPORTS:
        for number in list(view.reports)[: MAX_REPORTS // 2]:
            del view.reports[number]


def _remove(view: CampaignView, channel: Channel, client: str) -> None:
    """Take away what is not retained any more: the campaign is over; its last state and its points stay."""
    if channel is Channel.STATUS and client == AGENT_CLIENT:
        view.agent = None
    elif channel is Channel.STATUS:
        view.instruments.pop(client, None)
    elif channel is Channel.CAPABILITIES:
        view.capabilities.pop(client, None)
