// The campaign: its course, its families, what it decided last, what is in flight; as it is, or as it was.

import { address } from "./address.js";
import { Chart } from "./chart.js";
import { decisionBody } from "./decision_card.js";
import { card, h, named, say, swap, table, told } from "./dom.js";
import { exportMenu } from "./exports.js";
import { familiesSignature, familiesTable, poorestFirst } from "./families.js";
import { MANY_FAMILIES } from "./looks.js";
import { notTold, waitingDecisions } from "./screen_elsewhere.js";
import { slider } from "./slider.js";
import { waitingWords } from "./strip.js";
import { clock, count, figure, level, many, span } from "./words.js";

/** Panels below the course: more would push what is decided out of sight. */
const MAX_PANELS = 3;
/** Rows of the journal's end. */
const TAIL = 9;
/** Least time between two looks at the journal's end [ms]. */
const TAIL_MS = 1000;
/** Least time between two fillings of the tables because something came [ms]: nobody reads faster. */
const TABLES_MS = 500;
/** Events that are marked in the course: what people and crashes did. */
const MARKED = ["CampaignPaused", "CampaignResumed", "ObservationRetracted", "ObservationAmended", "CandidateExcluded", "BudgetSet", "DecisionVetoed"];
const BY_ITSELF = new Set(["CampaignPaused", "CampaignResumed"]);

