// The journal, row by row, and how far it can be trusted: the chain, what was put aside, one's own orders.

import { outcome, wordsOf } from "./acts.js";
import { card, h, named, problemCard, swap, table, told } from "./dom.js";
import { save } from "./exports.js";
import { clock, count } from "./words.js";

const PAGE = 100;
const TYPING_MS = 200;
const AGAIN_MS = 1000;
/** Kinds that are offered as a filter; any other can be typed. */
const KINDS = ["DecisionMade", "RequestIssued", "ResultAccepted", "AttemptFailed", "RequestExpired", "CampaignPaused", "CampaignResumed", "ObservationAdded", "ObservationRetracted", "ObservationAmended", "CandidateExcluded", "CandidateRequeued", "CandidatesAdded", "DecisionApproved", "DecisionVetoed", "BudgetSet", "ControlRefused"];

/** The screen; its filters are in the address. */
export function journalScreen(app) {
  const { session } = app;
  const query = { ...app.route.query };
  const parts = { list: h("div", {}), trust: h("div", {}), quarantine: h("div", {}), orders: h("div", {}) };
  const state = { timer: null, loadedAt: 0, verifying: false };
  const kinds = h("datalist", { id: "kinds" }, KINDS.map((kind) => h("option", { value: kind })));
  const field = (name, label, list) => h("input", { type: "search", "aria-label": label, placeholder: label, value: query[name] ?? "", list, id: `filter-${name}`, oninput: (event) => set({ [name]: event.target.value.trim(), after: null }, TYPING_MS) });
  const kind = field("kind", "kind", "kinds");
  const exporter = (format) => h("button", { type: "button", "data-export": format, onclick: () => session.source.exported(session.key, { what: "journal", format, kind: query.kind, candidate: query.candidate, operator: query.operator }).then((blob) => save(blob, `${session.campaign.name}-journal.${format}`)) }, format.toUpperCase());
  const element = h(
    "div",
    { class: "columns" },
    h("div", { class: "wide" }, card("Journal", { class: "flush", aside: h("div", { class: "row" }, kind, kinds, field("candidate", "candidate"), field("operator", "operator"), exporter("csv"), exporter("json")) }, parts.list)),
    h("div", { class: "side stack" }, card("Trust", {}, parts.trust), card("Orders", {}, parts.orders), card("Quarantine", {}, parts.quarantine)),
  );

  function set(change, wait = 0) {
    Object.assign(query, change);
    app.requery(query);
    clearTimeout(state.timer);
    state.timer = setTimeout(load, wait);
  }

  async function load() {
    state.timer = null;
    state.loadedAt = performance.now();
    const filters = { kind: query.kind, candidate: query.candidate, operator: query.operator, limit: PAGE };
    const isTail = query.after === undefined || query.after === null;
    try {
      const page = await session.source.journal(session.key, { ...filters, ...(isTail ? { tail: true } : { after: query.after }) });
      swap(parts.list, JSON.stringify([page, query]), () => [journalTable(session, isTail ? [...page.rows].reverse() : page.rows, query.after), pager(page, query, isTail, set)]);
    } catch (problem) {
      parts.list.signature = undefined;
      parts.list.replaceChildren(problemCard(problem));
    }
    loadTrust();
    orders();
  }

  async function loadTrust() {
    try {
      const trust = await session.source.trust(session.key);
      swap(parts.trust, JSON.stringify([trust, state.verifying]), () => trustWords(session, trust, state.verifying, verify));
      swap(parts.quarantine, JSON.stringify(trust.quarantine), () => quarantineWords(trust.quarantine));
    } catch (problem) {
      parts.trust.replaceChildren(problemCard(problem));
    }
  }

  async function verify() {
    state.verifying = true;
    await loadTrust();
    try {
      for (;;) {
        const verified = await session.source.verify(session.key);
        if (verified.status !== "computing") {
          state.verified = verified;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    } catch (problem) {
      state.verified = { status: "failed", error: problem.found ?? String(problem), problems: [], parts: [] };
    }
    state.verifying = false;
    await loadTrust();
    parts.trust.append(verifiedWords(state.verified));
  }

  function orders() {
    const answers = [...session.answers.values()].sort((one, other) => String(other.sent_at).localeCompare(String(one.sent_at)));
    swap(parts.orders, JSON.stringify(answers.map((each) => [each.message_id, each.status])), () => (answers.length ? h("ol", { class: "orders" }, answers.map((each) => orderLine(session, each))) : h("p", { class: "empty" }, "No order has been given from here.")));
  }

  function soon() {
    state.timer ??= setTimeout(load, Math.max(state.loadedAt + AGAIN_MS - performance.now(), 0));
  }

  load();
  return {
    element,
    title: "Journal & trust",
    refresh: (topic) => {
      if (topic === "answer") orders();
      if (["latest", "moment"].includes(topic) && !query.after) soon();
    },
    focusFilter: () => kind.focus(),
    dispose: () => clearTimeout(state.timer),
  };
}

function journalTable(session, rows, after) {
  const chosen = after === null || after === undefined ? null : Number(after) + 1;
  const lines = rows.map((row) =>
    h(
      "tr",
      { class: row.sequence === chosen ? "chosen" : "" },
      h("th", { scope: "row", class: "n" }, `#${row.sequence}`),
      h("td", { class: "n", title: row.at }, clock(row.at)),
      h("td", { class: "kind" }, row.kind),
      h("td", {}, told(row.words), row.signed_by ? h("span", { class: "tag" }, "signed by ", named(row.signed_by)) : null, payload(row)),
      h("td", {}, row.operator ? named(row.operator) : ""),
    ),
  );
  return table("Journal", [["Row", "n"], ["When", "n"], "Kind", "What happened", "Operator"], lines);
}

function payload(row) {
  if (row.payload === null || row.payload === undefined) return null;
  const body = h("pre", { tabindex: "0" });
  return h("details", { class: "payload", ontoggle: () => (body.textContent ||= JSON.stringify(row.payload, null, 1)) }, h("summary", { "aria-label": `All of row ${row.sequence}` }, "…"), body);
}

function pager(page, query, isTail, set) {
  const first = page.rows[0]?.sequence ?? 0;
  const older = isTail || Number(query.after) > 0;
  return h(
    "div",
    { class: "pager" },
    h("span", { class: "muted" }, page.rows.length ? `${count(page.rows.length)} of ${count(page.total)} rows` : "No row fits."),
    older && first > 1 ? h("button", { type: "button", class: "quiet", onclick: () => set({ after: Math.max(first - 1 - PAGE, 0) }) }, "◀ older") : null,
    !isTail && page.next !== null ? h("button", { type: "button", class: "quiet", onclick: () => set({ after: page.next }) }, "newer ▶") : null,
    isTail ? null : h("button", { type: "button", class: "quiet", onclick: () => set({ after: null }) }, "The newest"),
  );
}

function trustWords(session, trust, isVerifying, verify) {
  const state = trust.is_sound === null || trust.is_sound === undefined ? ["", "Not checked yet"] : trust.is_sound ? ["good", `✓ The chain is sound to row #${count(trust.checked_to)}`] : ["bad", "✕ Something is wrong"];
  const entries = Object.entries(trust.counts);
  return [
    h("p", {}, h("span", { class: `stamp ${state[0]}` }, state[1]), trust.checked_at ? h("span", { class: "muted" }, ` at ${clock(trust.checked_at)}`) : null),
    trust.problems.map((each) => h("p", { class: "problem" }, told(each))),
    h("dl", { class: "facts" }, entries.map(([name, number]) => h("div", { class: "fact" }, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, count(number))))),
    h("p", { class: "muted" }, trust.recording ? "All that came in is recorded." : "What came in is not recorded.", " Digest of the last row: ", h("code", { class: "digest", title: session.campaign.journal_digest }, session.campaign.journal_digest.slice(0, 16) || "–")),
    session.source.isLive ? h("button", { type: "button", "data-key": "verify", disabled: isVerifying, onclick: verify }, isVerifying ? "Checking everything …" : "Check everything against everything") : null,
  ];
}

function verifiedWords(verified) {
  if (verified.status === "failed") return problemCard({ found: verified.error || "The check did not finish" });
  const stamp = h("span", { class: `stamp ${verified.is_sound ? "good" : "bad"}` }, verified.is_sound ? "✓ All of it is sound" : "✕ Not sound");
  return h("div", { role: "status" }, h("p", {}, stamp), h("ul", { class: "plain" }, [...(verified.problems ?? []), ...(verified.parts ?? [])].map((each) => h("li", {}, told(each)))));
}

function quarantineWords(quarantine) {
  if (quarantine.length === 0) return h("p", { class: "empty" }, "No message was put aside.");
  return h("ol", { class: "orders" }, quarantine.map((each) => h("li", {}, h("b", {}, each.reason.replaceAll("_", " ")), h("span", { class: "muted" }, ` ${clock(each.received_at)} · ${count(each.size_bytes)} bytes · `, named(each.topic)), h("div", {}, told(each.detail)), h("pre", { tabindex: "0", dir: "auto" }, each.prefix))));
}

function orderLine(session, answer) {
  const { kind, text } = outcome(answer);
  return h("li", { class: kind }, h("b", {}, named(answer.words || wordsOf(answer))), answer.operator ? h("span", { class: "muted" }, " by ", named(answer.operator)) : null, h("span", { class: "muted" }, ` sent ${clock(answer.sent_at)}`), h("div", {}, answer.row ? h("a", { href: `#run/${encodeURIComponent(session.key)}/journal?after=${answer.row - 1}` }, text) : text));
}
