// What an operator does: asked for in a form, shown as sent, then as carried out or refused. Nothing is shown before it is so.

import { announce, h, named, swap, told } from "./dom.js";
import { clock, exact } from "./words.js";

/** How long an order may be without an answer before that is said [ms]. */
const SILENCE_MS = 10000;
/** How long an order that was carried out stays [ms]. What was refused stays until it is put away. */
const STAYS_MS = 20000;
/** Largest value of a message, as the protocol has it. */
const MAX_ABS_VALUE = 1e12;

const REASON = { name: "reason", label: "Reason, for the journal", kind: "text" };
const CANDIDATE = { name: "candidate", label: "Candidate, as the table writes it", kind: "text", must: true };
const DECISION = { name: "decision", label: "Decision", kind: "number", must: true, step: 1 };

/** Each act: what it is called, what it says before it is sent, its fields, and the order that it makes. */
export const ACTS = {
  pause: { title: "Pause", says: () => "No further request is sent. What is in flight comes in and is kept.", fields: [REASON] },
  resume: { title: "Resume", says: () => "Deciding and sending go on from where they stopped.", fields: [REASON] },
  stop: {
    title: "Stop",
    isGrave: true,
    says: ({ latest }) => `The campaign ends. ${latest?.in_flight_count ?? 0} in flight: their values are still taken. What was measured is lost in no case; the rest of the budget stays unspent.`,
    fields: [REASON],
  },
  approve_decision: { title: "Approve", says: () => "The requests of this decision are sent.", fields: [DECISION, REASON] },
  veto_decision: { title: "Veto", isGrave: true, says: () => "The requests of this decision are not sent, and its candidates are passed over.", fields: [DECISION, REASON] },
  add_observation: { title: "Add result", says: () => "A value of before or of elsewhere joins the dataset, marked as yours.", fields: [CANDIDATE, { name: "value", label: "Value", kind: "number", must: true, hasUnit: true }, { name: "sd", label: "Standard uncertainty, if known", kind: "number", hasUnit: true }, REASON] },
  amend_observation: { title: "Amend", says: () => "The right value takes the place of the one that is there; both stay in the journal.", fields: [CANDIDATE, { name: "value", label: "Right value", kind: "number", must: true, hasUnit: true }, { name: "sd", label: "Standard uncertainty, if known", kind: "number", hasUnit: true }, REASON] },
  retract_observation: { title: "Retract", isGrave: true, says: () => "The value leaves the dataset; later decisions are made without it. It stays in the journal.", fields: [CANDIDATE, REASON] },
  exclude_candidate: { title: "Exclude", isGrave: true, says: () => "It is not asked for any more. A result that comes in spite of that is kept as late.", fields: [CANDIDATE, REASON] },
  requeue_candidate: { title: "Requeue", says: () => "It may be asked for again.", fields: [CANDIDATE, REASON] },
  add_candidates: { title: "Add candidate", says: () => "One new candidate joins the pool: a line COLUMN=VALUE for each column of the table.", fields: [{ name: "cells", label: "Columns of the row", kind: "lines", must: true }, REASON] },
  set_budget: { title: "Set budget", says: ({ latest }) => `Now ${latest?.budget ?? "–"}, of which ${latest?.spent ?? "–"} are spent.`, fields: [{ name: "budget", label: "Budget in all", kind: "number", must: true, step: 1 }, REASON] },
};

function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The body of an order, of what was typed. */
export function bodyOf(action, typed, campaign) {
  const body = { action, message_id: freshId(), reason: typed.reason?.trim() ?? "" };
  if (typed.candidate) body.source_id = typed.candidate.trim();
  if (typed.decision !== undefined) body.decision = Number(typed.decision);
  if (typed.budget !== undefined) body.budget = Number(typed.budget);
  if (typed.value !== undefined) {
    body.quantity = { name: campaign.property, value: Number(typed.value), unit: campaign.unit };
    if (typed.sd !== undefined && typed.sd !== "") body.quantity.standard_deviation = Number(typed.sd);
  }
  if (typed.cells) {
    body.row = Object.fromEntries(typed.cells.split("\n").filter((line) => line.includes("=")).map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]));
  }
  return body;
}