/** The screen; `refresh(topic)` follows the session. */
export function campaignScreen(app) {
  const { session } = app;
  const { campaign } = session;
  const parts = { keys: h("div", { class: "keys" }), families: h("div", {}), decision: h("div", {}), flight: h("div", {}), tail: h("div", {}), past: h("div", { class: "past", role: "status" }), note: h("p", { class: "note" }) };
  const state = { pinned: null, hovered: null, charts: [], tailAt: 0, tailTimer: null, tablesAt: -TABLES_MS, tablesTimer: null };
  const time = slider(session);
  const plot = h("div", { class: "plot", role: "img", "aria-label": "Entropy of each family over observations; the same figures stand in the table of families" });
  const tip = h("div", { class: "tip", hidden: true });
  plot.append(tip);
  const whole = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => zoom(null) }, "Whole course");

  const course = new Chart(plot, {
    names: campaign.families,
    values: (all, name) => all.entropy[name],
    height: (width) => (width < 560 ? 250 : 330),
    onPick: (observation) => campaign.has_time_travel && time.look(observation),
    onHover: (hint) => hover(hint),
    onZoom: (window) => zoom(window),
    onRange: (leaves) => say(parts.note, noteOf(session, leaves)),
  });
  const panels = campaign.metrics.slice(0, MAX_PANELS).map((metric, index) => panelOf(metric, index));
  state.charts = [course, ...panels.map((each) => each.chart)];

  const element = h(
    "div",
    { class: "campaign" },
    parts.past,
    parts.keys,
    h(
      "div",
      { class: "columns" },
      h("div", { class: "wide" }, card("Entropy of each family", { class: "course", aside: h("div", { class: "row" }, whole, exportMenu(app, course)) }, plot, parts.note, time.element), h("div", { class: "panels" }, panels.map((each) => each.element)), card("Last decision", { class: "decision" }, parts.decision)),
      h("div", { class: "stack" }, card("Families, poorest first", {}, parts.families), card("In flight", { class: "later" }, parts.flight), card("Journal", { class: "later", aside: h("a", { href: address(session.key, "journal") }, "All of it") }, parts.tail)),
    ),
  );

  function panelOf(metric, index) {
    const host = h("div", { class: "plot small", role: "img", "aria-label": `${metric.label} over observations` });
    const value = h("span", { class: "value" });
    const chart = new Chart(host, { names: [metric.name], values: (all, name) => all.metric[name], height: () => 92, labels: false, lookIndex: () => 0, onPick: (observation) => campaign.has_time_travel && time.look(observation) });
    const unit = metric.unit ? h("span", { class: "muted" }, ` [${metric.unit}]`) : null;
    return { metric, chart, value, index, element: h("section", { class: "card panel" }, h("h3", {}, named(metric.label), unit, h("span", { class: "muted", title: metric.lower_is_better ? "lower is better" : "higher is better" }, metric.lower_is_better ? " ↓" : " ↑")), value, host) };
  }

  function zoom(window) {
    whole.hidden = window === null;
    for (const chart of state.charts) chart.zoom(window);
    if (session.course.reduced) reload(window);
  }

  async function reload(window) {
    const bytes = await session.source.series(session.key, window ? { from: window[0], to: window[1], px: 1600 } : { px: 1600 }).catch(() => null);
    if (bytes) session.course.load(bytes);
    session.tell("course");
  }

  function hover(hint) {
    tip.hidden = !hint?.nearest;
    if (!hint?.nearest) {
      focus(null);
      return;
    }
    tip.replaceChildren(h("b", {}, named(hint.nearest.name)), ` ${level(hint.nearest.value, 3)} nat`, h("br"), h("span", { class: "muted" }, `observation ${hint.observation}`));
    const left = Math.min(hint.left + 62, plot.clientWidth - 150);
    tip.style.transform = `translate(${Math.max(left, 0)}px, ${Math.max(hint.top - 8, 0)}px)`;
  }

  function focus(family, isPinned = false) {
    if (isPinned) state.pinned = state.pinned === family ? null : family;
    const focused = family ?? state.pinned;
    course.focus(isPinned ? state.pinned : focused);
    if (isPinned) paintTables();
  }

  function paint() {
    const { moment } = session;
    element.classList.toggle("is-past", !session.isLive);
    swap(parts.past, String(session.shown), () => pastBanner(session, time));
    swap(parts.keys, JSON.stringify([moment?.observation, moment?.metrics, moment?.starved_family, moment?.in_flight_count, moment?.found, session.waiting]), () => keyFigures(session, moment));
    for (const { metric, value } of panels) say(value, figure(moment?.metrics?.[metric.name]));
    for (const chart of state.charts) chart.mark(session.isLive ? null : session.shown);
    const wait = session.isLive ? state.tablesAt + TABLES_MS - performance.now() : 0;
    if (wait <= 0) paintTables();
    else state.tablesTimer ??= setTimeout(paintTables, wait);
    tail();
  }

  function paintTables() {
    const { moment } = session;
    clearTimeout(state.tablesTimer);
    state.tablesTimer = null;
    state.tablesAt = performance.now();
    swap(parts.families, familiesSignature(moment, state.pinned), () => familiesTable(session, moment, { focused: state.pinned, onFocus: focus }));
    const isGuess = Boolean(moment?.isGuess);
    for (const part of [parts.decision, parts.flight]) part.setAttribute("aria-busy", String(isGuess));
    if (!isGuess) {
      swap(parts.decision, JSON.stringify([moment?.decision, session.waiting, campaign.can_control]), () => (campaign.has_time_travel ? decisionBody(session, moment?.decision) : [notTold("What was decided, and why, stands"), ...waitingDecisions(session)]));
      swap(parts.flight, JSON.stringify([moment?.in_flight, moment?.in_flight_count, moment?.waiting_for]), () => inFlight(session, moment));
    }
  }

  function draw(isLive) {
    const { strong, banded } = ends(session);
    course.show(session.course, { strong, banded, isLive });
    for (const { chart } of panels) chart.show(session.course, { isLive });
  }

  function tail() {
    if (!campaign.has_time_travel) return swap(parts.tail, "elsewhere", () => notTold("What happened, row by row, stands"));
    const wait = state.tailAt + TAIL_MS - performance.now();
    if (session.moment?.isGuess) return;
    if (wait > 0) {
      state.tailTimer ??= setTimeout(() => ((state.tailTimer = null), tail()), wait);
      return;
    }
    state.tailAt = performance.now();
    const query = session.isLive ? { tail: true, limit: TAIL } : { after: Math.max((session.moment?.sequence ?? 0) - TAIL, 0), limit: TAIL };
    session.source.journal(session.key, query).then((page) => swap(parts.tail, JSON.stringify(page.rows.map((row) => row.sequence)), () => tailList(session, page.rows)), () => {});
  }

  markersOf(session).then((markers) => course.setMarkers(markers));
  return {
    element,
    title: "Campaign",
    time,
    refresh: (topic) => {
      if (topic === "theme") state.charts.forEach((chart) => chart.restyle());
      if (topic === "points" || topic === "course") draw(topic === "points");
      if (topic !== "points" && topic !== "link") paint();
    },
    dispose: () => {
      clearTimeout(state.tailTimer);
      clearTimeout(state.tablesTimer);
      time.dispose();
      state.charts.forEach((chart) => chart.dispose());
    },
  };
}

/** Which lines are strong, and which two have their bands: the ends, where there are many. */
function ends(session) {
  const known = poorestFirst((session.latest?.families ?? []).filter((each) => each.entropy !== null)).map((each) => each.family);
  const strong = session.campaign.families.length <= MANY_FAMILIES ? session.campaign.families : [...known.slice(0, 4), ...known.slice(-2)];
  return { strong, banded: known.length > 1 ? [known[0], known[known.length - 1]] : known };
}

function noteOf(session, leaves) {
  const { families } = session.campaign;
  const parts = families.length > 1 ? ["Shaded: 90 % bands of the poorest and the richest family"] : ["Shaded: the 90 % band"];
  if (leaves) parts.push("a band leaves the panel; its ends stand in the table");
  if (families.length > MANY_FAMILIES) parts.push(`the ends of ${families.length} families are labelled; a click on a family shows its line`);
  return `${parts.join("; ")}.`;
}

