// A decision: what was chosen and why, what was expected and what came.

import { actButton } from "./acts.js";
import { address } from "./address.js";
import { h, named, table, told } from "./dom.js";
import { change, clock, count, exact, figure, measured } from "./words.js";

const APPROVALS = { waiting: "waits for approval", approved: "approved", vetoed: "vetoed", withdrawn: "withdrawn" };

/** The tag of what a person said of a decision. */
export function approvalTag(decision) {
  return decision.approval === "none" ? null : h("span", { class: `tag ${decision.approval}` }, APPROVALS[decision.approval] ?? decision.approval);
}

function fact(label, ...content) {
  return h("div", { class: "fact" }, h("dt", {}, label), h("dd", {}, content));
}

/** The choices as a table. */
export function choicesTable(decision, unit) {
  const rows = decision.candidates.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, named(each.name), each.formula && each.formula !== each.name ? h("span", { class: "muted" }, " ", named(each.formula)) : null),
      h("td", {}, each.family ? named(each.family) : "–"),
      h("td", { class: "n" }, figure(each.score)),
      h("td", { class: "n" }, each.predicted === null ? "–" : measured(each.predicted, each.predicted_sd)),
      h("td", { class: "n" }, each.measured === null ? h("span", { class: "muted" }, each.status || "–") : measured(each.measured, each.measured_sd)),
    ),
  );
  const suffix = unit ? ` [${unit}]` : "";
  return table("What was chosen", ["Chosen", "Family", ["Score", "n"], [`Predicted${suffix}`, "n"], [`Measured${suffix}`, "n"]], rows, { class: "choices" });
}

/** The facts of a decision. */
export function decisionFacts(decision) {
  return h(
    "dl",
    { class: "facts" },
    fact("Target family", decision.target_family ? named(decision.target_family) : "–"),
    fact("Runner-up", decision.runner_up ? named(decision.runner_up_name ?? decision.runner_up) : "–", decision.margin === null ? null : h("span", { class: "muted" }, ` behind by ${figure(decision.margin)}`)),
    fact("Known then", `${count(decision.known_then)} values`),
    fact("In flight then", count(decision.in_flight_then)),
    fact("Expected gain", figure(decision.expected_gain)),
    fact("Real gain", change(decision.real_gain), decision.real_gain === null ? null : h("span", { class: "muted" }, " nat")),
  );
}

/** Approve and Veto, where the decision waits for them. */
export function approvalButtons(session, decision) {
  if (!session.campaign.can_control || !session.waiting.includes(decision.decision)) return null;
  return h(
    "div",
    { class: "row" },
    actButton(session, "approve_decision", { decision: String(decision.decision) }, { class: "main", title: "a" }),
    actButton(session, "veto_decision", { decision: String(decision.decision) }, { class: "grave-line", title: "v" }),
  );
}

/** The card of the campaign's screen. */
export function decisionBody(session, decision) {
  if (!decision) return h("p", { class: "empty" }, "No decision has been made by then.");
  return [
    h("p", { class: "lead" }, h("a", { href: address(session.key, "decision", { parts: [decision.decision] }) }, `Decision ${decision.decision}`), " ", approvalTag(decision), h("span", { class: "muted" }, ` ${clock(decision.at)} by ${decision.policy}`)),
    h("p", { class: "reason" }, told(decision.reason)),
    choicesTable(decision, session.campaign.unit),
    decisionFacts(decision),
    approvalButtons(session, decision),
  ];
}

/** Further figures of the policy. */
export function detailsList(details) {
  const entries = Object.entries(details ?? {});
  return entries.length ? h("dl", { class: "facts" }, entries.map(([name, value]) => fact(name.replaceAll("_", " "), exact(value)))) : null;
}
