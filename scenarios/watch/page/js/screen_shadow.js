// A lab, and the policy in its shadow: two columns of choices at any decision. It only listens, so nothing is ordered.

import { rewrite, shadowAddress } from "./address.js";
import { Chart } from "./chart.js";
import { card, h, named, problemCard, swap, table, told } from "./dom.js";
import { slider } from "./slider.js";
import { phasePill } from "./strip.js";
import { change, clock, count, figure } from "./words.js";

/** How often it is looked at again while it listens [ms]. */
const AGAIN_MS = 1000;
const AGREED = { candidate: ["✓", "the same"], family: ["≈", "same family"], none: ["✕", "another"] };
const BY = { both: "By both at once", lab: "By the lab alone", shadow: "By the shadow alone" };

const percent = (part, whole) => (whole ? `${Math.round((100 * part) / whole)} %` : "–");

/** The screen of the shadow `app.route.shadow`. */
export function shadowScreen(app) {
  const key = app.route.shadow;
  const state = { view: null, shown: app.route.at, listeners: new Set(), timer: null, asked: 0, charts: null, isOver: false };
  const answer = h("div", { class: "stack" }, h("p", { class: "empty", role: "status" }, "Loading …"));
  const element = h("div", { class: "shadow-screen" }, answer);
  const parts = {};

  /** What the slider follows: decisions in the place of observations. */
  const time = {
    key,
    source: app.source,
    get shown() {
      return state.shown;
    },
    get last() {
      return state.view?.decisions ?? 0;
    },
    get isLive() {
      return state.shown === null;
    },
    get moment() {
      const row = state.view?.rows[0];
      return row ? { at: row.at } : null;
    },
    look(decision) {
      state.shown = decision;
      load();
    },
    listen(call) {
      state.listeners.add(call);
      return () => state.listeners.delete(call);
    },
  };

  async function load() {
    clearTimeout(state.timer);
    const turn = ++state.asked;
    try {
      const view = await app.source.shadow(key, state.shown);
      if (turn !== state.asked || state.isOver) return;
      const isFirst = state.view === null;
      state.view = view;
      if (isFirst) build();
      paint();
      if (view.phase === "running") state.timer = setTimeout(load, AGAIN_MS);
    } catch (problem) {
      if (turn !== state.asked || state.isOver) return;
      if (state.view === null) answer.replaceChildren(problemCard(problem));
      else swap(parts.problem, problem.found, () => problemCard(problem));
      state.timer = setTimeout(load, 5 * AGAIN_MS);
    }
  }

  function build() {
    const { view } = state;
    Object.assign(parts, { problem: h("div", {}), past: h("div", { class: "past", role: "status" }), keys: h("div", { class: "keys" }), lab: h("div", {}), shadow: h("div", {}), rows: h("div", {}), brought: h("div", {}) });
    parts.slider = slider(time, { word: "Decision", addressOf: (at) => shadowAddress(key, at) });
    const poorest = chartOf("Choices in the family that was poorest then", "so far [%]", ["lab_in_poorest", "shadow_in_poorest"], (name) => (name === "lab_in_poorest" ? "lab" : view.policy), (course, name) => course[name].map((each) => (each === null ? null : 100 * each)));
    const metrics = view.metrics.slice(0, 2).map((metric) => chartOf(`${metric.label} of the lab's dataset`, metric.unit ? `[${metric.unit}]` : "", [metric.name], () => "lab", (course, name) => course.metrics[name]));
    state.charts = [poorest, ...metrics];
    answer.replaceChildren(
      parts.problem,
      parts.past,
      parts.keys,
      h("div", { class: "panels" }, card("The lab", {}, parts.lab), card("In its shadow", { aside: named(view.policy) }, parts.shadow)),
      parts.slider.element,
      h("div", { class: "panels" }, state.charts.map((each) => each.element)),
      parts.brought,
      card("Decision by decision", {}, parts.rows),
    );
  }

  function chartOf(title, unit, names, titled, values) {
    const host = h("div", { class: "plot", role: "img", "aria-label": `${title}, over decisions` });
    const chart = new Chart(host, { names, values, height: () => 170, title: titled, lookIndex: (name) => names.indexOf(name), onPick: (at) => parts.slider.look(at) });
    return { chart, element: card(title, { aside: h("span", { class: "muted" }, unit) }, host) };
  }

  function paint() {
    const { view } = state;
    const isPast = state.shown !== null;
    swap(parts.problem, "", () => []);
    swap(parts.past, String(state.shown), () => (isPast ? [h("span", {}, "As it stood after decision ", h("b", {}, count(state.shown)), ". It stays so while the lab goes on.")] : []));
    swap(parts.keys, JSON.stringify([view.same, view.same_family, view.lab, view.shadow, view.shown]), () => keyFigures(view));
    swap(parts.lab, JSON.stringify([view.families, view.lab]), () => side(view, "lab"));
    swap(parts.shadow, JSON.stringify([view.families, view.shadow]), () => side(view, "shadow"));
    swap(parts.brought, JSON.stringify([view.brought, view.notes]), () => brought(view));
    swap(parts.rows, JSON.stringify(view.rows.map((row) => row.number)), () => decisions(view));
    const { course } = view;
    const signature = String(course.decision.at(-1));
    for (const { chart } of state.charts) {
      if (chart.signature !== signature) chart.show({ ...course, x: course.decision, bands: {}, indexOf: () => -1 });
      chart.signature = signature;
      chart.mark(state.shown);
    }
    for (const call of state.listeners) call("course");
    document.title = `${view.name} – shadow`;
    app.stripOf(view);
  }

  load();
  return {
    element,
    title: "Shadow",
    refresh: (topic) => topic === "theme" && state.charts?.forEach(({ chart }) => chart.restyle()),
    look: (at) => (rewrite(shadowAddress(key, at)), time.look(at)),
    keys: { ArrowLeft: () => parts.slider?.step(-1), ArrowRight: () => parts.slider?.step(1), Home: () => parts.slider?.look(0), l: () => parts.slider?.look(null) },
    dispose: () => {
      state.isOver = true;
      clearTimeout(state.timer);
      parts.slider?.dispose();
      state.charts?.forEach(({ chart }) => chart.dispose());
    },
  };
}

