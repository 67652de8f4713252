"""The order of the checks: each stage stands on the one before, and ends where that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from protocols.concurrency.daemon_thread import in_daemon_thread
from protocols.errors import EntropilotError
from protocols.link.broker_settings import EMBEDDED, MOSQUITTO, BrokerAddress, BrokerSettings, MqttVersion
from protocols.link.credentials import Account, Role, known_accounts
from protocols.wire.topics import PREFIX
from scenarios.broker.embedded.users import Action
from scenarios.broker.mosquitto import find_mosquitto
from scenarios.doctor.checks import Check, Verdict, failed, of_error, passed, worst
from scenarios.doctor.clocks import judge_clocks
from scenarios.doctor.encryption import is_encrypted, look_at_our_files, look_at_plain, look_at_tls
from scenarios.doctor.lab_topics import NO_LAB, LabTopics, look_at_lab
from scenarios.doctor.login import judge_round_trip, log_in
from scenarios.doctor.machine import look_at_limits, look_at_packages, look_at_python
from scenarios.doctor.needs import STAND_IN, Part, needs_of
from scenarios.doctor.network import judge_knocks, knock, look_up
from scenarios.doctor.places import look_at_clock, look_at_place
from scenarios.doctor.probe import NotLetIn
from scenarios.doctor.retained import judge_retained, judge_sessions, online_in
from scenarios.doctor.rights import Accounts, show_rights
from scenarios.doctor.traces import judge_broker, look_at_kept, look_at_traces

HEAR_ALL: Final = frozenset({Role.ALL, Role.OBSERVER})
"""Parts that may hear whatever is retained."""

RETAIN: Final = frozenset({Role.AGENT, Role.INSTRUMENT})
"""Parts that retain something: their status."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Examination:
    """What is to be looked at.

    Attributes:
        broker: Where it is.
        part: Whose rights are looked at.
        campaign: Whose topics; `STAND_IN` where no campaign is meant.
        runs: Where runs go.
        witness: One who may hear everything, say everything, or both; None where nobody is named.
        scenario: The scenario's name, where one is meant.
        lab: Topics of a lab that has messages of its own; only the agent speaks to it.
    """

    broker: BrokerSettings
    part: Part
    campaign: str
    runs: Path
    witness: BrokerSettings | None = None
    scenario: str = ""
    lab: LabTopics = NO_LAB


def examine(wanted: Examination, on_check: Callable[[Check], None] = lambda _check: None) -> tuple[Check, ...]:
    """Look at everything that can be looked at; whatever is wrong is found and not raised.

    Args:
        wanted: What is to be looked at.
        on_check: Told each check when it is made.
    """
    checks = []
    for check in _all(wanted):
        on_check(check)
        checks.append(check)
    return tuple(checks)


def _all(wanted: Examination) -> Iterator[Check]:
    yield look_at_python()
    yield from look_at_packages()
    yield look_at_limits()
    yield look_at_clock()
    yield from look_at_place(wanted.runs)
    if wanted.scenario:
        yield passed("scenario", f"campaign {wanted.campaign!r}", subject=wanted.scenario)
    if wanted.broker.url in {EMBEDDED, MOSQUITTO}:
        yield _own_broker(wanted.broker.url)
        return
    try:
        own = wanted.broker.as_part(wanted.part.name)
        address = own.address()
        accounts = known_accounts(own.credentials_file, address.host, address.port)
    except EntropilotError as error:
        yield of_error("password", error)
        return
    link = _run(in_daemon_thread(lambda: list(_link(own, address)), discard=lambda _checks: None))  # a name may hang
    yield from link
    if worst(link) is Verdict.FAIL:
        return
    login = _run(log_in(own))
    yield from login.checks
    if login.version is not None:
        yield from _run(_inside(wanted, own, accounts, login.version))


def _own_broker(kind: str) -> Check:
    if kind == MOSQUITTO:
        try:
            return passed("broker", f"a run starts its own: {find_mosquitto()}")
        except EntropilotError as error:
            return of_error("broker", error)
    return passed("broker", "a run starts its own, which needs nothing; name one of your lab with --broker")


def _link(settings: BrokerSettings, address: BrokerAddress) -> Iterator[Check]:
    """Look at what lies below MQTT."""
    if is_encrypted(address):
        files = look_at_our_files(settings)
        yield from files
        if worst(files) is Verdict.FAIL:
            return
    name, addresses = look_up(address)
    yield name
    if not addresses:
        return
    reached = judge_knocks(address, knock(addresses, address.port))
    yield reached
    if reached.verdict is Verdict.FAIL:
        return
    if is_encrypted(address):
        yield from look_at_tls(settings, address)
    else:
        yield from look_at_plain(address, addresses, names_itself=address.password is not None)


async def _inside(
    wanted: Examination, own: BrokerSettings, known: tuple[Account, ...], version: MqttVersion
) -> list[Check]:
    """Look at what only who is let in can see."""

    def as_account(account: Account) -> BrokerSettings:
        return as_user(own, account.name, SecretStr(account.password))

    hears_all = next((as_account(each) for each in known if each.role in HEAR_ALL), own)
    try:
        needs = needs_of(wanted.part, wanted.campaign)
        hears = [each.topics for each in needs if each.action is Action.READ]
        traces = await look_at_traces(wanted.witness or hears_all, version, hears)
        there = online_in(traces.retained, wanted.campaign)
        accounts = Accounts(wanted.part, own, version, wanted.witness, known, as_account)
        rights = await show_rights(accounts, needs, wanted.campaign, there)
        of_lab = await look_at_lab(own, version, wanted.lab) if wanted.part.role is Role.AGENT else []
        status = f"{PREFIX}/{STAND_IN}/status/{wanted.part.name}"
        kept = await look_at_kept(own, version, status) if wanted.part.role in RETAIN else []
    except NotLetIn as error:
        action = f"{error.failure.advice}; see whether the same happens again"
        return [failed("link", f"it let us in, and then no more: {error.failure.reason}", action)]
    except EntropilotError as error:
        return [of_error("link", error)]
    url = own.redacted_url
    return [
        judge_round_trip(traces.round_trip_s),
        judge_broker(traces.broker),
        *rights,
        *of_lab,
        *kept,
        *judge_retained(traces.retained, wanted.campaign, url),
        judge_sessions(traces.retained, url),
        *judge_clocks(traces.heard),
    ]


def as_user(settings: BrokerSettings, name: str, password: SecretStr) -> BrokerSettings:
    """Return the same broker for another user, whatever the URL says of one."""
    address = settings.address()
    path = address.path if address.scheme.startswith("ws") else ""
    url = f"{address.scheme}://{address.place}{path}"
    return settings.model_copy(update={"url": url, "username": name, "password": password})


def _run(work: Coroutine[Any, Any, Made]) -> Made:
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)