/** What is wrong with what was typed, in a sentence; empty where nothing is. */
export function wrongWith(fields, typed) {
  for (const field of fields) {
    const text = (typed[field.name] ?? "").trim();
    if (field.must && !text) return `${field.label} is missing.`;
    if (!text || field.kind !== "number") continue;
    const value = Number(text);
    if (!Number.isFinite(value) || Math.abs(value) > MAX_ABS_VALUE) return `${field.label}: “${text}” is no number such as -1.25.`;
    if (field.step === 1 && (!Number.isInteger(value) || value < 0)) return `${field.label}: “${text}” is no whole number.`;
    if (field.name === "sd" && value < 0) return "An uncertainty is not negative.";
  }
  return "";
}

/** Opens the form of an act; `given` fills its fields. */
export function askFor(session, action, given = {}) {
  const act = ACTS[action];
  const typed = { ...given };
  const warning = h("p", { class: "warning", role: "status" });
  const dialog = h("dialog", { class: "act", "aria-labelledby": "act-title" });
  const inputs = act.fields.map((field) => inputOf(field, typed, session.campaign, () => preview(session, action, act, typed, warning)));
  const send = h("button", { class: act.isGrave ? "grave" : "main", type: "submit" }, act.title);
  const form = h(
    "form",
    { method: "dialog", onsubmit: (event) => submit(event, { session, action, act, typed, warning, dialog, send }) },
    h("h2", { id: "act-title" }, act.title, " ", named(session.campaign.name)),
    h("p", {}, act.says(session)),
    inputs,
    warning,
    h("div", { class: "row end" }, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), send),
  );
  dialog.append(form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input:not([value]), textarea") ?? send).focus();
}

function inputOf(field, typed, campaign, changed) {
  const take = (event) => {
    typed[field.name] = event.target.value;
    changed();
  };
  const common = { id: `act-${field.name}`, name: field.name, oninput: take, required: field.must, autocomplete: "off", value: typed[field.name] };
  const input =
    field.kind === "lines"
      ? h("textarea", { ...common, rows: 6, placeholder: "family=Ni\nx=0.25" })
      : h("input", { ...common, type: "text", inputmode: field.kind === "number" ? "decimal" : null, maxlength: 500 });
  return h("label", { class: "field" }, h("span", {}, field.label, field.hasUnit && campaign.unit ? [" [", named(campaign.unit), "]"] : null), input);
}

async function preview(session, action, act, typed, warning) {
  const wrong = wrongWith(act.fields, typed);
  if (wrong || typed.value === undefined || typed.value === "") {
    warning.textContent = "";
    return;
  }
  const value = Number(typed.value);
  warning.replaceChildren("It makes the row: ", named(typed.candidate), ` · ${exact(value)} `, named(session.campaign.unit), typed.sd ? ` ± ${exact(Number(typed.sd))}` : "", " · by you");
  const [low, high] = await extent(session);
  if (Number(typed.value) === value && low !== null && (value < low || value > high)) {
    warning.append(` — outside of all values so far (${exact(low)} to ${exact(high)}): is the unit right?`);
  }
}

async function extent(session) {
  if (!session.extent) {
    const ends = await Promise.all(["value", "-value"].map((order) => session.source.dataset(session.key, { order, limit: 1 }).catch(() => null)));
    session.extent = ends.map((page) => page?.rows[0]?.value ?? null);
  }
  return session.extent;
}

async function submit(event, { session, action, act, typed, warning, dialog, send }) {
  event.preventDefault();
  const wrong = wrongWith(act.fields, typed);
  if (wrong) {
    warning.textContent = wrong;
    return;
  }
  if (send.isSent) return; // a double click is one order
  send.isSent = true;
  dialog.close();
  await give(session, bodyOf(action, typed, session.campaign));
}

