// The instruments: who is there, what each has, gave and failed at, and its attempts over time.

import { card, h, named, problemCard, svg, swap } from "./dom.js";
import { clock, count, span } from "./words.js";

/** Wait between two looks while something happens [ms]. */
const AGAIN_MS = 1000;
const HEALTH = { there: ["●", "there"], away: ["○", "away"], unknown: ["?", "unknown"] };

/** The screen. */
export function instrumentsScreen(app) {
  const { session } = app;
  const list = h("div", { class: "instruments" });
  let timer = null;
  let loadedAt = 0;

  async function load() {
    loadedAt = performance.now();
    try {
      const instruments = await session.source.instruments(session.key);
      swap(list, JSON.stringify(instruments), () => (instruments.length ? instruments.map((each) => instrumentCard(each)) : h("p", { class: "card empty" }, "No instrument has been heard of yet.")));
    } catch (problem) {
      swap(list, String(problem.found), () => problemCard(problem));
    }
  }

  function soon() {
    timer ??= setTimeout(() => ((timer = null), load()), Math.max(loadedAt + AGAIN_MS - performance.now(), 0));
  }

  load();
  return { element: list, title: "Instruments", refresh: (topic) => topic === "theme" || (["moment", "latest"].includes(topic) && soon()), dispose: () => clearTimeout(timer) };
}

function fact(label, value, kind = "") {
  return h("div", { class: `fact ${kind}` }, h("dt", {}, label), h("dd", {}, value));
}

function instrumentCard(instrument) {
  const [sign, word] = HEALTH[instrument.health] ?? HEALTH.unknown;
  const failures = Object.entries(instrument.failed).map(([reason, number]) => h("span", { class: "tag bad" }, named(reason.replaceAll("_", " ")), ` ${number}`));
  return card(
    instrument.id,
    { class: "instrument", aside: h("span", { class: `pill ${instrument.health}` }, h("span", { "aria-hidden": "true" }, sign), ` ${word}`, instrument.since ? ` since ${clock(instrument.since)}` : "") },
    h("dl", { class: "facts" }, fact("Values given", count(instrument.accepted)), fact("In flight", `${count(instrument.in_flight)}${instrument.slots ? ` of ${instrument.slots}` : ""}`), fact("Oldest with it", span(instrument.oldest_s)), fact("Silent for", span(instrument.silent_s)), fact("Unanswered", count(instrument.expired)), fact("Last heard", clock(instrument.last_heard))),
    failures.length ? h("p", { class: "row" }, h("span", { class: "muted" }, "Failed: "), failures) : null,
    instrument.busy_with.length ? h("p", {}, h("span", { class: "muted" }, "Busy with "), instrument.busy_with.flatMap((each, index) => [index ? ", " : "", named(each)])) : null,
    timeline(instrument),
  );
}

/** Attempts as strokes over time: those that failed are hollow and above. */
function timeline(instrument) {
  const attempts = instrument.attempts.filter((each) => each.sent_at);
  if (attempts.length === 0) return null;
  const ms = (text) => new Date(text).getTime();
  const ends = attempts.map((each) => (each.closed_at ? ms(each.closed_at) : ms(attempts[attempts.length - 1].sent_at)));
  const [first, last] = [Math.min(...attempts.map((each) => ms(each.sent_at))), Math.max(...ends)];
  const x = (at) => 4 + ((at - first) / (last - first || 1)) * 592;
  const strokes = attempts.map((each, index) => {
    const isGood = ["observed", "accepted", "ok", ""].includes(each.outcome);
    const bar = svg("rect", { x: x(ms(each.sent_at)).toFixed(1), y: String((isGood ? 20 : 4) + (index % 3) * 4), width: Math.max(x(ends[index]) - x(ms(each.sent_at)), 2).toFixed(1), height: "3", class: `attempt ${each.closed_at ? (isGood ? "good" : "bad") : "open"}` });
    const title = svg("title", {});
    title.textContent = `${each.name}: ${each.outcome || "awaited"}, ${clock(each.sent_at)} to ${clock(each.closed_at)}`;
    bar.append(title);
    return bar;
  });
  return h("figure", { class: "timeline" }, svg("svg", { viewBox: "0 0 600 36", preserveAspectRatio: "none", role: "img", "aria-label": `The last ${attempts.length} attempts` }, ...strokes), h("figcaption", { class: "muted" }, `${attempts.length} attempts, ${clock(new Date(first).toISOString())} to ${clock(new Date(last).toISOString())}; above: those without a value`));
}
