// One decision: why, whether it would be made again, and what another policy would do from here.

import { address } from "./address.js";
import { Chart } from "./chart.js";
import { approvalButtons, approvalTag, choicesTable, decisionFacts, detailsList } from "./decision_card.js";
import { card, h, named, problemCard, swap, table, told } from "./dom.js";
import { clock, count, figure } from "./words.js";

/** Decisions of one list. */
const PAGE = 200;

/** The screen of decision `app.route.parts[0]`; without a number, of the last one. */
export function decisionScreen(app) {
  const { session } = app;
  const asked = app.route.parts[0];
  const number = asked === undefined || asked === "last" ? session.latest?.decision?.decision : Number(asked);
  const parts = { head: h("div", {}), why: h("div", {}), whatIf: h("div", {}), list: h("div", {}), turn: h("div", { class: "row" }) };
  const leave = new AbortController();
  const state = { chart: null, from: Math.max(0, (number ?? 0) - PAGE / 2) };
  const element = h(
    "div",
    { class: "columns decision-screen" },
    h("div", { class: "wide stack" }, card(number === undefined ? "Decision" : `Decision ${number}`, { aside: neighbours(session, number) }, parts.head), card("Why", {}, parts.why), card("What if another policy went on from here", {}, parts.whatIf)),
    card("All decisions", { class: "side", aside: parts.turn }, parts.list),
  );
  if (number === undefined || Number.isNaN(number)) parts.head.append(h("p", { class: "empty" }, "No decision has been made yet."));
  else {
    load();
    offerWhy();
    offerWhatIf();
  }
  list();

  async function load() {
    try {
      const decision = await session.source.decision(session.key, number);
      swap(parts.head, JSON.stringify([decision, session.waiting]), () => headOf(session, decision));
    } catch (problem) {
      parts.head.replaceChildren(problemCard(problem));
    }
  }

  async function list() {
    const decisions = await session.source.decisions(session.key, state.from, PAGE).catch(() => []);
    swap(parts.list, JSON.stringify(decisions.map((each) => [each.decision, each.approval, each.real_gain])), () => listOf(session, decisions, number));
    parts.turn.replaceChildren(turn(-PAGE, "Earlier decisions", "▲", state.from > 0), turn(PAGE, "Later decisions", "▼", decisions.length === PAGE));
    const chosen = parts.list.querySelector(".chosen");
    if (chosen) chosen.closest(".tall").scrollTop = chosen.offsetTop - chosen.closest(".tall").clientHeight / 2;
  }

  function turn(by, label, sign, isThere) {
    return h("button", { type: "button", class: "quiet", "aria-label": label, disabled: !isThere, onclick: () => ((state.from = Math.max(0, state.from + by)), list()) }, sign);
  }

  function offerWhy() {
    if (!session.source.isLive) {
      parts.why.append(h("p", { class: "muted" }, "Ask a live page, or run ", h("code", {}, `entropilot why ${session.campaign.name} ${number}`), "."));
      return;
    }
    const ask = h("button", { type: "button", class: "main", title: "w", "data-key": "why", onclick: () => why() }, "Ask why, and ask again today");
    parts.why.append(h("p", { class: "muted" }, "The policy is asked again with what was known then: some seconds of work, beside the campaign."), ask);
    if (app.route.query.why) why();
  }

  async function why() {
    app.requery({ why: "1" });
    parts.why.replaceChildren(h("p", { class: "computing", role: "status" }, "Asking again with what was known then …"));
    try {
      parts.why.replaceChildren(...whyWords(await session.source.why(session.key, number, leave.signal)));
    } catch (problem) {
      if (problem.name !== "AbortError") parts.why.replaceChildren(problemCard(problem));
    }
  }

  async function offerWhatIf() {
    if (!session.source.isLive) {
      parts.whatIf.append(h("p", { class: "muted" }, "Ask a live page, or run ", h("code", {}, `entropilot what-if ${session.campaign.name}`), "."));
      return;
    }
    const names = policiesOf(await session.source.policies().catch(() => []));
    const other = names.find((name) => name !== session.campaign.policy);
    const select = h("select", { id: "what-if-policy" }, names.map((name) => h("option", { value: name, selected: name === (app.route.query.policy ?? other) }, name)));
    const ask = h("button", { type: "button", class: "main", title: "i", "data-key": "what-if", onclick: () => whatIf(select.value) }, "Go on with it");
    const answer = h("div", {});
    parts.whatIf.append(h("div", { class: "row" }, h("label", { class: "row", for: "what-if-policy" }, "Policy ", select), ask), answer);
    parts.answer = answer;
    if (app.route.query.policy) whatIf(app.route.query.policy);
  }

  async function whatIf(policy) {
    app.requery({ policy });
    parts.answer.replaceChildren(h("p", { class: "computing", role: "status" }, `Deciding from ${number} on with ${policy} …`));
    try {
      const answer = await session.source.whatIf(session.key, policy, number, leave.signal);
      state.chart?.dispose();
      state.chart = null;
      const host = h("div", { class: "plot", role: "img", "aria-label": "The course as it was, and as it would have been" });
      parts.answer.replaceChildren(...whatIfWords(answer, session, host));
      if (answer.status === "ready") state.chart = drawWhatIf(host, answer, session);
    } catch (problem) {
      if (problem.name !== "AbortError") parts.answer.replaceChildren(problemCard(problem));
    }
  }

  return {
    element,
    title: `Decision ${number ?? ""}`,
    refresh: (topic) => {
      if (topic === "theme") state.chart?.restyle();
      if (["answer", "moment", "latest"].includes(topic) && Number.isInteger(number)) load();
    },
    keys: { w: () => why(), i: () => element.querySelector("[data-key='what-if']")?.click(), ArrowLeft: () => move(-1), ArrowRight: () => move(1) },
    decision: number,
    dispose: () => {
      leave.abort();
      state.chart?.dispose();
    },
  };

  function move(by) {
    if (number + by >= 0 && number + by <= (session.latest?.decision?.decision ?? 0)) location.hash = address(session.key, "decision", { parts: [number + by] });
  }
}

