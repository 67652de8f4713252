"""Whether a run may drive its lab: a real one only with a person's word, and at a broker that is on the list."""

from __future__ import annotations

from dataclasses import dataclass

from agent.campaign.limits.live import Known, why_real
from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings
from scenarios.run.request import RunRequest
from scenarios.settings.live import place_of


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether a lab may be driven.

    Attributes:
        real: Why it counts as real, as far as is known before anything is heard; empty where it does not.
        place: Its broker as host:port; empty of one that the run starts for itself.
        is_listed: Whether a real lab may be driven at that broker.
    """

    real: str
    place: str
    is_listed: bool


def leave_of(request: RunRequest) -> Leave:
    """Return whether a run may drive its lab; what instruments elsewhere are shows only when they say so."""
    scenario = request.scenario
    real = why_real(_known_before(request), has_lab_section=scenario.lab is not None)
    if scenario.broker.is_ours:
        return Leave(real, "", is_listed=True)  # nobody but what the run starts is let in there
    host, port = _host_and_port(scenario.broker)
    return Leave(real, place_of(host, port), scenario.live.allows(host, port))


def require_leave(request: RunRequest) -> None:
    """Check that a person lets a real lab be driven there; simulated ones may be anywhere.

    An agent looks again when its instruments say what they are (`agent.runtime.admission.live_guard`).

    Raises:
        SettingsError: When it is a real one and nobody said --live, or the broker is not on the list.
    """
    leave = leave_of(request)
    if not request.is_live and leave.real:
        raise SettingsError(
            f"This campaign would drive a real lab: {leave.real}",
            expected="--live, which says that a real lab is meant",
            action="look with --dry-run, which shows what would be asked and sends nothing; then say --live",
        )
    if request.is_live and not leave.is_listed:
        brokers = request.scenario.live.brokers
        raise SettingsError(
            f"--live, and the broker {leave.place} is not among those where a real lab may be driven",
            expected=f"one of {', '.join(brokers)}" if brokers else "a list of them in live.brokers, which is empty",
            action=(
                f'if it is your lab, write brokers = ["{leave.place}"] below [live] into the scenario or a file for '
                f"--settings, or set ENTROPILOT_LIVE__BROKERS='[\"{leave.place}\"]'"
            ),
        )


def _known_before(request: RunRequest) -> Known:
    """Return what is known of the instruments before any is heard: of those that a run plays itself what they say."""
    played = request.scenario.instruments if request.with_simulator else ()
    return {each.id: each.serves.simulated for each in played}


def _host_and_port(broker: BrokerSettings) -> tuple[str, int]:
    """Return where a broker is, without a look at who may use it."""
    address = BrokerSettings(url=broker.url).address()
    return address.host, address.port
