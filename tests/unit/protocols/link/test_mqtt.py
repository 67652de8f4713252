"""What the MQTT session makes of a broker's answers that no well-behaved broker can be made to give."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.enums import MQTTErrorCode

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import STEADY_S, MqttSession
from protocols.link.tcp import hang_up
from protocols.link.transport import LinkDown, LinkLost, LinkUp, PublishRefused
from tests.unit.protocols.link.mqtt_peer import PATIENCE_S, V5, V311, Script, ended_by, running, scripted_peer


def session_of(settings: BrokerSettings, *subscriptions: str) -> MqttSession:
    return MqttSession(settings, client_id="client", subscriptions=subscriptions)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - of another library's making
            await asyncio.sleep(0.005)


async def test_a_client_whose_id_is_taken_over_says_so_and_ends() -> None:
    script = Script()
    async with scripted_peer(script) as settings, running(session_of(settings)) as task:
        script.disconnect_all(142)
        with pytest.raises(BrokerError, match="Another client took the id 'client'"):
            async with asyncio.timeout(PATIENCE_S):
                await task


async def test_a_disconnect_for_another_reason_is_mended() -> None:
    script = Script()
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        async with running(session):
            script.disconnect_all(139)  # the server is shutting down
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await session.receive(), LinkDown)
                assert isinstance(await session.receive(), LinkUp)


@pytest.mark.parametrize("code", [133, 134, 135, 138, 140])
async def test_a_refusal_that_trying_again_cannot_mend_ends_the_session(code: int) -> None:
    script = Script(connack={V5: code})
    async with scripted_peer(script) as settings:
        error = await ended_by(session_of(settings))
    assert str(code) in error.found
    assert len(script.levels) == 1


async def test_a_broker_that_is_busy_at_first_is_tried_again() -> None:
    script = Script(connack={V5: 137, V311: 3})  # server busy, in both tongues
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await session.receive(), LinkDown)
            script.connack.clear()
            while not isinstance(await session.receive(), LinkUp):
                pass
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("code", [1, 132])
async def test_auto_falls_back_to_the_older_version_at_once_where_a_broker_says_that_it_speaks_no_more(
    code: int,
) -> None:
    script = Script(connack={V5: code})
    async with scripted_peer(script) as settings, running(session_of(settings, "lab/x")):
        assert script.levels == [V5, V311]


async def test_a_version_that_is_asked_for_is_not_changed() -> None:
    script = Script(connack={V5: 132})
    async with scripted_peer(script) as settings:
        asked = settings.model_copy(update={"version": MqttVersion.V5, "first_connect_timeout_s": 0.1})
        assert "unsupported" in (await ended_by(session_of(asked))).found.lower()
    assert set(script.levels) == {V5}


async def test_a_connection_that_was_never_confirmed_is_not_left_open() -> None:
    script = Script(connack={V5: None})
    async with scripted_peer(script) as settings, running(session_of(settings)):
        assert script.levels == [V5, V311]
        await until(lambda: script.open == 1)


async def test_auto_does_not_give_up_on_mqtt_5_because_the_broker_is_not_there_yet() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    session = session_of(BrokerSettings(url=f"mqtt://127.0.0.1:{port}", reconnect_min_s=0.02))
    task = asyncio.create_task(session.run())
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await session.receive(), LinkDown)
        script = Script()
        async with scripted_peer(script, port):
            while not isinstance(await session.receive(), LinkUp):
                pass
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert script.levels == [V5]


async def test_a_refused_subscription_ends_the_session_and_names_the_filter() -> None:
    async with scripted_peer(Script(suback=135)) as settings:
        error = await ended_by(session_of(settings, "lab/secret"))
    assert "'lab/secret'" in error.found
    assert "access list" in error.action


async def test_an_answer_that_does_not_fit_the_subscriptions_is_a_spoiled_link_and_mended() -> None:
    script = Script(suback_codes=2)
    async with scripted_peer(script) as settings:
        session = session_of(settings, "lab/results")
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            down = await session.receive()
            assert isinstance(down, LinkDown)
            assert "1 subscriptions with 2 codes" in down.reason
            script.suback_codes = 1
            while not isinstance(await session.receive(), LinkUp):
                pass
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("refusal", [{"connack": {V5: 135}}, {"suback": 135}])
async def test_a_broker_that_took_us_before_must_refuse_twice_for_one_flipped_bit_looks_like_a_refusal(
    refusal: dict[str, Any],
) -> None:
    script = Script()
    async with scripted_peer(script) as settings:
        session = session_of(settings, "lab/results")
        async with running(session) as task:
            for name, value in refusal.items():
                setattr(script, name, value)
            script.disconnect_all(139)
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await session.receive(), LinkDown)
                assert isinstance(await session.receive(), LinkDown)
                script.connack, script.suback = {}, 1
                while not isinstance(await session.receive(), LinkUp):
                    pass
            for name, value in refusal.items():
                setattr(script, name, value)
            script.disconnect_all(139)
            with pytest.raises(BrokerError, match="refuses"):
                async with asyncio.timeout(PATIENCE_S):
                    await task


async def test_a_broker_that_does_not_confirm_leaves_the_outcome_unknown_after_the_patience() -> None:
    script = Script(puback=None)
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        async with running(session):
            began = asyncio.get_running_loop().time()
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")
            assert 0.15 < asyncio.get_running_loop().time() - began < 5.0
    assert script.topics == ["lab/x"]


async def test_a_link_that_is_lost_leaves_what_is_unconfirmed_unknown_at_once() -> None:
    script = Script(puback=None)
    async with scripted_peer(script) as settings:
        session = session_of(settings.model_copy(update={"publish_timeout_s": 600.0}))
        async with running(session):
            publishing = asyncio.create_task(session.publish("lab/x", b"1"))
            async with asyncio.timeout(PATIENCE_S):
                await until(lambda: bool(script.topics))
                script.disconnect_all(139)
                with pytest.raises(LinkLost):
                    await publishing


@pytest.mark.parametrize("code", [131, 147, 151])
async def test_a_passing_fault_at_a_publish_counts_as_unknown(code: int) -> None:
    async with scripted_peer(Script(puback=code)) as settings:
        session = session_of(settings)
        async with running(session):
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")


@pytest.mark.parametrize(
    ("code", "reason"), [(128, "refused"), (135, "not authorised"), (144, "topic"), (153, "payload")]
)
async def test_a_publish_that_the_broker_refuses_for_good_says_why(code: int, reason: str) -> None:
    async with scripted_peer(Script(puback=code)) as settings:
        session = session_of(settings)
        async with running(session):
            with pytest.raises(PublishRefused, match=reason) as caught:
                await session.publish("lab/x", b"1")
    assert caught.value.topic == "lab/x"
    assert str(code) in caught.value.reason


async def test_a_refusal_that_the_broker_does_not_repeat_was_a_flipped_bit() -> None:
    script = Script(puback=135, pubacks_spoiled=1)
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        async with running(session):
            await session.publish("lab/x", b"1")
    assert script.topics == ["lab/x", "lab/x"]


async def test_a_message_that_nobody_listens_to_counts_as_lost_unless_it_waits_at_the_broker() -> None:
    async with scripted_peer(Script(puback=16)) as settings:
        session = session_of(settings)
        async with running(session):
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")
            await session.publish("lab/status", b"1", retain=True)


async def test_pauses_double_up_to_their_bound_and_start_afresh_after_a_link_that_held() -> None:
    settings = BrokerSettings(url="mqtt://127.0.0.1:1", reconnect_min_s=1.0, reconnect_max_s=8.0)
    session = session_of(settings)
    assert [session._pause_s(failures) for failures in (1, 5)] == [1.0, 1.0], "a person waits at the first start"
    session._judge.connected()
    for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (10_000, 8.0)):
        drawn = [session._pause_s(failures) for _ in range(50)]
        assert min(drawn) >= 0.5
        assert 0.5 * longest <= max(drawn) <= longest
    assert STEADY_S > 0


async def test_a_link_that_keeps_dropping_is_retried_ever_more_slowly_and_one_that_held_at_once() -> None:
    script, pauses = Script(), []
    async with scripted_peer(script) as settings:
        slower = settings.model_copy(update={"reconnect_max_s": 10.0})
        session = MqttSession(
            slower,
            client_id="client",
            subscriptions=(),
            on_event=lambda name, **_fields: pauses.append(session._failures) if name == "link_down" else None,
        )
        async with running(session):
            for held_s in (0.0, 0.0, 0.0, 2 * STEADY_S):
                session._up_since -= held_s
                script.disconnect_all(139)
                async with asyncio.timeout(PATIENCE_S):
                    assert isinstance(await session.receive(), LinkDown)
                    assert isinstance(await session.receive(), LinkUp)
    assert pauses == [1, 2, 3, 1]


async def test_a_session_that_was_closed_before_it_ran_does_not_connect() -> None:
    script = Script()
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        await session.close()
        async with asyncio.timeout(PATIENCE_S):
            await session.run()
    assert script.levels == []


class _AskedToEndWhileItSubscribes(MqttSession):
    """Closed, or cancelled where aiomqtt swallows it, at the worst moment."""

    how = "closed"

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        await super()._subscribe(client)
        if self.how == "closed":
            await self.close()
        else:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # as `asyncio.wait_for` does when its answer is there
                await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["closed", "cancelled"])
async def test_a_session_that_is_asked_to_end_while_it_connects_does_not_stay(how: str) -> None:
    async with scripted_peer(Script()) as settings:
        session = _AskedToEndWhileItSubscribes(settings, client_id="client", subscriptions=("lab/x",))
        session.how = how
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(session.run(), return_exceptions=True)
        assert session._incoming.empty(), "it told that it is connected"


async def test_no_socket_is_left_open_when_it_ends_while_it_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    def connect(*args: Any, **fields: Any) -> socket.socket:
        opened.append(really(*args, **fields))
        return opened[-1]

    really = socket.create_connection
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
    monkeypatch.setattr(socket, "create_connection", connect)
    script = Script(connack={V5: None, V311: None})
    async with scripted_peer(script) as settings:
        task = asyncio.create_task(session_of(settings).run())
        await until(lambda: bool(script.levels))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [each.fileno() for each in opened] == [-1] * len(opened)
        await until(lambda: script.open == 0)
    assert faults == []


def test_the_end_does_not_wait_for_a_name_that_nobody_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, release = threading.Event(), threading.Event()

    def resolve(*_args: object, **_fields: object) -> None:
        asked.set()
        assert release.wait(PATIENCE_S)
        raise socket.gaierror("too late")

    async def give_up() -> None:
        task = asyncio.create_task(session_of(BrokerSettings(url="mqtt://broker.invalid")).run())
        await until(asked.is_set)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    asyncio.run(give_up())  # ends its own threads as well; the call still hangs
    release.set()


@pytest.mark.parametrize("url", ["mqtt", "mqtts", "wss", "ws"])
async def test_whatever_keeps_the_first_link_from_coming_up_is_said_after_the_patience(url: str) -> None:
    with socket.socket() as taken:  # bound and not listening: it refuses
        taken.bind(("127.0.0.1", 0))
        settings = BrokerSettings(
            url=f"{url}://127.0.0.1:{taken.getsockname()[1]}",
            first_connect_timeout_s=0.2,
            reconnect_min_s=0.02,
            reconnect_max_s=0.05,
        )
        error = await ended_by(session_of(settings))
    assert "No MQTT broker answers" in error.found
    assert "refused" in error.found
    assert "start it" in error.action


async def test_a_publish_after_the_link_has_ended_and_before_we_were_told_has_an_unknown_outcome() -> None:
    async with scripted_peer(Script()) as settings:
        session = session_of(settings)
        async with running(session):
            assert session._client is not None
            session._client._client._loop_rc_handle(
                MQTTErrorCode.MQTT_ERR_CONN_LOST
            )  # as when it reads from a socket that is gone
            publishing = session.publish("lab/x", b"1")
            with pytest.raises(LinkLost):
                publishing.send(None)  # at once, without a turn of the loop


async def test_who_hangs_up_right_after_a_publish_leaves_nothing_that_watches_the_sockets_number() -> None:
    """By the loop's next round the number may be another socket's."""
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: trouble.append(context))
    async with scripted_peer(Script()) as settings:
        session = session_of(settings)
        async with running(session):
            assert session._client is not None
            paho = session._client._client
            paho.publish("lab/x", b"1", qos=1)
            hang_up(paho)
            await asyncio.sleep(0.05)
    assert not trouble


async def test_a_write_that_fails_is_a_lost_link_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_peer(Script()) as settings:
        session = session_of(settings)
        async with running(session):
            assert session._client is not None
            paho = session._client._client

            def refuse() -> None:
                raise OSError(9, "a socket that is no longer there")

            monkeypatch.setattr(paho, "loop_write", refuse)
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await session.receive(), LinkDown)
                assert isinstance(await session.receive(), LinkUp)


async def test_a_confirmation_that_comes_after_the_patience_confirms_nothing_else() -> None:
    script = Script(puback=None)
    async with scripted_peer(script) as settings:
        session = session_of(settings)
        async with running(session):
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")
            script._writers[0].write(bytes([0x40, 4, 0, 1, 0, 0]))  # PUBACK of packet 1
            script.puback = 0
            await session.publish("lab/y", b"2")
    assert script.topics == ["lab/x", "lab/y"]


@pytest.mark.parametrize("scheme", ["mqtts", "ws", "wss"])
async def test_a_handshake_that_fails_leaves_no_socket_open(scheme: str) -> None:
    """A peer that speaks neither TLS nor HTTP: paho drops the socket of such a connection without closing it."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00" * 64)
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = BrokerSettings(url=f"{scheme}://127.0.0.1:{port}", reconnect_min_s=0.02, first_connect_timeout_s=0.2)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        await ended_by(session_of(settings))
        gc.collect()
    server.close()
    await server.wait_closed()
    assert [str(each.message) for each in told if each.category is ResourceWarning] == []