/** What stands in the strip: who it is, where it is in its life, and no button. */
export function shadowBadges(view) {
  return [h("span", { class: "pill kind" }, "shadow"), phasePill(view.phase), h("span", { class: "why", title: view.reason }, told(view.reason)), h("span", { class: "budget" }, h("b", {}, count(view.lab.chosen)), ` / ${count(view.budget)} followed`)];
}

function keyFigures(view) {
  const key = (label, value, sub) => h("div", { class: "key" }, h("span", { class: "label" }, label), h("span", { class: "big" }, value), h("span", { class: "sub" }, sub));
  const of = `of ${count(view.lab.chosen)} choices of the lab`;
  return [
    key("The same candidate", percent(view.same, view.lab.chosen), `${count(view.same)} ${of}`),
    key("The same family", percent(view.same_family, view.lab.chosen), `${count(view.same_family)} ${of}`),
    key("Poorest family, the lab", percent(view.lab.in_poorest, view.lab.chosen), `${count(view.lab.in_poorest)} of ${count(view.lab.chosen)}`),
    key("Poorest family, the shadow", percent(view.shadow.in_poorest, view.shadow.chosen), `${count(view.shadow.in_poorest)} of ${count(view.shadow.chosen)}`),
  ];
}

/** The families that a side chose, as bars of one scale on both sides. */
function side(view, who) {
  const most = Math.max(1, ...view.families.flatMap((each) => [each.lab, each.shadow]));
  const rows = view.families.map((each) => {
    const bar = h("span", { class: "bar" });
    bar.style.setProperty("--share", String(each[who] / most));
    return h("tr", {}, h("th", { scope: "row" }, named(each.family)), h("td", { class: "n" }, count(each[who])), h("td", { class: "bar-cell" }, bar), h("td", { class: "n" }, percent(each[who], view[who].chosen)));
  });
  if (rows.length === 0) return h("p", { class: "empty" }, view.decisions ? "The families were not written down by the version that listened." : "The lab has chosen nothing yet.");
  return table(who === "lab" ? "Chosen by the lab" : "Chosen in its shadow", ["Family", ["Chosen", "n"], "", ["Share", "n"]], rows, { class: "tight" });
}

function brought(view) {
  if (view.brought.length === 0) return [];
  const rows = view.brought.map((each) => h("tr", {}, h("th", { scope: "row" }, BY[each.by]), h("td", { class: "n" }, count(each.chosen)), h("td", { class: "n" }, count(each.measured)), h("td", { class: "n" }, change(each.entropy_gain, 4))));
  return card("What the choices brought", {}, table("What the choices brought", ["Chosen", ["Distinct", "n"], ["Measured", "n"], ["Gain [nat]", "n"]], rows), h("p", { class: "note" }, "Gain: mean change of the entropy of its family, when the lab measured it."), view.notes.map((each) => h("p", { class: "note" }, "⚠ ", told(each))));
}

function decisions(view) {
  const rows = view.rows.map((row) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", class: "n", title: row.lab_number === null ? "" : `the lab's decision ${row.lab_number}` }, String(row.number)),
      h("td", { class: "n", title: row.at }, clock(row.at).split(" ").pop()),
      h("td", { class: "n" }, count(row.observation)),
      h("td", {}, row.starved_family ? named(row.starved_family) : "–"),
      h("td", {}, row.lab.map((each) => chosen(each, AGREED[each.agreement]))),
      h("td", { title: row.reason }, row.shadow.length ? row.shadow.map((each) => chosen(each)) : h("span", { class: "muted" }, "nothing more to ask for")),
    ),
  );
  if (rows.length === 0) return h("p", { class: "empty" }, "No decision of the lab has been compared yet.");
  const less = view.shown > rows.length ? h("p", { class: "note" }, `The last ${count(rows.length)} of ${count(view.shown)}; the slider shows those before.`) : null;
  return [h("div", { class: "tall" }, table("Decisions of the lab and of the policy in its shadow", [["No.", "n"], ["At", "n"], ["Known", "n"], "Poorest then", "The lab chose", `${view.policy} would have`], rows)), less];
}

function chosen(each, agreed = null) {
  return h("div", {}, named(each.name), each.family ? h("span", { class: "muted" }, " ", named(each.family)) : null, agreed ? h("span", { class: "tag" }, h("span", { "aria-hidden": "true" }, `${agreed[0]} `), agreed[1]) : null, each.score === null || agreed ? null : h("span", { class: "muted" }, ` ${figure(each.score)}`));
}
