// Two runs over each other: their figures, and the first decision that differs.

import { address } from "./address.js";
import { Chart } from "./chart.js";
import { card, h, named, problemCard, table, told } from "./dom.js";
import { Course } from "./series.js";
import { count, figure } from "./words.js";

/** The screen: this run beside `app.route.parts[0]`. */
export function compareScreen(app) {
  const { session } = app;
  const other = app.route.parts[0] ?? "";
  const answer = h("div", { class: "stack" });
  const choice = h("select", { id: "other", onchange: () => (location.hash = address(session.key, "compare", { parts: [choice.value] })) }, h("option", { value: "" }, "choose a run"));
  const element = h("div", { class: "stack" }, card("Beside another run", {}, h("div", { class: "row" }, named(session.campaign.name), h("label", { class: "row", for: "other" }, " beside ", choice))), answer);
  const charts = [];
  const panels = h("div", { class: "instruments" });
  let isOver = false;

  app.source.runs().then(({ runs }) => {
    const others = runs.filter((run) => run.key !== session.key && !run.problem);
    choice.append(...others.map((run) => h("option", { value: run.key, selected: run.key === other }, run.name)));
    if (others.length === 0 && !other) answer.append(h("p", { class: "card empty" }, "This page shows one run. Name the folder that holds several, such as ", h("code", {}, "entropilot watch runs"), ", and they stand here side by side."));
  }, (problem) => answer.append(problemCard(problem)));
  if (other) load();

  async function load() {
    answer.replaceChildren(h("p", { class: "computing", role: "status" }, "Comparing …"));
    try {
      const [comparison, campaign, bytes] = await Promise.all([session.source.compare(session.key, other), session.source.campaign(other), session.source.series(other, { px: 1600 })]);
      if (isOver) return;
      const course = new Course();
      course.load(bytes);
      answer.replaceChildren(...words(session, campaign, comparison), panels);
      for (const metric of session.campaign.metrics.filter((each) => course.metric[each.name])) overlay(metric, campaign, course);
    } catch (problem) {
      answer.replaceChildren(problemCard(problem));
    }
  }

  function overlay(metric, campaign, course) {
    const x = [...new Set([...session.course.x, ...course.x])].sort((one, another) => one - another);
    const on = (from) => {
      const known = new Map(from.x.map((at, index) => [at, from.metric[metric.name]?.[index] ?? null]));
      return x.map((at) => known.get(at) ?? null);
    };
    const columns = { left: on(session.course), right: on(course) };
    const known = [...columns.left, ...columns.right].filter((each) => each !== null);
    if (known.length === 0 || known.every((each) => each === known[0])) {
      panels.append(card(metric.label, {}, h("p", { class: "muted" }, known.length ? `${figure(known[0])} throughout, in both.` : "Defined in neither.")));
      return;
    }
    const host = h("div", { class: "plot", role: "img", "aria-label": `${metric.label} of both runs` });
    panels.append(card(metric.label, {}, host));
    const chart = new Chart(host, { names: ["left", "right"], values: (_, name) => columns[name], height: () => 190, title: (name) => (name === "left" ? session.campaign.name : campaign.name) });
    chart.show({ x, bands: {}, indexOf: () => -1 });
    charts.push(chart);
  }

  return { element, title: "Compare", refresh: (topic) => topic === "theme" && charts.forEach((chart) => chart.restyle()), dispose: () => ((isOver = true), charts.forEach((chart) => chart.dispose())) };
}

function words(session, campaign, comparison) {
  const verdict = comparison.same
    ? h("p", {}, h("span", { class: "stamp good" }, "✓ The same decisions"), ` as far as both go (${count(comparison.compared ?? null)})`)
    : h("p", {}, h("span", { class: "stamp" }, "They part"), comparison.first_difference === null ? "" : [" at decision ", h("a", { href: address(session.key, "decision", { parts: [comparison.first_difference] }) }, String(comparison.first_difference)), " (", h("a", { href: address(campaign.key, "decision", { parts: [comparison.first_difference] }) }, "the other’s"), ")"]);
  const rows = Object.entries(comparison.metrics).map(([name, metric]) => {
    const better = metric.left === null || metric.right === null || metric.left === metric.right ? "" : metric.left < metric.right === metric.lower_is_better ? "left" : "right";
    const label = session.campaign.metrics.find((each) => each.name === name)?.label ?? name.replaceAll("_", " ");
    const cell = (side) => h("td", { class: "n" }, figure(metric[side]), better === side ? h("span", { class: "tag good" }, "better") : null);
    return h("tr", {}, h("th", { scope: "row" }, named(label), metric.unit ? h("span", { class: "muted" }, ` [${metric.unit}]`) : null), cell("left"), cell("right"));
  });
  const observed = comparison.observation === null || comparison.observation === undefined ? "" : ` at observation ${comparison.observation}`;
  const body = table(`Figures of both${observed}`, [`Figure${observed}`, [session.campaign.name, "n"], [campaign.name, "n"]], rows);
  return [card("What differs", {}, verdict, (comparison.words ?? []).map((each) => h("p", {}, told(each))), body)];
}
