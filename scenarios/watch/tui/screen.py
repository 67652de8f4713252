"""The screen of one run: it follows the run, goes to any moment of its past, and sends what a person orders."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer, Static

from protocols.errors import EntropilotError
from scenarios.run.live.words import clean
from scenarios.watch.reading.source import POLL_INTERVAL_S
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.tui import parts
from scenarios.watch.tui.dialogs import ConfirmOrder, Help
from scenarios.watch.tui.orders import Give, Order
from scenarios.watch.tui.reading import RunLook, Shown

LEAP: Final = 10
"""Observations of a leap of the slider."""

MAX_ORDERS_SHOWN: Final = 3
"""Orders of before that stay on the screen."""

CHART_LINES: Final = (6, 12)
"""Lines of the course on a terminal of 24 lines, and on a high one."""

HIGH: Final = 32
"""From so many lines on a terminal is high."""

CONSEQUENCES: Final = {
    "pause": "Nothing more is asked for until it is resumed; what is in flight is still taken.",
    "resume": "The campaign goes on where it was paused.",
    "stop": "The campaign ends after what is in flight. Nothing that was accepted is lost.",
}
"""What an order does."""


class RunScreen(Screen[None]):
    """Shows a run.

    Args:
        look: What reads it; closed with the screen.
        give: Sends orders; None where nobody may.
        why_not: Why nobody may.
    """

    DEFAULT_CSS = """
    RunScreen #strip { height: 2; }
    RunScreen #body { height: 1fr; }
    RunScreen #left { width: 3fr; }
    RunScreen #right { width: 2fr; padding: 0 0 0 1; }
    RunScreen #chart { height: auto; }
    RunScreen #journal { height: 20%; min-height: 3; }
    RunScreen #orders { height: auto; max-height: 3; }
    RunScreen #slider { height: 1; }
    RunScreen VerticalScroll { scrollbar-size-vertical: 1; }
    RunScreen VerticalScroll:focus { background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("q,ctrl+c", "leave", "quit", key_display="q"),
        Binding("p", "order('pause')", "pause"),
        Binding("r", "order('resume')", "resume"),
        Binding("s", "order('stop')", "stop"),
        Binding("v", "decide('veto')", "veto"),
        Binding("a", "decide('approve')", "approve"),
        Binding("left", "move(-1)", "past", priority=True, key_display="←"),
        Binding("right", "move(1)", "on", priority=True, key_display="→"),
        Binding("shift+left,less_than_sign", f"move(-{LEAP})", show=False, priority=True),
        Binding("shift+right,greater_than_sign", f"move({LEAP})", show=False, priority=True),
        Binding("home", "first", show=False, priority=True),
        Binding("end", "live", "live", priority=True),
    ]

    def __init__(self, look: RunLook, give: Give | None, why_not: str = "") -> None:
        super().__init__()
        self._look, self._give, self._why_not = look, give, why_not
        self._observation: int | None = None
        self._shown: Shown | None = None
        self._wake = asyncio.Event()
        self._orders: list[ControlAnswer] = []
        self._said = ""
        self._problem = ""

    @property
    def shown(self) -> Shown | None:
        """What is on the screen."""
        return self._shown

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static(id="strip")
        with Horizontal(id="body"):
            with VerticalScroll(id="left"):
                yield Static(id="families")
                yield Static(id="figures")
            with VerticalScroll(id="right"):
                yield Static(id="decision")
                yield Static(id="flight")
        yield Static(id="chart")
        with VerticalScroll(id="journal"):
            yield Static(id="events")
        yield Static(id="orders")
        yield Static(id="slider")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to follow the run."""
        self.run_worker(self._follow(), exclusive=True, group="follow")

    def on_unmount(self) -> None:
        """Release what reads the run."""
        self._look.close()

    def on_resize(self, _event: Resize) -> None:
        """Lay out for another width."""
        self._draw()

    async def _follow(self) -> None:
        while True:
            self._wake.clear()
            asked = self._observation
            try:
                shown = await asyncio.to_thread(self._look.look, asked)
            except EntropilotError as error:
                self._have_problem(str(error))
                shown, self._observation = None, None
            else:
                self._have_problem("")
            if shown is not None and asked == self._observation:
                self._shown = shown
                self._draw()
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_INTERVAL_S)
            except TimeoutError:
                continue

    def action_move(self, by: int) -> None:
        """Go so many observations on, or back; past the latest it is live again."""
        if self._shown is None or not self._may_travel():
            return
        moment = self._shown.moment
        last = moment.last_observation or 0
        now = self._observation if self._observation is not None else last
        to = max(0, now + by)
        self._go_to(None if to > last or (to == last and by > 0) else to)

    def action_first(self) -> None:
        """Go to the start set."""
        if self._may_travel():
            self._go_to(0)

    def action_live(self) -> None:
        """Go back to the latest."""
        self._go_to(None)

    def action_keys(self) -> None:
        """Say which keys there are."""
        self.app.push_screen(Help())

    def action_leave(self) -> None:
        """Leave; the run goes on."""
        self.app.exit()

    def action_order(self, verb: str) -> None:
        """Ask for the reason of an order about the campaign, then send it."""
        text = Text.assemble((f"{verb.capitalize()} {self._campaign_name()}?", "bold"), "\n", CONSEQUENCES[verb])
        self._ask(verb, "", text)

    def action_decide(self, verb: str) -> None:
        """Ask for the reason of an approval or a veto, showing what was decided, then send it."""
        waiting = () if self._shown is None else self._shown.moment.awaiting_approval
        if self._shown is None or not waiting:
            self._say("no decision waits for approval")
            return
        number, decision = waiting[0], self._shown.awaiting
        text = Text.assemble((f"{verb.capitalize()} decision {number} of {self._campaign_name()}?", "bold"), "\n")
        text.append(parts.decision_text(decision, is_told=decision is not None)).append("\n")
        text.append("It is asked for." if verb == "approve" else "It is not asked for, and decided without.")
        self._ask(verb, str(number), text)

    def _ask(self, verb: str, about: str, text: Text) -> None:
        if self._give is None:
            self._say(f"no order can be given from here: {self._why_not or 'it was opened to look only'}")
            return

        def send(reason: str | None) -> None:
            if reason is not None:
                self.run_worker(self._send(Order.now(verb, about, reason)), group="orders")

        self.app.push_screen(ConfirmOrder(verb, text), send)

    async def _send(self, order: Order) -> None:
        """Show an order as sent, then what became of it: nothing is shown as done before its receipt."""
        if self._give is None:
            return
        self._tell(order.answered("sent"))
        answer = await asyncio.to_thread(self._give, order)
        self._tell(answer)
        self._wake.set()

    def _tell(self, answer: ControlAnswer) -> None:
        """Show how an order stands; it stays."""
        others = [each for each in self._orders if each.message_id != answer.message_id]
        self._orders, self._said = [*others, answer][-MAX_ORDERS_SHOWN:], ""
        self._draw_orders()

    def _say(self, text: str) -> None:
        self._said = text
        self._draw_orders()

    def _have_problem(self, problem: str) -> None:
        """Show why the run cannot be read just now; empty when it can be again."""
        if problem != self._problem:
            self._problem = problem
            self._draw_orders()

    def _may_travel(self) -> bool:
        """Whether moments of the past are known; where they are not, it is said."""
        may = self._shown is None or self._shown.campaign.has_time_travel
        if not may:
            self._say("the past is not known here: open the run folder to see it")
        return may

    def _go_to(self, observation: int | None) -> None:
        self._observation = observation
        self._wake.set()

    def _campaign_name(self) -> str:
        return "" if self._shown is None else clean(self._shown.campaign.name)

    def _draw_orders(self) -> None:
        lines = [parts.order_text(each) for each in self._orders]
        lines += [Text(clean(self._said), "bold yellow")] if self._said else []
        lines += [Text(clean(self._problem), "bold red")] if self._problem else []
        self.query_one("#orders", Static).update(Text("\n").join(lines))

    def _draw(self) -> None:
        if (shown := self._shown) is None or not self.is_mounted:
            return
        campaign, moment = shown.campaign, shown.moment
        width, height = self.size.width, self.size.height
        left = self.query_one("#left").size.width or width * 3 // 5
        lines = CHART_LINES[height >= HIGH]
        drawn: dict[str, Text | Table] = {
            "strip": parts.strip_text(shown),
            "families": parts.families_part(campaign, moment, left - 2),
            "figures": parts.figures_text(campaign, moment).append(parts.counts_text(moment)),
            "decision": parts.decision_text(moment.decision, is_told=campaign.has_time_travel),
            "flight": parts.in_flight_text(moment),
            "chart": parts.chart_text(shown, width - 1, lines),
            "events": parts.journal_text(shown.journal),
            "slider": parts.slider_text(moment, width),
        }
        for name, content in drawn.items():
            self.query_one(f"#{name}", Static).update(content)
