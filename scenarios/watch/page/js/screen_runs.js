// All runs below the folder and on the broker: where each stands, and its course in a line.

import { address, shadowAddress } from "./address.js";
import { h, named, problemCard, svg, swap, table, told } from "./dom.js";
import { phasePill } from "./strip.js";
import { ago, count, figure, unitOfBudget } from "./words.js";

/** How often the list is read again [ms]. */
const AGAIN_MS = 2000;

/** A course of at most 60 values in a line. */
export function sparkline(values) {
  const known = values.map((value, index) => [index, value]).filter(([, value]) => value !== null);
  if (known.length < 2) return h("span", { class: "muted" }, "–");
  const [low, high] = [Math.min(...known.map(([, value]) => value)), Math.max(...known.map(([, value]) => value))];
  const points = known.map(([index, value]) => `${(2 + (index / Math.max(values.length - 1, 1)) * 96).toFixed(1)},${(22 - ((value - low) / (high - low || 1)) * 20).toFixed(1)}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 24", width: "100", height: "24", role: "img", "aria-label": `from ${figure(known[0][1])} to ${figure(known[known.length - 1][1])}` }, svg("polyline", { points: points.join(" "), fill: "none", stroke: "currentColor", "stroke-width": "1.5" }));
}

/** The screen. */
export function runsScreen(app) {
  const list = h("div", {}, h("p", { class: "empty" }, "Looking for runs …"));
  const element = h("div", { class: "runs" }, list);
  let timer = null;

  async function load() {
    try {
      const { runs } = await app.source.runs();
      swap(list, JSON.stringify(runs) + String(Math.floor(Date.now() / 10000)), () => (runs.length ? runsTable(runs) : emptyWords()));
    } catch (problem) {
      swap(list, String(problem.found), () => problemCard(problem));
    }
    if (app.source.isLive) timer = setTimeout(load, AGAIN_MS);
  }

  load();
  return { element, title: "Runs", refresh: () => {}, dispose: () => clearTimeout(timer) };
}

function emptyWords() {
  return h("div", { class: "card empty" }, h("p", {}, "There is no run here yet."), h("p", { class: "muted" }, "Start one with ", h("code", {}, "entropilot run emt_alloys"), "; it appears here by itself."));
}

function runsTable(runs) {
  const rows = runs.map((run) => {
    const name = run.problem ? named(run.name) : h("a", { href: run.kind === "shadow" ? shadowAddress(run.key) : address(run.key) }, named(run.name));
    const kind = run.kind === "run" ? null : h("span", { class: "pill kind" }, run.kind.replace("_", "-"));
    if (run.problem) return h("tr", { class: "broken" }, h("th", { scope: "row" }, name, " ", kind), h("td", {}, phasePill(run.phase)), h("td", { colspan: "8" }, told(run.problem)));
    const share = h("span", { class: "bar" });
    share.style.setProperty("--share", String(run.budget ? Math.min(run.spent / run.budget, 1) : 0));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name, " ", kind, h("div", { class: "muted small" }, run.policy ? [named(run.policy), " · "] : null, named(run.property ?? ""), run.unit ? [" [", named(run.unit), "]"] : null)),
      h("td", {}, phasePill(run.phase), run.reason ? h("div", { class: "muted small why" }, told(run.reason)) : null),
      h("td", { class: "n" }, count(run.observation)),
      h("td", { class: "bar-cell" }, share, h("span", { class: "n share" }, `${count(run.spent)} / ${count(run.budget)}${unitOfBudget(run.budget_unit)}`)),
      h("td", { class: "n" }, count(run.in_flight)),
      h("td", {}, run.starved_family ? named(run.starved_family) : "–"),
      h("td", { class: "n" }, figure(run.entropy_range), h("span", { class: "muted" }, ` (${figure(run.entropy_range_start)})`)),
      h("td", { class: "n" }, figure(run.mean_gap), h("span", { class: "muted" }, ` (${figure(run.mean_gap_start)})`)),
      h("td", {}, sparkline(run.sparkline ?? [])),
      h("td", { class: "n", title: run.last_event_at }, ago(run.last_event_at)),
    );
  });
  const heads = ["Run", "Phase", ["Observation", "n"], "Budget spent", ["In flight", "n"], "Starved family", ["Range now (start)", "n"], ["Mean gap now (start)", "n"], "Course", ["Last event", "n"]];
  return h("section", { class: "card flush", "aria-label": "Runs" }, table("Runs", heads, rows, { class: "roomy" }));
}