/** Sends an order; the same body again is the same order. */
export async function give(session, body) {
  const words = wordsOf(body);
  const start = { message_id: body.message_id, action: body.action, words, sent_at: new Date().toISOString(), status: "sent", detail: "", row: null, body, sentAt: Date.now(), isOwn: true };
  session.answers.set(body.message_id, start);
  session.tell("answer");
  announce(`${words}: sent`);
  try {
    session.take({ ...(await session.source.control(session.key, body)), words });
  } catch (error) {
    session.take({ message_id: body.message_id, status: "not_sent", problem: error, detail: error.found ?? String(error) });
  }
}

/** An order in words: its title and what it is about. */
export function wordsOf(body) {
  const about = body.source_id ?? body.candidate_id ?? (body.decision !== undefined ? `decision ${body.decision}` : (body.budget ?? ""));
  return `${ACTS[body.action]?.title ?? body.action}${about === "" ? "" : ` ${about}`}`;
}

/** What became of an order, in words, and how it is shown. */
export function outcome(answer, now = Date.now()) {
  if (answer.status === "accepted") return { kind: "good", text: answer.row === null || answer.row === undefined ? `carried out${answer.detail ? `: ${answer.detail}` : ""}` : `carried out, #${answer.row}` };
  if (answer.status === "duplicate") return { kind: "good", text: `was carried out before${answer.row ? `, #${answer.row}` : ""}` };
  if (answer.status === "refused") return { kind: "bad", text: `refused: ${answer.detail}` };
  if (answer.status === "not_sent") return { kind: "bad", text: `not sent: ${answer.detail}` };
  const isSilent = answer.status === "no_answer" || (answer.sentAt && now - answer.sentAt > SILENCE_MS);
  if (isSilent) return { kind: "waits", isSilent: true, text: `sent ${clock(answer.sent_at)}; nobody has answered for 10 s. It is carried out when the agent is back, unless it is too old by then.` };
  return { kind: "waits", text: `sent ${clock(answer.sent_at)}, waiting for the agent` };
}

/** Keeps the list of one's acts on the page; returns what ends it. */
export function actsTray(host, session) {
  const put = new Set();
  const spoken = new Map();
  const paint = () => {
    const now = Date.now();
    const shown = [...session.answers.values()].filter((each) => !each.isOld && !put.has(each.message_id) && !(["accepted", "duplicate"].includes(each.status) && now - each.heardAt > STAYS_MS));
    const lines = shown.map((each) => ({ each, ...outcome(each, now) }));
    for (const { each, text, kind } of lines) {
      if (spoken.get(each.message_id) !== text) {
        if (spoken.has(each.message_id) || !each.isOwn) announce(`${each.words}: ${text}`, kind === "bad");
        spoken.set(each.message_id, text);
      }
    }
    swap(host, JSON.stringify(lines.map(({ each, text }) => [each.message_id, text])), () => lines.map((line) => trayLine(session, line, put, paint)));
  };
  const quiet = session.listen((topic) => topic === "answer" && paint());
  const timer = setInterval(paint, 1000);
  paint();
  return () => {
    quiet();
    clearInterval(timer);
    host.signature = undefined;
    host.replaceChildren();
  };
}

function trayLine(session, { each, text, kind, isSilent }, put, paint) {
  const link = each.row ? h("a", { href: `#run/${encodeURIComponent(session.key)}/journal?after=${each.row - 1}` }, "Show it") : null;
  const again = isSilent && each.body ? h("button", { onclick: () => give(session, each.body) }, "Send again") : null;
  const away = h("button", { class: "quiet", "aria-label": `Put away: ${each.words}`, onclick: () => (put.add(each.message_id), paint()) }, "✕");
  return h("div", { class: `act-line ${kind}` }, h("div", {}, h("strong", {}, told(each.words)), each.operator ? h("span", { class: "muted" }, " by ", named(each.operator)) : null, h("div", {}, told(text)), each.problem?.action ? h("div", { class: "muted" }, each.problem.action) : null), link, again, away);
}

/** A button that opens the form of an act. */
export function actButton(session, action, given = {}, attributes = {}) {
  const act = ACTS[action];
  return h("button", { type: "button", "data-act": action, "data-focus": `${action}-${given.candidate ?? given.decision ?? ""}`, ...attributes, onclick: () => askFor(session, action, given) }, attributes.label ?? act.title);
}