function pastBanner(session, time) {
  if (session.isLive) return [];
  const back = session.source.isLive ? h("button", { type: "button", class: "main", onclick: () => time.look(null) }, "Back to live") : null;
  return [h("span", {}, "The campaign as it stood after observation ", h("b", {}, count(session.shown)), ". It stays so while results come in."), back];
}

function keyFigures(session, moment) {
  const { campaign } = session;
  const key = (label, value, sub) => h("div", { class: "key" }, h("span", { class: "label" }, label), h("span", { class: "big" }, value), sub ? h("span", { class: "sub" }, sub) : null);
  const starved = moment?.families?.find((each) => each.family === moment.starved_family);
  const best = Object.fromEntries((moment?.best ?? []).map((each) => [each.metric, each]));
  const metrics = campaign.metrics.slice(0, 3).map((metric) => {
    const first = session.course.metric[metric.name]?.findIndex((each) => each !== null) ?? -1;
    const when = session.course.x[first] === 0 ? "start" : `at ${count(session.course.x[first])}`;
    const parts = [first < 0 ? null : `${when} ${figure(session.course.metric[metric.name][first])}`, best[metric.name] ? `${session.campaign.has_time_travel ? "best" : "best heard"} ${figure(best[metric.name].value)} at ${best[metric.name].observation}` : null];
    return key(metric.label, figure(moment?.metrics?.[metric.name]), parts.filter(Boolean).join(" · "));
  });
  return [
    key("Observation", count(moment?.observation), session.isLive ? `${count(moment?.in_flight_count)} in flight` : `of ${count(session.last)}`),
    campaign.compares_families ? key("Starved family", moment?.starved_family ? named(moment.starved_family) : "–", starved ? `entropy ${level(starved.entropy)} of ${count(starved.size)} values` : "") : null,
    metrics,
    foundKey(key, moment?.found),
    session.waiting.length ? h("div", { class: "key waiting" }, h("span", { class: "label" }, waitingWords(session)), session.waiting.map((each) => h("a", { class: "big", href: address(session.key, "decision", { parts: [each] }) }, `#${each} `))) : null,
  ];
}

function foundKey(key, found) {
  if (found === null || found === undefined) return null;
  return typeof found === "number" ? key("Found", count(found)) : h("div", { class: "key" }, h("span", { class: "label" }, "Found"), told(String(found)));
}

function inFlight(session, moment) {
  const flights = moment?.in_flight ?? [];
  const waits = (moment?.waiting_for ?? []).map((each) => h("p", { class: "muted" }, told(each)));
  if (!session.campaign.has_time_travel) return [h("p", { class: "empty" }, moment?.in_flight_count ? `${many(moment.in_flight_count, "request")} awaited; a broker does not tell which.` : "Nothing is awaited."), waits];
  if (flights.length === 0) return [h("p", { class: "empty" }, session.isLive ? "Nothing is awaited." : "Nothing was awaited."), waits];
  const rows = flights.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, named(each.name), each.number > 1 ? h("span", { class: "tag" }, `attempt ${each.number}`) : null),
      h("td", {}, each.family ? named(each.family) : "–"),
      h("td", {}, named(each.recipient)),
      h("td", { class: "n" }, h("a", { href: address(session.key, "decision", { parts: [each.decision] }) }, String(each.decision))),
      h("td", { class: "n", title: each.asked_at }, session.isLive ? span((Date.now() - new Date(each.asked_at).getTime()) / 1000) : clock(each.asked_at)),
    ),
  );
  return [table("Requests in flight", ["Candidate", "Family", "With", ["Decision", "n"], [session.isLive ? "Waits" : "Asked", "n"]], rows, { class: "tight" }), waits];
}

function tailList(session, rows) {
  return h(
    "ol",
    { class: "tail" },
    [...rows].reverse().map((row) => h("li", {}, h("a", { class: "n", href: address(session.key, "journal", { query: { after: row.sequence - 1 } }) }, `#${row.sequence}`), h("time", { datetime: row.at, title: row.at }, clock(row.at).split(" ").pop()), h("span", {}, told(row.words), row.operator ? h("span", { class: "tag" }, "by ", named(row.operator)) : null))),
  );
}

async function markersOf(session) {
  const pages = await Promise.all(MARKED.map((kind) => session.source.journal(session.key, { kind, limit: 50 }).catch(() => null)));
  return pages.flatMap((page) =>
    (page?.rows ?? []).map((row) => ({ observation: session.course.observationAt(row.sequence), isAct: Boolean(row.operator) || !BY_ITSELF.has(row.kind), words: row.words })).filter((each) => each.observation !== null),
  );
}
