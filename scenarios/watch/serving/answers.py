"""What each path of the API answers: asked of a source in a thread, and sent as JSON or bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from scenarios.watch.broker.order_body import OrderBody
from scenarios.watch.broker.order_desk import OrderDesk
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.bodies import body_of
from scenarios.watch.serving.desk import SourceDesk
from scenarios.watch.serving.exports import export
from scenarios.watch.serving.limits import CONTROLS_PER_S
from scenarios.watch.serving.parameters import observation_in
from scenarios.watch.serving.paths import BYTES, JSON, Values
from scenarios.watch.serving.questions import Questions
from scenarios.watch.serving.rate import Rate
from scenarios.watch.serving.refusals import Refusal
from scenarios.watch.serving.streams import Streams
from scenarios.watch.serving.told import Health
from scenarios.watch.state.runs import Campaign

Handler = Callable[[Request, Values], Awaitable[Response]]
"""Answers one operation."""

UNCACHED: Final = {"Cache-Control": "no-store"}


def as_json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a model, or a list of some, as an answer."""
    if isinstance(content, BaseModel):
        text: bytes = content.model_dump_json().encode(errors="replace")
    else:
        text = TypeAdapter(list[Any]).dump_json(list(content))
    return Response(text, status, UNCACHED, media_type=JSON)


class Answers:
    """Answers the API.

    Args:
        desk: Reads the runs.
        streams: Tell what is new.
        orders: Sends what operators ask for.
        questions: Answers what takes time.
        why_no_control: Says why no order can be sent to a run; "" where one can.
        clock: Returns a time that never goes back [s].
    """

    def __init__(
        self,
        desk: SourceDesk,
        streams: Streams,
        orders: OrderDesk,
        questions: Questions,
        *,
        why_no_control: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._streams = streams
        self._orders = orders
        self._questions = questions
        self._why_no_control = why_no_control
        self._clock = clock
        self._rate = Rate(CONTROLS_PER_S)

    def handlers(self) -> dict[str, Handler]:
        """Return who answers each operation that reads or orders, by its name."""
        return {
            "runs": self._runs,
            "campaign": self._campaign,
            "moment": self._read(lambda source, asked: source.moment(observation_in(asked["observation"]))),
            "series": self._series,
            "decisions": self._read(lambda source, asked: source.decisions(asked["offset"], asked["limit"])),
            "decision": self._read(lambda source, asked: source.decision(asked["decision"])),
            "instruments": self._read(lambda source, _: source.instruments()),
            "dataset": self._read(_dataset),
            "set_aside": self._read(lambda source, _: source.set_aside()),
            "journal": self._read(_journal),
            "trust": self._trust,
            "why": self._why,
            "what_if": self._what_if,
            "verify": self._verify,
            "compare": self._compare,
            "policies": self._policies,
            "controls": self._controls,
            "control": self._control,
            "export": self._export,
            "events": self._events,
            "shadow": self._shadow,
            "health": self._health,
        }

    def _read(self, ask: Callable[[Source, Values], Any]) -> Handler:
        async def handle(_: Request, asked: Values) -> Response:
            return as_json(await self._desk.read(asked["key"], lambda source: ask(source, asked)))

        return handle

    async def _runs(self, _: Request, __: Values) -> Response:
        return as_json(await self._desk.listing())

    async def _campaign(self, _: Request, asked: Values) -> Response:
        key = asked["key"]

        def ask(source: Source) -> Campaign:
            why_not = self._why_no_control(key)
            return source.campaign().model_copy(update={"can_control": not why_not, "why_not": why_not})

        return as_json(await self._desk.read(key, ask))

    async def _series(self, _: Request, asked: Values) -> Response:
        first, last, columns = asked["from"], asked["to"], asked["px"]
        content = await self._desk.read(asked["key"], lambda source: source.series(first, last, columns))
        return Response(content, headers=UNCACHED, media_type=BYTES)

    async def _trust(self, _: Request, asked: Values) -> Response:
        trust = await self._desk.read(asked["key"], lambda source: source.trust())
        return as_json(self._questions.with_check(asked["key"], trust))

    async def _why(self, _: Request, asked: Values) -> Response:
        return self._worked_out(await self._questions.why(asked["key"], asked["decision"]))

    async def _what_if(self, _: Request, asked: Values) -> Response:
        return self._worked_out(await self._questions.what_if(asked["key"], asked["policy"], asked["from"]))

    async def _verify(self, request: Request, asked: Values) -> Response:
        await body_of(request)
        return self._worked_out(await self._questions.verify(asked["key"]))

    @staticmethod
    def _worked_out(answer: Any) -> Response:
        return as_json(answer, HTTPStatus.ACCEPTED if answer.status == "computing" else HTTPStatus.OK)

    async def _compare(self, _: Request, asked: Values) -> Response:
        return as_json(await self._questions.compare(asked["left"], asked["right"]))

    async def _policies(self, _: Request, __: Values) -> Response:
        return as_json(self._questions.policies())

    async def _controls(self, _: Request, asked: Values) -> Response:
        return as_json(self._orders.answers(asked["key"]))

    async def _control(self, request: Request, asked: Values) -> Response:
        key = asked["key"]
        if not self._rate.is_within(self._clock()):
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Orders come too fast",
                expected=f"at most {CONTROLS_PER_S:g} a second",
                action="wait a second; nothing was sent",
                headers={"Retry-After": "1"},
            )
        text = await body_of(request)
        try:
            body = OrderBody.model_validate_json(text)
        except ValidationError as error:
            raise _wrong_body(error) from None

        def give() -> Any:
            if why_not := self._why_no_control(key):
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    why_not,
                    expected="a campaign at work, whose agent takes orders from here",
                    action="nothing was sent",
                )
            return self._orders.ask(key, body)

        await self._desk.read(key, lambda source: source.key)  # that there is such a run
        answer = await self._desk.call(give)
        return as_json(answer, HTTPStatus.ACCEPTED)

    async def _export(self, _: Request, asked: Values) -> Response:
        key = asked["key"]
        folder = self._desk.shelf.folder(key)
        made = await self._desk.read(key, lambda source: export(source, asked, folder))
        headers = {**UNCACHED, "Content-Disposition": f'attachment; filename="{made.name}"'}
        return Response(made.content, headers=headers, media_type=made.media)

    async def _events(self, _: Request, asked: Values) -> Response:
        return await self._streams.open(asked["key"], asked["Last-Event-ID"])

    async def _shadow(self, _: Request, asked: Values) -> Response:
        return as_json(await self._desk.call(lambda: self._desk.shelf.shadow(asked["key"], asked["shown"])))

    async def _health(self, _: Request, __: Values) -> Response:
        return as_json(Health())


def _dataset(source: Source, asked: Values) -> BaseModel:
    return source.dataset(
        at=asked["at"],
        offset=asked["offset"],
        limit=asked["limit"],
        family=asked["family"],
        text=asked["text"] or "",
        order=asked["order"],
    )


def _journal(source: Source, asked: Values) -> BaseModel:
    names = ("after", "limit", "kind", "candidate", "operator", "tail")
    return source.journal(**{name: asked[name] for name in names})


def _wrong_body(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(each) for each in first["loc"]) or "the body"
    return Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"{place[:100]}: {first['msg']}",
        expected="an order as the model OrderBody of /api/openapi.json has it",
        action="correct it; nothing was sent",
    )
