// The strip on top of every screen of a run: who it is, where it stands, how fresh that is, and Pause and Stop.

import { actButton, ACTS, askFor } from "./acts.js";
import { announce, h, named, say, swap, told } from "./dom.js";
import { many, PHASES, SIGNS, span, count, unitOfBudget } from "./words.js";

/** Age of what is shown that is worth a look, and that is a fault [s]. */
const STALE_S = 5;
const LOST_S = 30;

const MORE = ["add_observation", "amend_observation", "retract_observation", "exclude_candidate", "requeue_candidate", "add_candidates", "approve_decision", "veto_decision", "set_budget"];

/** The sign and the word of a phase. */
export function phasePill(phase) {
  return h("span", { class: `pill ${phase}` }, h("span", { "aria-hidden": "true" }, SIGNS[phase] ?? ""), ` ${PHASES[phase] ?? phase}`);
}

function brand() {
  return h("a", { class: "brand", href: "#runs", title: "All runs" }, h("span", { class: "glyph", "aria-hidden": "true" }), h("span", { class: "brand-word" }, "Entropilot"));
}

/** The strip of screens that are about no single run. */
export function plainStrip(host, title, tools, badges = []) {
  host.className = "strip";
  host.replaceChildren(brand(), h("h1", {}, named(title)), ...badges, h("div", { class: "tools" }, tools));
}

/** The strip of a run; returns what ends it. */
export function runStrip(host, session, screen, tools) {
  const phase = h("span", { class: "phase" });
  const budget = h("span", { class: "budget" });
  const link = h("span", { class: "link" });
  const buttons = h("div", { class: "tools acts" });
  const badges = h("span", {});
  host.className = "strip";
  host.replaceChildren(
    brand(),
    h("h1", {}, named(session.campaign?.name ?? session.key), h("span", { class: "unseen" }, ` – ${screen}`)),
    badges,
    phase,
    budget,
    link,
    h("div", { class: "tools" }, buttons, tools),
  );
  let spoken = null;
  const paint = () => {
    const { campaign, latest } = session;
    if (!campaign || !latest) return;
    swap(badges, campaign.kind, () => (campaign.kind === "run" ? [] : h("span", { class: "pill kind" }, campaign.kind.replace("_", "-"))));
    swap(phase, JSON.stringify([latest.phase, latest.reason, latest.held]), () => [phasePill(latest.phase), latest.reason ? h("span", { class: "why", title: latest.reason }, told(latest.reason)) : null]);
    swap(budget, `${latest.spent}/${latest.budget}`, () => [
      h("progress", { max: Math.max(latest.budget, 1), value: Math.min(latest.spent, latest.budget), "aria-label": "Budget spent" }),
      h("span", {}, h("b", {}, count(latest.spent)), ` / ${count(latest.budget)}${unitOfBudget(campaign.budget_unit)} spent`),
    ]);
    swap(buttons, JSON.stringify([campaign.can_control, campaign.why_not, latest.phase === "paused"]), () => controlsOf(session));
    if (spoken !== latest.phase) {
      if (spoken !== null) announce(`The campaign is ${PHASES[latest.phase] ?? latest.phase}${latest.reason ? `: ${latest.reason}` : ""}`);
      spoken = latest.phase;
    }
    age(session, link);
  };
  const quiet = session.listen(paint);
  const timer = setInterval(() => age(session, link), 500);
  paint();
  return () => {
    quiet();
    clearInterval(timer);
  };
}

function age(session, link) {
  if (!session.latest) return;
  if (!session.source.isLive) {
    link.className = "link";
    say(link, `saved ${session.source.savedAt ?? ""}`);
    return;
  }
  const seconds = (performance.now() - session.link.heardAt) / 1000;
  const isOver = session.latest.phase === "finished";
  const agent = isOver ? "" : { there: "agent there · ", gone: "agent gone · ", unknown: "" }[session.link.agent] ?? "";
  const isLost = !session.link.up || seconds > LOST_S;
  link.className = `link ${isLost || (session.link.agent === "gone" && !isOver) ? "lost" : seconds > STALE_S ? "stale" : "fresh"}`;
  say(link, session.link.up ? `${agent}as of ${span(seconds)} ago` : `no link to the page's server · as of ${span(seconds)} ago`);
}

function controlsOf(session) {
  const { campaign, latest } = session;
  if (!campaign.can_control) return h("span", { class: "muted only-looking", title: campaign.why_not }, "only looking", campaign.why_not ? h("span", { class: "unseen" }, `: ${campaign.why_not}`) : null);
  const isPaused = latest.phase === "paused";
  const menu = h(
    "details",
    { class: "menu" },
    h("summary", { "data-focus": "more" }, "More acts"),
    h("div", { class: "menu-list" }, MORE.map((action) => h("button", { type: "button", "data-act": action, onclick: (event) => (event.target.closest("details").removeAttribute("open"), askFor(session, action)) }, ACTS[action].title))),
  );
  return [
    isPaused ? actButton(session, "resume", {}, { class: "main", title: "p" }) : actButton(session, "pause", {}, { title: "p" }),
    actButton(session, "stop", {}, { class: "grave-line", title: "s" }),
    menu,
  ];
}

/** How many wait for approval, in words. */
export function waitingWords(session) {
  return session.waiting.length ? many(session.waiting.length, "decision") + " waiting for approval" : "";
}
