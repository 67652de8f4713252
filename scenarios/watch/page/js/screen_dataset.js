// The dataset as it is, or was: rows with filters, what was taken back and by whom, what was set aside.

import { actButton } from "./acts.js";
import { announce, card, h, named, problemCard, swap, table, told } from "./dom.js";
import { save } from "./exports.js";
import { clock, count, exact } from "./words.js";

/** Rows of one page. */
const PAGE = 100;
/** Wait after a letter before the filter is asked for [ms]. */
const TYPING_MS = 200;
/** Least time between two readings because something came [ms]. */
const AGAIN_MS = 1000;
const ORDERS = { sequence: "oldest first", "-sequence": "newest first", name: "name", "-value": "largest value", value: "smallest value", family: "family" };

/** The screen; its filters are in the address. */
export function datasetScreen(app) {
  const { session } = app;
  const query = { order: "-sequence", ...app.route.query };
  const list = h("div", {});
  const aside = h("div", {});
  const state = { timer: null, loadedAt: 0 };
  const text = h("input", { type: "search", id: "filter", placeholder: "name or id", "aria-label": "Filter by name or id", value: query.text ?? "", oninput: () => set({ text: text.value, offset: null }, TYPING_MS) });
  const family = h("select", { "aria-label": "Family", onchange: () => set({ family: family.value, offset: null }) }, h("option", { value: "" }, "all families"), session.campaign.families.map((each) => h("option", { value: each, selected: each === query.family }, each)));
  const order = h("select", { "aria-label": "Order", onchange: () => set({ order: order.value, offset: null }) }, Object.entries(ORDERS).map(([value, label]) => h("option", { value, selected: value === query.order }, label)));
  const exporter = (format) => h("button", { type: "button", "data-export": format, onclick: () => exportRows(format) }, format.toUpperCase());
  const element = h(
    "div",
    { class: "stack" },
    session.isLive ? null : h("p", { class: "past" }, h("span", {}, "The dataset as it was after observation ", h("b", {}, count(session.shown)), "."), h("button", { type: "button", class: "main", onclick: () => app.toLive() }, "Back to live")),
    card("Dataset", { class: "flush", aside: h("div", { class: "row" }, text, family, order, exporter("csv"), exporter("json")) }, list),
    session.isLive ? card("Set aside", { class: "flush" }, aside) : null,
  );

  function set(change, wait = 0) {
    Object.assign(query, change);
    app.requery({ ...query, order: query.order === "-sequence" ? null : query.order });
    clearTimeout(state.timer);
    state.timer = setTimeout(load, wait);
  }

  async function exportRows(format) {
    try {
      const { family: one, text: part, order: by } = query;
      save(await session.source.exported(session.key, { what: "dataset", format, at: session.shown, family: one, text: part, order: by }), `${session.campaign.name}-dataset.${format}`);
    } catch (problem) {
      announce(problem.found ?? String(problem), true);
    }
  }

  async function load() {
    state.timer = null;
    state.loadedAt = performance.now();
    try {
      const offset = Number(query.offset ?? 0);
      const page = await session.source.dataset(session.key, { at: session.shown, offset, limit: PAGE, family: query.family, text: query.text, order: query.order });
      swap(list, JSON.stringify([page, session.campaign.can_control]), () => [datasetTable(session, page), pager(page, set)]);
      if (!session.isLive) return;
      const closed = await session.source.setAside(session.key);
      swap(aside, JSON.stringify([closed, session.campaign.can_control]), () => (closed.length ? setAsideTable(session, closed) : h("p", { class: "empty" }, "Nothing is set aside.")));
    } catch (problem) {
      list.signature = undefined;
      list.replaceChildren(problemCard(problem));
    }
  }

  function soon() {
    if (session.isLive) state.timer ??= setTimeout(load, Math.max(state.loadedAt + AGAIN_MS - performance.now(), 0));
  }

  load();
  return { element, title: "Dataset", refresh: (topic) => ["latest", "moment", "answer"].includes(topic) && soon(), focusFilter: () => text.focus(), dispose: () => clearTimeout(state.timer) };
}

function pager(page, set) {
  const last = page.offset + page.rows.length;
  const to = (offset, label) => h("button", { type: "button", class: "quiet", "data-focus": label, disabled: offset < 0 || offset >= page.total, onclick: () => set({ offset: offset || null }) }, label);
  return h("div", { class: "pager" }, h("span", { class: "muted" }, page.total ? `${count(page.offset + 1)} to ${count(last)} of ${count(page.total)} rows` : "No row fits."), page.total > PAGE ? [to(page.offset - PAGE, "◀ before"), to(page.offset + PAGE, "more ▶")] : null);
}

function datasetTable(session, page) {
  const rows = page.rows.map((row) => {
    const gone = row.retracted;
    return h(
      "tr",
      { class: gone ? "retracted" : "" },
      h("td", { class: "n" }, count(row.observation)),
      h("th", { scope: "row" }, h(gone ? "s" : "span", {}, named(row.name)), row.formula && row.formula !== row.name ? h("span", { class: "muted" }, " ", named(row.formula)) : null, gone ? h("div", { class: "small" }, "taken back by ", named(gone.by || "nobody named"), ` at ${clock(gone.at)}`, gone.why ? [": ", told(gone.why)] : null) : null),
      h("td", {}, named(row.family)),
      h("td", { class: "n" }, h(gone ? "s" : "span", {}, exact(row.value))),
      h("td", { class: "n" }, exact(row.uncertainty)),
      h("td", {}, named(row.by), row.fidelity ? h("span", { class: "tag" }, named(row.fidelity)) : null, row.replicate ? h("span", { class: "tag" }, `repetition ${row.replicate}`) : null),
      h("td", { class: "n", title: row.at }, clock(row.at)),
      h("td", { class: "n" }, `#${row.sequence}`),
      session.campaign.can_control && session.isLive ? h("td", { class: "row-acts" }, gone ? null : [actButton(session, "amend_observation", { candidate: row.name }, { class: "quiet", "aria-label": `Amend ${row.name}` }), actButton(session, "retract_observation", { candidate: row.name }, { class: "quiet", "aria-label": `Retract ${row.name}` })]) : null,
    );
  });
  const unit = session.campaign.unit ? ` [${session.campaign.unit}]` : "";
  const heads = [["Observation", "n"], "Candidate", "Family", [`Value${unit}`, "n"], ["Uncertainty", "n"], "By", ["When", "n"], ["Row", "n"]];
  return table("Dataset", session.campaign.can_control && session.isLive ? [...heads, "Acts"] : heads, rows);
}

function setAsideTable(session, closed) {
  const rows = closed.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, named(each.name)),
      h("td", {}, each.family ? named(each.family) : "–"),
      h("td", {}, each.status),
      h("td", {}, told(each.reason)),
      h("td", { class: "n", title: each.at }, clock(each.at)),
      session.campaign.can_control ? h("td", { class: "row-acts" }, each.can_requeue ? actButton(session, "requeue_candidate", { candidate: each.name }, { class: "quiet", "aria-label": `Requeue ${each.name}` }) : null) : null,
    ),
  );
  const heads = ["Candidate", "Family", "Status", "Why", ["When", "n"]];
  return table("Set aside", session.campaign.can_control ? [...heads, "Acts"] : heads, rows);
}