/** Names of policies, of whatever form the list has. */
export function policiesOf(told) {
  const list = Array.isArray(told) ? told : (told.policies ?? []);
  return list.map((each) => (typeof each === "string" ? each : each.name));
}

function neighbours(session, number) {
  if (number === undefined) return null;
  const last = session.latest?.decision?.decision ?? number;
  const to = (other, label, sign) => (other < 0 || other > last ? null : h("a", { class: "button quiet", "aria-label": label, href: address(session.key, "decision", { parts: [other] }) }, sign));
  return h("div", { class: "row" }, to(number - 1, "The decision before", "◀"), to(number + 1, "The next decision", "▶"));
}

function headOf(session, decision) {
  const then = session.course.observationAt(decision.sequence);
  return [
    h("p", { class: "lead" }, approvalTag(decision), ` ${clock(decision.at)} by `, named(decision.policy), h("span", { class: "muted" }, ` · row #${decision.sequence} · knew rows up to #${decision.based_on} · seed ${decision.seed}`)),
    h("p", { class: "reason" }, told(decision.reason)),
    choicesTable(decision, session.campaign.unit),
    decisionFacts(decision),
    detailsList(decision.details),
    approvalButtons(session, decision),
    then === null ? null : h("p", {}, h("a", { href: address(session.key, "campaign", { at: then }) }, `The campaign at that moment (observation ${then})`)),
  ];
}

function whyWords(answer) {
  if (answer.status === "failed") return [problemCard({ found: answer.error })];
  const same = answer.same_today === null || answer.same_today === undefined ? "Not asked again" : answer.same_today ? "Asked again today: the same" : "Asked again today: another";
  return [
    h("p", {}, h("span", { class: `stamp ${answer.same_today ? "good" : answer.same_today === false ? "bad" : ""}` }, answer.same_today ? "✓ " : answer.same_today === false ? "✕ " : "", same)),
    h("div", { class: "words" }, answer.words.map((line) => h("p", {}, told(line)))),
  ];
}

function whatIfWords(answer, session, host) {
  if (answer.status === "failed") return [problemCard({ found: answer.error })];
  const difference = answer.first_difference === null || answer.first_difference === undefined ? "It decides the same all the way." : ["The first decision that differs: ", h("a", { href: address(session.key, "decision", { parts: [answer.first_difference] }) }, String(answer.first_difference)), "."];
  return [h("p", {}, h("b", {}, named(answer.policy)), ` measures ${count(answer.measured)} values; of ${count(answer.unknown)} choices the answer is not known. `, difference), host];
}

function drawWhatIf(host, answer, session) {
  const metric = session.campaign.metrics.find((each) => answer.trajectory[each.name]);
  const x = answer.trajectory.observation ?? answer.trajectory.step;
  if (!metric || !x) return null;
  const was = session.course.metric[metric.name] ?? [];
  const all = [...new Set([...session.course.x, ...x])].sort((one, other) => one - other);
  const at = (xs, values) => {
    const known = new Map(xs.map((each, index) => [each, values[index]]));
    return all.map((each) => known.get(each) ?? null);
  };
  const columns = { was: at(session.course.x, was), would: at(x, answer.trajectory[metric.name]) };
  const chart = new Chart(host, { names: ["was", "would"], values: (_, name) => columns[name], height: () => 220, title: (name) => (name === "was" ? "as it was" : answer.policy), lookIndex: (name) => (name === "was" ? 0 : 1) });
  chart.show({ x: all, bands: {}, indexOf: () => -1 });
  host.before(h("p", { class: "note" }, named(metric.label), metric.unit ? ` [${metric.unit}]` : ""));
  return chart;
}

function listOf(session, decisions, number) {
  const rows = decisions.map((each) =>
    h(
      "tr",
      { class: each.decision === number ? "chosen" : "" },
      h("th", { scope: "row", class: "n" }, h("a", { href: address(session.key, "decision", { parts: [each.decision] }), "aria-current": each.decision === number ? "true" : null }, String(each.decision))),
      h("td", {}, each.candidates[0] ? named(each.candidates[0].name) : "–", each.candidates.length > 1 ? h("span", { class: "muted" }, ` +${each.candidates.length - 1}`) : null, " ", approvalTag(each)),
      h("td", {}, each.target_family ? named(each.target_family) : "–"),
      h("td", { class: "n" }, figure(each.real_gain)),
    ),
  );
  return h("div", { class: "tall" }, table("All decisions", [["No.", "n"], "Chosen", "For", ["Real gain", "n"]], rows));
}
